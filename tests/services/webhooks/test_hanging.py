"""A receiver that takes messages and never answers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from config import Settings
from portal.services.webhooks.senders import DOWN
from tests.factories import Books
from tests.receiver import Receiver
from tests.services.webhooks.conftest import Hook, bonuses

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Little patience."""
    return replace(settings, webhook_timeout_s=1)


def test_a_receiver_that_hangs_costs_no_more_than_its_time_and_gets_all_later(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    owners = [books.owner() for _ in range(30)]
    for owner in owners:
        bonuses(books, owner, 2)
    receiver.answer = receiver.hang
    hook.deliver()
    assert len(receiver.seen) == DOWN  # it was not asked thirty times
    assert hook.now().attempts == 1
    assert hook.now().last_failure == "no answer within 1 s"
    assert hook.stalls() == []

    receiver.release.set()
    receiver.answer = lambda _: 200
    hook.pass_by(timedelta(seconds=10))
    for owner in owners:
        assert receiver.seqs(owner) == [1, 2]
    assert (hook.now().attempts, hook.now().failing_since) == (0, None)
