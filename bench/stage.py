"""What a bench plays on: a PostgreSQL server and, on it, migrated books that are dropped again.

The server is an embedded one in a directory of its own under VAR_DIR (on the disk that the app's
would be on), or the one that DATABASE_URL names. Everything is removed at the end, on Ctrl-C too.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from flask import Flask
from flask_migrate import upgrade

import config
from bench.figures import say
from local.environment import ROOT, check_reachable, var_directory
from local.locks import FileLock
from local.postgres import Postgres
from local.reachable import plain
from portal import create_app
from portal.runtime import Runtime

LOCK = "bench.lock"


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server, by the URL of a database of it whose role may make others."""

    url: str
    var: Path


@dataclass(frozen=True, slots=True)
class Books:
    """Migrated books. `environ` is what the app's processes read their settings from."""

    app: Flask
    environ: dict[str, str]

    @property
    def runtime(self) -> Runtime:
        """The app's, in this process."""
        runtime = self.app.extensions["dreamland"]
        assert isinstance(runtime, Runtime)
        return runtime

    @contextmanager
    def owner(self) -> Iterator[Any]:
        """A psycopg2 cursor of the database's owner, each statement a transaction of its own."""
        with closing(psycopg2.connect(plain(self.environ["DATABASE_URL"]))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor

    def ask(self, query: str, *values: object) -> Any:
        """The one value that a query answers."""
        with self.owner() as cursor:
            cursor.execute(query, values)
            return cursor.fetchone()[0]


@contextmanager
def server() -> Iterator[Server]:
    """A server for one bench."""
    with _directory() as var:
        if given := os.environ.get("DATABASE_URL"):
            check_reachable("postgres", given)
            yield Server(given, var)
        else:
            say("starting PostgreSQL")
            with Postgres(var / "postgres") as embedded:
                yield Server(embedded.url, var)


@contextmanager
def books(on: Server, **settings: str) -> Iterator[Books]:
    """Empty books, migrated; `settings` are the app's, as environment variables."""
    name = f"dreamland_bench_{os.getpid()}"
    parts = urlsplit(on.url)
    environ = {
        **os.environ,
        "DATABASE_URL": urlunsplit(parts._replace(path=f"/{name}")),
        "VAR_DIR": str(on.var),
        "DREAMLAND_ENV": "testing",
        "LOG_LEVEL": "WARNING",
        "RATE_LIMIT_PER_MINUTE": "0",
        "METRICS_PORT": "0",
        **settings,
    }
    with ExitStack() as stack:
        _administer(on, f"CREATE DATABASE {name}")
        stack.callback(_administer, on, f"DROP DATABASE {name} WITH (FORCE)")
        app = create_app(config.load(environ))
        made = Books(app, environ)
        stack.callback(made.runtime.engine.dispose)
        with app.app_context():
            upgrade(str(ROOT / "migrations"))
        yield made


def _administer(on: Server, statement: str) -> None:
    with closing(psycopg2.connect(plain(on.url))) as connection:
        connection.autocommit = True
        connection.cursor().execute(statement)


@contextmanager
def _directory() -> Iterator[Path]:
    """A new directory, removed at the end; what a killed bench left is removed first."""
    parent = var_directory() / "bench"
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.iterdir():
        lock = FileLock(old / LOCK)
        if lock.acquire(wait=False):
            shutil.rmtree(old, ignore_errors=True)
            lock.release()
    var = Path(tempfile.mkdtemp(dir=parent))
    try:
        with FileLock(var / LOCK):
            yield var
    finally:
        shutil.rmtree(var, ignore_errors=True)
