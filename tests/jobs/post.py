"""An endpoint, the workers that deliver to it, and what must arrive there."""

import time
from datetime import timedelta

from flask import Flask

from jobs import webhooks as jobs
from portal.services import clients
from portal.services.webhooks import endpoints, signing
from tests.concurrency.programs import Program, Programs, eventually
from tests.concurrency.watch import Watch
from tests.factories import Books
from tests.receiver import Receiver

IDS = "SELECT owner_id || '-' || seq FROM ledger.entries"
OWNERS = 10


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

    def worker(self, timeout_s: int = 1) -> Program:
        timeout = str(timeout_s)
        return self._programs.start("-m", "jobs.webhook_worker", WEBHOOK_TIMEOUT_SECONDS=timeout)

    def bonus_for_all(self) -> None:
        self.books.post(
            *(self.books.entry("bonus", each, "1", asset="GOLD_COIN") for each in self.owners)
        )

    def point_at(self, receiver: Receiver) -> None:
        """Have what is booked from now on sent to another receiver too."""
        with self.app.app_context():
            made = endpoints.make(clients.named("others"), receiver.url, None, None, None)
            receiver.secrets.append(signing.shown(made.secrets()[0]))
            jobs.enqueue_delivery()

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
