"""What all tests share: databases of their own on a real PostgreSQL, the app on one, a real Redis.

DATABASE_URL names a server in which tests make databases; bin/test sets it. One database is
migrated, once; a test that asks for `database`, directly or not, gets a copy of it to itself, made
while the test before it ran. Tests commit for real and mock nothing.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import URL, Engine, create_engine, make_url

import config
from config import Settings
from portal import create_app
from tests.concurrency.watch import Watch
from tests.databases import Databases
from tests.factories import Books
from tests.jobs.rate_server import RateServer, rate_server
from tests.receiver import Receiver


def given(name: str) -> str:
    if name not in os.environ:
        pytest.fail(f"{name} is not set: run the tests with bin/test")
    return os.environ[name]


def settings_for(database: URL, var_dir: Path) -> Settings:
    url = database.set(drivername="postgresql").render_as_string(hide_password=False)
    redis_url = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/15")
    return config.load(
        {
            "DREAMLAND_ENV": "testing",
            "DATABASE_URL": url,
            "REDIS_URL": redis_url,
            "VAR_DIR": str(var_dir),
            "RATE_LIMIT_PER_MINUTE": "0",
            "METRICS_PORT": "0",
        }
    )


@pytest.fixture(scope="session")
def server() -> URL:
    return make_url(config.database_url(given("DATABASE_URL")))


@pytest.fixture(scope="session")
def databases(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    def migrate(url: URL) -> None:
        app = create_app(settings_for(url, tmp_path_factory.mktemp("migration")))
        with app.app_context():
            flask_migrate.upgrade(directory=str(Path(__file__).parent.parent / "migrations"))

    with Databases(server, "dreamland_test", migrate) as made:
        yield made


@pytest.fixture
def database(databases: Databases) -> Iterator[URL]:
    url = databases.take()
    yield url
    databases.drop(url)


@pytest.fixture(scope="module")
def shared_database(databases: Databases) -> Iterator[URL]:
    """One for all tests of a module that names it `database`: each test has owners of its own."""
    url = databases.take()
    yield url
    databases.drop(url)


@pytest.fixture
def settings(database: URL, tmp_path: Path) -> Settings:
    return settings_for(database, tmp_path)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    made = create_app(settings)
    yield made
    made.extensions["dreamland"].engine.dispose()


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """The app's context, for a test of services. Not for one with `client`: a request has its own."""
    with app.app_context():
        yield


@pytest.fixture
def engine(app: Flask) -> Engine:
    """The app's engine: in the role that may not write money."""
    made: Engine = app.extensions["dreamland"].engine
    return made


@pytest.fixture
def owner_engine(database: URL) -> Iterator[Engine]:
    """The database's owner, who may do anything to the books."""
    made = create_engine(database)
    yield made
    made.dispose()


@pytest.fixture
def watch(database: URL) -> Iterator[Watch]:
    """Sees who waits for what in the database, from outside."""
    made = Watch(database)
    yield made
    made.dispose()


@pytest.fixture
def rates() -> Iterator[RateServer]:
    """The rate API that settings may name."""
    with rate_server() as server:
        yield server


@pytest.fixture
def books(engine: Engine) -> Books:
    return Books(engine)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def redis() -> Iterator[Redis]:
    """The Redis of the tests, emptied."""
    connection = Redis.from_url(given("REDIS_URL"))
    connection.flushdb()
    yield connection
    connection.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of webhooks."""
    made = Receiver()
    yield made
    made.close()
