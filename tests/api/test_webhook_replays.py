"""Replays over HTTP: of a time or of one event, and only so many at a time."""

from typing import Any

import pytest
from redis import Redis

from jobs.queue import WEBHOOKS, queue
from jobs.replays import MOST, Replays, waiting
from portal.services import clients
from tests.api.conftest import Api
from tests.api.test_webhooks import PATH, make
from tests.concurrency.programs import eventually
from tests.receiver import Receiver

pytestmark = pytest.mark.usefixtures("redis")


@pytest.fixture
def client(api: Api) -> str:
    """The key of a client that has no endpoint yet."""
    return api.key_with(*clients.SCOPES, client=api.new_key())


def test_a_replay_is_of_a_time_or_of_one_event(
    api: Api, client: str, receiver: Receiver, redis: "Redis[Any]"
) -> None:
    made = make(api, client, receiver.url)
    path = f"{PATH}/{made['endpoint']['endpoint_id']}/replays"
    owner = api.books.owner()
    api.books.bonus(owner, "GOLD_COIN", "1")
    redis.flushdb()
    answer = api.post(path, {"event_id": f"{owner}-1"}, token=client)
    assert answer.status_code == 202
    assert answer.json["replay"] == {
        "endpoint_id": made["endpoint"]["endpoint_id"],
        "since": None,
        "event_id": f"{owner}-1",
    }
    [job] = queue(api.app.extensions["dreamland"].settings.redis_url, WEBHOOKS).jobs
    assert job.func_name == "jobs.webhooks.deliver"
    with api.app.app_context(), Replays() as replays:
        assert replays.step()
        eventually("it was sent", lambda: not replays.step())
    assert [message.id for message in receiver.taken] == [f"{owner}-1"]
    now = api.books.now().isoformat()
    assert api.post(path, {"since": now}, token=client).status_code == 202
    for body in ({}, {"since": now, "event_id": "1-1"}):
        refused = api.post(path, body, token=client).json
        assert refused["code"] == "validation_failed"
        assert refused["detail"].endswith("send one of the two: since, or event_id")
    for unknown in ("1", "x-1", "1-x", f"{owner}-99", f"{2**63}-1", "0-1"):
        answer = api.post(path, {"event_id": unknown}, token=client)
        assert answer.json["code"] == "unknown_entry", unknown


def test_so_many_events_of_a_client_wait_to_be_sent_again_and_no_more(
    api: Api, client: str, redis: "Redis[Any]"
) -> None:
    redis.flushdb()
    owner = api.books.owner()
    for _ in range(MOST + 1):
        api.books.bonus(owner, "GOLD_COIN", "1")
    path = f"{PATH}/{make(api, client)['endpoint']['endpoint_id']}/replays"
    answers = [
        api.post(path, {"event_id": f"{owner}-{n}"}, token=client) for n in range(1, MOST + 2)
    ]
    assert [answer.status_code for answer in answers] == [202] * MOST + [429]
    assert answers[-1].json["code"] == "rate_limited"
    assert answers[-1].headers["Retry-After"]
    assert len(waiting(redis)) == MOST
