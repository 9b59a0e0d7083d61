"""Events sent once more by hand: whatever their receiver does, what others are sent is not held up."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from config import Settings
from jobs import replays
from jobs import webhooks as jobs
from jobs.queue import WEBHOOKS, queue
from portal.services import clients
from portal.services.webhooks import endpoints, signing
from tests.concurrency.programs import eventually
from tests.jobs.post import OWNERS, Post
from tests.receiver import Receiver


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Some patience with a receiver that hangs."""
    return replace(settings, webhook_timeout_s=5)


@pytest.fixture
def hanging() -> Iterator[Receiver]:
    made = Receiver()
    made.answer = made.hang
    yield made
    made.close()


def idle_endpoint(post: Post, hanging: Receiver) -> tuple[int, int]:
    """A (client_id, endpoint_id): disabled, so that nothing is sent there but by hand."""
    with post.app.app_context():
        client = clients.named("hanging")
        made = endpoints.make(client, hanging.url, None, None, None)
        hanging.secrets.append(signing.shown(made.secrets()[0]))
        endpoints.change(client, made.id, {"state": "disabled"})
    return client, made.id


def again(post: Post, client: int, endpoint: int, owner: int) -> bool:
    with post.app.app_context():
        return jobs.send_again(client, endpoint, owner, 1)


def test_replays_to_a_receiver_that_hangs_hold_up_nobody_and_each_is_sent(
    post: Post, receiver: Receiver, hanging: Receiver, redis: "Redis[Any]"
) -> None:
    post.bonus_for_all()
    post.worker(timeout_s=5)
    eventually("the first came", lambda: len(receiver.taken) == OWNERS)
    client, endpoint = idle_endpoint(post, hanging)
    assert all(again(post, client, endpoint, each) for each in post.owners[: replays.MOST])
    eventually("one hangs", lambda: hanging.seen)
    post.bonus_for_all()
    eventually("the others' came", lambda: len(receiver.taken) == 2 * OWNERS)
    assert len(hanging.seen) == 1
    assert len(replays.waiting(redis)) == replays.MOST  # not one of them was done meanwhile
    hanging.release.set()
    hanging.answer = lambda _: 200
    eventually("each was sent", lambda: not replays.waiting(redis))
    assert [message.user for message in hanging.seen] == post.owners[: replays.MOST]


def test_a_client_has_so_many_replays_waiting_and_another_client_its_own(
    post: Post, hanging: Receiver
) -> None:
    client, endpoint = idle_endpoint(post, hanging)
    first, *others = post.owners[: replays.MOST + 1]
    assert all(again(post, client, endpoint, each) for each in [*others, *others])
    assert not again(post, client, endpoint, first)
    assert again(post, post.client, post.id, first)


def test_however_often_delivery_is_asked_for_one_job_waits(
    post: Post, hanging: Receiver, settings: Settings
) -> None:
    client, endpoint = idle_endpoint(post, hanging)
    with post.app.app_context():
        for _ in range(5):
            jobs.enqueue_delivery()
    again(post, client, endpoint, post.owners[0])
    assert queue(settings.redis_url, WEBHOOKS).count == 1


def test_a_replay_whose_worker_was_killed_is_sent_by_the_next(
    post: Post, hanging: Receiver, redis: "Redis[Any]"
) -> None:
    client, endpoint = idle_endpoint(post, hanging)
    post.bonus_for_all()
    worker = post.worker(timeout_s=5)
    assert again(post, client, endpoint, post.owners[0])
    eventually("it hangs", lambda: hanging.seen)
    worker.kill()
    assert len(replays.waiting(redis)) == 1
    redis.expire(f"{replays.WAITING}:{replays.waiting(redis)[0]}", 1)  # as if time went by
    hanging.answer = lambda _: 200
    post.worker()
    eventually("it was sent", lambda: len(hanging.taken) == 1)
    eventually("it waits no more", lambda: not replays.waiting(redis))
