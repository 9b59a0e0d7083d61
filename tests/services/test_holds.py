"""Holds whose time is over: each is released once, by whoever comes first, and no other hold is."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from portal import ledger
from portal.services import holds, verification
from tests.concurrency.programs import eventually
from tests.concurrency.watch import Watch
from tests.concurrency.web import at_once
from tests.factories import Books

HOUR = timedelta(hours=1)
GOLD = "GOLD_COIN"
LOCK_OWNER = "SELECT 1 FROM ledger.owners WHERE owner_id = :owner FOR NO KEY UPDATE"
WAITERS = """
SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
"""
ENDED = text("""
SELECT h.seq, k.code AS kind, e.client_id, e.reason FROM ledger.holds h
JOIN ledger.entries e ON e.owner_id = h.owner_id AND e.seq = h.ended_seq
JOIN ledger.entry_kinds k ON k.id = e.kind_id WHERE h.owner_id = :owner ORDER BY h.seq
""")

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def due(books: Books) -> datetime:
    """A moment that `overdue` has passed."""
    return books.now() + HOUR


def rich(books: Books, asset: str = GOLD) -> int:
    made = books.owner()
    books.top_up(made, asset, "100")
    return made


def overdue(books: Books, due: datetime) -> None:
    books.set_clock(due + timedelta(seconds=1))


def ended(books: Books, owner: int) -> list[tuple[Any, ...]]:
    """The owner's holds that have ended: seq, kind, client, reason."""
    with books.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(ENDED, {"owner": owner})]


def wallet(books: Books, owner: int, asset: str = GOLD) -> ledger.Wallet:
    return books.wallet(owner, asset)


def in_app(app: Flask, work: Callable[[], Any]) -> Callable[[], Any]:
    """For a thread: it has no context of its own."""

    def run() -> Any:
        with app.app_context():
            return work()

    return run


def assert_clean() -> None:
    assert [str(each) for each in verification.verify().differences] == []


def test_what_is_due_is_released_and_nothing_else(books: Books, due: datetime) -> None:
    one, other = rich(books), rich(books, "LOYALTY_POINT")
    first = books.hold(one, GOLD, "10", due)
    later = books.hold(one, GOLD, "20", due + HOUR)
    usual = books.hold(one, GOLD, "30")
    theirs = books.hold(other, "LOYALTY_POINT", "2.5", due - HOUR / 2)
    captured = books.hold(one, GOLD, "5", due)
    books.capture(one, captured, GOLD, "2")
    released = books.hold(one, GOLD, "5", due)
    books.release(one, released, GOLD)
    overdue(books, due)
    assert holds.expire_due() == 2
    assert wallet(books, one) == ledger.Wallet(98, 50)
    assert wallet(books, other, "LOYALTY_POINT") == ledger.Wallet(10000, 0)
    assert [row[:2] for row in ended(books, one)] == [
        (first, "release"),
        (captured, "capture"),
        (released, "release"),
    ]
    assert ended(books, one)[0] == (first, "release", 0, "expired")
    assert ended(books, other) == [(theirs, "release", 0, "expired")]
    assert {later, usual}.isdisjoint(row[0] for row in ended(books, one))
    assert_clean()


def test_a_hold_is_due_at_its_very_moment_and_not_before(books: Books, due: datetime) -> None:
    owner = rich(books)
    books.hold(owner, GOLD, "10", due)
    books.set_clock(due - timedelta(seconds=30))
    assert holds.expire_due() == 0
    assert wallet(books, owner).held == 10
    books.set_clock(due)
    assert holds.expire_due() == 1
    assert wallet(books, owner) == ledger.Wallet(100, 0)


def test_nothing_due_is_nothing_done(books: Books) -> None:
    assert holds.expire_due() == 0
    books.hold(rich(books), GOLD, "1")
    assert holds.expire_due() == 0


def test_an_expired_hold_says_so(books: Books, due: datetime) -> None:
    owner = rich(books)
    seq = books.hold(owner, GOLD, "10", due)
    overdue(books, due)
    holds.expire_due()
    with books.engine.connect() as connection:
        gold = ledger.assets(connection)[GOLD]
    found = holds.get(owner, gold, seq)
    assert (found.state, found.captured, found.ended_seq) == ("expired", None, seq + 1)


@pytest.mark.parametrize("size", [1, 3, 7])
def test_more_than_a_batch_is_released_whole(
    books: Books, due: datetime, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Of some owners, many at the same moment, so that pages end between equal times."""
    monkeypatch.setattr(holds, "BATCH", size)
    owners = [rich(books) for _ in range(3)]
    for n in range(12):
        books.hold(owners[n % 3], GOLD, "1", due - (n % 2) * HOUR / 2)
    overdue(books, due)
    assert holds.expire_due() == 12
    assert {wallet(books, owner) for owner in owners} == {ledger.Wallet(100, 0)}
    assert_clean()


def test_running_again_releases_nothing_more(books: Books, due: datetime) -> None:
    owner = rich(books)
    books.hold(owner, GOLD, "10", due)
    overdue(books, due)
    assert [holds.expire_due() for _ in range(3)] == [1, 0, 0]
    assert len(ended(books, owner)) == 1


def test_two_at_once_release_each_hold_once(
    app: Flask, books: Books, due: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "BATCH", 4)
    owners = [rich(books) for _ in range(5)]
    for owner in owners:
        for _ in range(6):
            books.hold(owner, GOLD, "1", due)
    overdue(books, due)
    counts = at_once(*[in_app(app, holds.expire_due)] * 4)
    assert sum(counts) == 30
    assert {wallet(books, owner) for owner in owners} == {ledger.Wallet(100, 0)}
    assert_clean()


def test_an_owner_locked_elsewhere_keeps_no_other_waiting(
    app: Flask, books: Books, watch: Watch, due: datetime
) -> None:
    locked, other = rich(books), rich(books)
    for owner in (locked, other):
        books.hold(owner, GOLD, "10", due)
    overdue(books, due)
    with ThreadPoolExecutor(1) as thread, watch.hold(LOCK_OWNER, owner=locked) as held:
        job = thread.submit(in_app(app, holds.expire_due))
        eventually("the job waits for the owner", held.blocked)
        assert len(ended(books, other)) == 1, "released without waiting"
        assert ended(books, locked) == []
        held.release()
        assert job.result(30) == 2
    assert wallet(books, locked) == wallet(books, other) == ledger.Wallet(100, 0)


@pytest.mark.parametrize("kind", ["capture", "release"])
def test_a_hold_that_ends_meanwhile_is_left_as_it_is(
    app: Flask, books: Books, watch: Watch, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """A capture that was booked in time commits when the job has already found the hold due."""
    owner = rich(books)
    moment = books.now() + timedelta(seconds=3)
    seq = books.hold(owner, GOLD, "10", moment)
    entry = books.entry(kind, owner, None, asset=GOLD, ends=seq)
    with ThreadPoolExecutor(1) as thread, books.engine.connect() as connection:
        cursor = connection.connection.cursor()
        [outcome] = ledger.posting.post(cursor, [entry], ledger.UNBOUNDED, wait=True)
        assert outcome.status == "posted", outcome
        eventually("its time is over", lambda: books.now() > moment)
        with caplog.at_level(logging.WARNING):
            job = thread.submit(in_app(app, holds.expire_due))
            eventually("the job waits for the owner", lambda: watch.value(WAITERS))
            connection.exec_driver_sql("COMMIT")
            assert job.result(30) == 0
    assert [row[:2] for row in ended(books, owner)] == [(seq, kind)]
    assert "can't be released" not in caplog.text
    assert_clean()
