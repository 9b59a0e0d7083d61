"""Alive, ready, and what is answered while PostgreSQL or Redis is away. A closed port plays them."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import create_app
from tests.api.conftest import Api
from tests.conftest import settings_for
from tests.factories import convert_due


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def lonely(api: Api, closed_port: int) -> Iterator[Flask]:
    """The app with its database away."""
    settings = api.app.extensions["dreamland"].settings
    url = f"postgresql+psycopg2://postgres@127.0.0.1:{closed_port}/x"
    app = create_app(replace(settings, database_url=url))
    yield app
    app.extensions["dreamland"].engine.dispose()


def test_health_needs_nothing(lonely: Flask) -> None:
    answer = lonely.test_client().get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_ready_needs_the_database(api: Api, lonely: Flask) -> None:
    assert api.get("/readyz", token=None).json == {
        "status": "ready",
        "database": "ok",
        "poster": "ok",
    }
    answer = lonely.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"status": "not ready", "database": "failed", "poster": "ok"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/users/1/wins"),
        ("POST", "/api/v1/wins/batch"),
        ("POST", "/api/v1/users"),
        ("GET", "/api/v1/users/1/stats"),
        ("GET", "/api/v1/conversions"),
    ],
)
def test_without_the_database_every_call_says_try_again(
    api: Api, lonely: Flask, method: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    client: FlaskClient = lonely.test_client()
    token = f"dream_{'a' * 43}"
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
    answer = client.open(path, method=method, headers=headers, json=api.win())
    assert answer.json
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert answer.content_type == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert any(answer.json["request_id"] in record.getMessage() for record in caplog.records)
    assert token not in caplog.text


def test_a_win_needs_no_redis_and_a_conversion_says_try_again(
    api: Api, closed_port: int, tmp_path: Path
) -> None:
    engine = api.app.extensions["dreamland"].engine
    settings = replace(
        settings_for(engine.url, tmp_path), redis_url=f"redis://127.0.0.1:{closed_port}/0"
    )
    app = create_app(settings)
    away = replace(api, app=app)
    with app.app_context():
        convert_due()
    away.won(away.user(), "1")
    hour = api.books.next_hour()
    before = api.rows()
    answer = away.post("/conversions", {"hour": hour.isoformat()})
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert api.rows() == before
    assert away.get("/readyz", token=None).status_code == 200
    app.extensions["dreamland"].engine.dispose()
