"""Webhooks by real processes: whoever is killed in between, every event arrives, each user's in order."""

import random
import threading
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from config import Settings
from jobs import webhooks as jobs
from portal.services.webhooks import endpoints
from tests.concurrency.programs import Programs, eventually
from tests.concurrency.web import NO_ANSWER, Web, win_body
from tests.jobs.post import OWNERS, Post
from tests.receiver import Message, Receiver

KILLS = 6
SOON_S = 5
"""On an idle machine it is one; the two cores of a busy one may be at something else."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Little patience with a receiver that hangs."""
    return replace(settings, webhook_timeout_s=1)


def test_a_worker_delivers_soon_after_the_booking(post: Post, receiver: Receiver) -> None:
    post.worker()
    post.bonus_for_all()
    eventually("the first came", lambda: len(receiver.taken) == OWNERS)
    for n in range(2, 5):
        time.sleep(random.random())
        began = time.monotonic()
        post.bonus_for_all()
        eventually("all came", lambda n=n: len(receiver.taken) == n * OWNERS)
        assert time.monotonic() - began < SOON_S
    post.assert_all_in_order()


def test_a_worker_told_to_end_does_so_at_once_and_the_next_goes_on(
    post: Post, receiver: Receiver
) -> None:
    first = post.worker()
    post.bonus_for_all()
    eventually("the first came", lambda: receiver.taken)
    began = time.monotonic()
    assert first.stop() == 0
    assert time.monotonic() - began < 30  # rq's own farewell included, and less than a turn
    post.bonus_for_all()
    post.worker()
    post.assert_all_in_order()


def test_a_receiver_down_for_hours_gets_all_when_it_is_back(post: Post, receiver: Receiver) -> None:
    receiver.is_down = True
    post.worker()
    post.bonus_for_all()
    for n in range(1, 6):
        eventually("it failed again", lambda n=n: post.endpoint().attempts >= n)
        post.bonus_for_all()
        post.pass_by(timedelta(hours=2))  # longer than the wait after so many
    assert receiver.taken == []
    receiver.is_down = False
    post.pass_by(timedelta(hours=12))
    post.assert_all_in_order()


def test_a_receiver_that_answered_410_gets_all_once_it_is_enabled_again(
    post: Post, receiver: Receiver
) -> None:
    receiver.answer = lambda message: 410 if message.seq == 3 else 200
    post.worker()
    for _ in range(5):
        post.bonus_for_all()
    eventually("it is disabled", lambda: post.endpoint().state == "disabled")
    seen = len(receiver.seen)
    post.pass_by(timedelta(hours=5))
    with closing(Receiver()) as another:  # while it is sent events, the worker is alive
        post.point_at(another)
        for n in range(1, 4):
            post.bonus_for_all()
            eventually("another gets them", lambda n=n: len(another.taken) == n * OWNERS)
    assert len(receiver.seen) == seen
    receiver.answer = lambda _: 200
    with post.app.app_context():
        endpoints.change(post.client, post.id, {"state": "enabled"})
        jobs.enqueue_delivery()
    post.assert_all_in_order()


def moody(_: Message) -> int | None:
    """Fails, hangs for longer than it is waited for, breaks off, or takes it: by turns."""
    mood = random.random()
    if mood < 0.02:
        time.sleep(1.5)
        return 200
    if mood < 0.05:
        return None
    return 503 if mood < 0.15 else 200


def test_under_fire_with_web_and_worker_killed_every_event_arrives_in_order(
    post: Post, receiver: Receiver, programs: Programs, app: Flask
) -> None:
    """Wins over HTTP and batches, two workers, a moody receiver; each process is killed again and again."""
    receiver.answer = moody
    workers = [post.worker(), post.worker()]
    is_over = threading.Event()

    def batches() -> None:
        while not is_over.wait(0.05):
            post.bonus_for_all()

    def wins(web: Web) -> None:
        caller, numbers = web.caller(), iter(range(10**9))
        while not is_over.is_set():
            at = post.books.now()
            user = random.choice(post.owners)
            try:
                answer = caller.win(user, f"w{next(numbers)}", win_body(at, amount="0.00001"))
                assert answer.status in (201, 503)
            except NO_ANSWER:
                time.sleep(0.1)

    with closing(Web(programs, app)) as web:
        threads = [threading.Thread(target=batches), threading.Thread(target=wins, args=(web,))]
        for thread in threads:
            thread.start()
        for kill in range(KILLS):
            seen = len(receiver.seen)
            eventually("some more came", lambda seen=seen: len(receiver.seen) > seen + 30)
            workers[kill % 2].kill()
            workers[kill % 2] = post.worker()
            post.pass_by(timedelta(seconds=10))
            if kill == 2:
                web.program.kill()
                web.start()
        is_over.set()
        for thread in threads:
            thread.join()
    receiver.answer = lambda _: 200
    post.assert_all_in_order()
    assert len(receiver.taken) > 30 * KILLS
    assert max(message.number for message in receiver.seen) > 1  # at least once, and then some
