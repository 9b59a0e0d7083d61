"""Conversions over HTTP: what ran, and asking for the next hour. The queue is a real Redis."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from redis import Redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from jobs.queue import connection, queue
from tests.api.conftest import Api
from tests.factories import convert_due

FIELDS = [
    *("hour", "state", "rate", "rate_source", "users", "tokens", "usd", "fees", "residue"),
    *("started_at", "finished_at", "progress"),
]


@pytest.fixture
def ended(api: Api) -> datetime:
    """An hour with wins of two users that is over and the next to convert."""
    with api.app.app_context():
        convert_due()
    for amount in ("2", "0.000000000000000001"):
        api.won(api.user(), amount)
    return api.books.next_hour()


def ask(api: Api, hour: datetime) -> Any:
    return api.post("/conversions", {"hour": hour.isoformat()})


def work(api: Api) -> None:
    """Do what waits in the queue, as a worker would."""
    url = api.app.extensions["dreamland"].settings.redis_url
    with api.app.app_context():
        worker = SimpleWorker([queue(url)], connection=connection(url), serializer=JSONSerializer)
        worker.work(burst=True, logging_level="ERROR")


def test_an_hour_that_is_asked_for_is_converted_by_a_worker(
    api: Api, ended: datetime, redis: "Redis[Any]"
) -> None:
    assert redis.ping()
    answer = ask(api, ended)
    assert answer.status_code == 202
    assert (answer.json["conversion"]["state"], answer.json["conversion"]["users"]) == ("due", 0)
    assert ask(api, ended).status_code == 202
    work(api)
    answer = ask(api, ended)
    assert answer.status_code == 200
    run = answer.json["conversion"]
    assert run == api.read("/conversions?limit=1")["conversions"][0]
    assert set(FIELDS) <= set(run)
    assert datetime.fromisoformat(run["hour"]) == ended
    assert (run["state"], run["rate"], run["rate_source"]) == ("done", "0.15", "fixed")
    assert (run["users"], run["tokens"], run["usd"], run["residue"]) == (1, "2", "0.3", "0")
    assert run["fees"] == "0.003"
    assert run["progress"] == {"chunks": 1, "finished": 1}
    assert run["started_at"] <= run["finished_at"]


def test_asking_again_converts_nothing_twice(
    api: Api, ended: datetime, redis: "Redis[Any]"
) -> None:
    assert redis.ping()
    ask(api, ended)
    work(api)
    before = api.rows()
    assert ask(api, ended).status_code == 200
    work(api)
    assert api.rows() == before


def test_an_hour_can_be_named_in_any_offset(api: Api, ended: datetime, redis: "Redis[Any]") -> None:
    assert redis.ping()
    answer = api.post("/conversions", {"hour": ended.isoformat().replace("+00:00", "-00:00")})
    assert answer.status_code == 202


def test_hours_run_in_order(api: Api, ended: datetime) -> None:
    api.books.next_hour()
    for hour in (
        ended + timedelta(hours=1),
        ended + timedelta(hours=2),
        ended - timedelta(days=400),
    ):
        before = api.rows()
        answer = ask(api, hour)
        assert (answer.status_code, answer.json["code"]) == (409, "hour_not_next")
        assert api.rows() == before


def test_runs_are_listed_newest_first_in_pages(api: Api, ended: datetime) -> None:
    for _ in range(4):
        api.books.next_hour()
    with api.app.app_context():
        convert_due()
    rows = api.read("/conversions?limit=200")["conversions"]
    hours = [datetime.fromisoformat(row["hour"]) for row in rows]
    assert hours == sorted(hours, reverse=True)
    assert ended in hours
    for size in (1, 2, 3, 200):
        assert api.pages("/conversions", "conversions", size) == rows
    assert {row["state"] for row in rows} == {"done"}


def test_an_hour_without_tokens_is_done_without_a_rate(api: Api, ended: datetime) -> None:
    with api.app.app_context():
        convert_due()
        empty = api.books.next_hour()
        convert_due()
    run = api.read("/conversions?limit=1")["conversions"][0]
    assert datetime.fromisoformat(run["hour"]) == empty > ended
    assert (run["state"], run["users"], run["tokens"]) == ("done", 0, "0")
