"""What the tests of concurrency share: real programs, posters side by side, and a view of the database."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine

from config import Settings
from portal import ledger
from portal.database import engine_options
from tests.concurrency.programs import Programs, programs_for
from tests.concurrency.web import Web
from tests.factories import WINDOW, Books

START = datetime(2026, 3, 2, 10, 10, tzinfo=UTC)


@pytest.fixture
def books(books: Books) -> Books:
    """Books whose clock is far from any hour's end."""
    books.set_clock(START)
    return books


@pytest.fixture
def programs(settings: Settings, tmp_path: Path) -> Iterator[Programs]:
    with programs_for(settings, tmp_path) as made:
        yield made


@pytest.fixture
def web(programs: Programs, app: Flask) -> Iterator[Web]:
    with closing(Web(programs, app)) as made:
        yield made


@pytest.fixture
def posters(settings: Settings) -> Iterator[list[ledger.Poster]]:
    """Two posters on connections of their own, as two web processes have."""
    options: dict[str, Any] = engine_options(settings)
    engines = [create_engine(settings.database_url, **options) for _ in range(2)]
    yield [ledger.Poster(engine, WINDOW, 500, 2000) for engine in engines]
    for engine in engines:
        engine.dispose()


@pytest.fixture
def soon() -> timedelta:
    """How long before an hour's end a test begins that posts across it."""
    return timedelta(seconds=1)
