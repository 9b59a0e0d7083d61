"""Dreamland as a visitor meets it: served by granian on a database of its own, with workers where wanted."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from redis import Redis
from sqlalchemy import URL

from config import Settings
from portal import create_app
from portal.runtime import Runtime
from tests.browser.people import People
from tests.concurrency.programs import Program, Programs, programs_for
from tests.concurrency.web import Caller, Web
from tests.conftest import settings_for
from tests.factories import Books


@dataclass
class Site:
    """A running web server, and the same app in this process for what a test prepares by services."""

    app: Flask
    web: Web
    programs: Programs
    books: Books
    people: People

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.web.port}"

    @property
    def runtime(self) -> Runtime:
        made = self.app.extensions["dreamland"]
        assert isinstance(made, Runtime)
        return made

    @property
    def database(self) -> str:
        """Its URL, of a role that may do anything."""
        return self.runtime.settings.database_url.replace("+psycopg2", "")

    @property
    def mail(self) -> Path:
        """Where the mails lie that were sent."""
        return self.runtime.settings.var_dir / "mail"

    def worker(self) -> Program:
        """Start a worker of jobs."""
        return self.programs.start("-m", "jobs.worker")

    def game(self) -> Caller:
        """A game server that calls the API."""
        return self.web.caller()


@contextmanager
def served(database: URL, directory: Path, settings: Settings | None = None) -> Iterator[Site]:
    """Everything up on a migrated database, with nothing counted in Redis yet; `settings` if not the usual."""
    settings = settings or settings_for(database, directory)
    with closing(Redis.from_url(settings.redis_url)) as redis:
        redis.flushdb()
    app = create_app(settings)
    with programs_for(settings, directory) as programs, closing(Web(programs, app)) as web:
        people = People(app, f"http://127.0.0.1:{web.port}")
        yield Site(app, web, programs, Books(app.extensions["dreamland"].engine), people)
    app.extensions["dreamland"].engine.dispose()
