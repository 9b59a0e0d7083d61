"""What the tests of webhooks share: a receiver, an endpoint that points at it, and a way to deliver now."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from portal.ledger import events
from portal.services import clients
from portal.services.webhooks import endpoints, signing
from portal.services.webhooks.claims import Claims
from portal.services.webhooks.delivery import Courier
from portal.services.webhooks.endpoints import Endpoint, Stall
from tests.factories import Books
from tests.receiver import Receiver


@pytest.fixture(autouse=True)
def always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was booked just now is to be delivered now."""
    monkeypatch.setattr(events, "FRESH_S", 0)


def bonuses(books: Books, owner: int, count: int = 1) -> None:
    for _ in range(count):
        books.bonus(owner, "GOLD_COIN", "1")


class Hook:
    """An endpoint of a client, and its delivery, one step at a time."""

    def __init__(self, books: Books, receiver: Receiver, events: list[str] | None = None) -> None:
        self.books, self.receiver = books, receiver
        self.client = clients.named("games")
        made = endpoints.make(self.client, receiver.url, None, events, None)
        self.id = made.id
        receiver.secrets.append(signing.shown(made.secrets()[0]))

    def deliver(self) -> None:
        """All that may be delivered now."""
        with self.courier() as courier:
            courier.work()

    @contextmanager
    def courier(self, must_stop: Callable[[], bool] = lambda: False) -> Iterator[Courier]:
        """One of a process of its own, as it were."""
        with Claims() as claims:
            courier = Courier(self.id, claims, must_stop=must_stop)
            yield courier
            courier.close()

    def pass_by(self, after: timedelta) -> None:
        """Let time go by, then deliver."""
        self.books.set_clock(self.books.now() + after)
        self.deliver()

    def now(self) -> Endpoint:
        return endpoints.get(self.client, self.id)

    def stalls(self) -> list[Stall]:
        return endpoints.stalls(self.client, self.id, -1, 100)

    def enable(self) -> None:
        endpoints.change(self.client, self.id, {"state": "enabled"})


@pytest.fixture
def hook(books: Books, receiver: Receiver) -> Iterator[Hook]:
    made = Hook(books, receiver)
    yield made
    assert not receiver.unverified
