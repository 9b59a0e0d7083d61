"""A running server with users who have something of everything, for callers who try everything."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import URL

from portal import create_app
from tests.concurrency.programs import programs_for
from tests.concurrency.web import Web
from tests.conftest import settings_for
from tests.factories import Books

USERS = 20
NOON = datetime(2100, 1, 1, 12, tzinfo=UTC)
"""The ledger clock: schemathesis.toml names moments near it."""


@pytest.fixture(scope="module")
def live_app(shared_database: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    settings = settings_for(shared_database, tmp_path_factory.mktemp("live"))
    app = create_app(replace(settings, import_max_unfinished=10**6))  # no worker books them
    yield app
    app.extensions["dreamland"].engine.dispose()


@pytest.fixture(scope="module")
def web(live_app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """Two workers. Six webhook endpoints and an import are there. User 1 has 1-1 a win, 1-2 a top-up, 1-3 a spend, 1-4 to 1-13 holds; user 2 a top-up.

    The hour of noon is over, and next to be converted.
    """
    books = Books(live_app.extensions["dreamland"].engine)
    books.set_clock(NOON)
    settings = live_app.config["SETTINGS"]
    with (
        programs_for(settings, tmp_path_factory.mktemp("programs")) as programs,
        closing(Web(programs, live_app)) as made,
    ):
        seed(live_app, books, made.key)
        books.next_hour()
        yield made


def seed(app: Flask, books: Books, key: str) -> None:
    client, bearer = app.test_client(), {"Authorization": f"Bearer {key}"}
    for number in map(str, range(1, USERS + 1)):
        body = {"external_id": f"player-{number}", "display_name": "Ida"}
        made = client.post("/api/v1/users", json=body, headers=bearer)
        assert made.json is not None
        assert made.json["user"]["id"] == number
    for number in range(1, 7):
        url = {"url": f"http://127.0.0.1:8123/{number}"}
        made = client.post("/api/v1/webhook-endpoints", json=url, headers=bearer)
        assert made.json is not None
        assert made.json["endpoint"]["endpoint_id"] == str(number)
    file = {"data": "user_id,idempotency_key,amount,occurred_at,game,reference\n1,k,1,x,maze,r\n"}
    headers = bearer | {"Idempotency-Key": "file-1", "Content-Type": "text/csv"}
    assert client.post("/api/v1/imports", headers=headers, **file).status_code == 202
    assert books.win(1, "0.5", NOON) == 1
    assert books.top_up(1, "GOLD_COIN", "1000000") == 2
    assert books.spend(1, "GOLD_COIN", "5") == 3
    for number in range(4, 14):
        assert books.hold(1, "GOLD_COIN", "7", NOON + timedelta(days=9)) == number
    assert books.top_up(2, "LOYALTY_POINT", "1000") == 1
