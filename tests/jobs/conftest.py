"""What the tests of jobs share: a rate API, workers, and hours to convert, all of them real."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from redis import Redis

from config import Settings
from tests.concurrency.programs import Programs, programs_for
from tests.concurrency.watch import Watch
from tests.factories import Books
from tests.jobs.hours import Hours
from tests.jobs.post import Post
from tests.jobs.rate_server import RateServer
from tests.receiver import Receiver

CHUNK_USERS = 4


@pytest.fixture
def settings(settings: Settings, rates: RateServer) -> Settings:
    """Small chunks, and the rate of each hour from an API that may take its time."""
    return replace(
        settings,
        chunk_users=CHUNK_USERS,
        rate_source="http",
        rate_url=rates.url,
        rate_timeout_s=20,
        rate_backoff_s=0.01,
    )


@pytest.fixture
def programs(settings: Settings, redis: "Redis[Any]", tmp_path: Path) -> Iterator[Programs]:
    """Programs on an emptied Redis."""
    assert redis.dbsize() == 0
    with programs_for(settings, tmp_path) as made:
        yield made


@pytest.fixture
def hours(app: Flask, books: Books, watch: Watch) -> Hours:
    return Hours(app, books, watch)


@pytest.fixture
def post(
    app: Flask,
    books: Books,
    programs: Programs,
    receiver: Receiver,
    watch: Watch,
    redis: "Redis[Any]",
) -> Post:
    assert redis.ping()
    return Post(app, books, programs, receiver, watch)
