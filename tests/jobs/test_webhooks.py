"""Webhooks by real processes: whoever is killed in between, every event arrives, each user's in order."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from redis import Redis

from config import Settings
from jobs import webhooks as jobs
from portal.services import clients
from portal.services.webhooks import endpoints, signing
from tests.concurrency.programs import Program, Programs, eventually
from tests.concurrency.watch import Watch
from tests.concurrency.web import NO_ANSWER, Web, win_body
from tests.factories import Books
from tests.receiver import Message, Receiver

IDS = "SELECT owner_id || '-' || seq FROM ledger.entries"
KILLS = 6
OWNERS = 10


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Little patience with a receiver that hangs."""
    return replace(settings, webhook_timeout_s=1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


class Post:
    """An endpoint, the workers that deliver to it, and what must arrive."""

    def __init__(
        self, app: Flask, books: Books, programs: Programs, receiver: Receiver, watch: Watch
    ) -> None:
        self.app, self.books, self.receiver, self.watch = app, books, receiver, watch
        self._programs = programs
        with app.app_context():
            self.client = clients.named("games")
            made = endpoints.make(self.client, receiver.url, None, None, None)
            receiver.secrets.append(signing.shown(made.secrets()[0]))
        self.id = made.id
        self.owners = [books.owner() for _ in range(OWNERS)]

    def worker(self) -> Program:
        return self._programs.start("-m", "jobs.webhook_worker", WEBHOOK_TIMEOUT_SECONDS="1")

    def bonus_for_all(self) -> None:
        self.books.post(
            *(self.books.entry("bonus", each, "1", asset="GOLD_COIN") for each in self.owners)
        )

    def pass_by(self, after: timedelta) -> None:
        self.books.set_clock(self.books.now() + after)

    def all_taken(self) -> bool:
        """Whether every event was answered with 2xx; if not, some time goes by for those that wait."""
        if self.missing():
            self.pass_by(timedelta(seconds=30))
            with self.app.app_context():
                jobs.enqueue_delivery()
            time.sleep(0.3)
        return not self.missing()

    def missing(self) -> set[str]:
        booked = {row[0] for row in self.watch.rows(IDS)}
        return booked - {message.id for message in list(self.receiver.taken)}

    def endpoint(self) -> endpoints.Endpoint:
        with self.app.app_context():
            return endpoints.get(self.client, self.id)

    def assert_all_in_order(self) -> None:
        eventually("every event was taken", self.all_taken, seconds=60)
        assert not self.receiver.unverified
        for messages in (self.receiver.seen, self.receiver.taken):
            first: dict[int, list[int]] = {}
            for message in messages:
                seqs = first.setdefault(message.user, [])
                if message.seq not in seqs:
                    seqs.append(message.seq)
            assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in first.values()), first


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


def test_a_worker_delivers_within_a_second(post: Post, receiver: Receiver) -> None:
    post.worker()
    post.bonus_for_all()
    eventually("the first came", lambda: len(receiver.taken) == OWNERS)
    for n in range(2, 5):
        time.sleep(random.random())
        began = time.monotonic()
        post.bonus_for_all()
        eventually("all came", lambda n=n: len(receiver.taken) == n * OWNERS)
        assert time.monotonic() - began < 1.5
    post.assert_all_in_order()


def test_a_worker_told_to_end_does_so_at_once_and_the_next_goes_on(
    post: Post, receiver: Receiver
) -> None:
    first = post.worker()
    post.bonus_for_all()
    eventually("the first came", lambda: receiver.taken)
    began = time.monotonic()
    assert first.stop() == 0
    assert time.monotonic() - began < 5
    post.bonus_for_all()
    post.worker()
    post.assert_all_in_order()


def test_a_receiver_down_for_hours_gets_all_when_it_is_back(post: Post, receiver: Receiver) -> None:
    receiver.is_down = True
    post.worker()
    post.bonus_for_all()
    eventually("it failed", lambda: post.endpoint().attempts)
    for _ in range(8):
        post.pass_by(timedelta(hours=1))
        post.bonus_for_all()
        time.sleep(0.7)
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
    post.bonus_for_all()
    post.pass_by(timedelta(hours=5))
    time.sleep(1)
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
