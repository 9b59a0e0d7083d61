"""A PostgreSQL server of a test's own, which it may kill, and the app and the web on it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import URL, make_url

import config
from local.postgres import Postgres
from portal import create_app
from tests.concurrency.programs import ROOT, programs_for
from tests.concurrency.web import Web
from tests.conftest import settings_for

SMALL = {"shared_buffers": "16MB", "max_wal_size": "64MB", "min_wal_size": "32MB"}


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A server that this test alone may kill.

    Not below tmp_path: every pytest that starts closes that to the account PostgreSQL runs as.
    """
    with (
        TemporaryDirectory(prefix="dreamland-test-") as directory,
        Postgres(Path(directory) / "postgres", settings=SMALL, database="dreamland") as server,
    ):
        yield server


@pytest.fixture
def database(postgres: Postgres) -> URL:
    return make_url(config.database_url(postgres.url))


@pytest.fixture
def app(database: URL, tmp_path: Path) -> Iterator[Flask]:
    made = create_app(settings_for(database, tmp_path))
    with made.app_context():
        flask_migrate.upgrade(directory=str(ROOT / "migrations"))
    yield made
    made.extensions["dreamland"].engine.dispose()


@pytest.fixture
def web(app: Flask, tmp_path: Path) -> Iterator[Web]:
    with (
        programs_for(app.config["SETTINGS"], tmp_path) as programs,
        closing(Web(programs, app)) as made,
    ):
        yield made
