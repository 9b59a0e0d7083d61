"""A batch is exactly what its entries would be one by one: random batches held against a model."""

from collections import Counter
from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy import URL, Engine, text

from portal.ledger.posting import Entry
from tests.factories import Books
from tests.ledger.model import HOURS_BACK, Model

ZONES = ("UTC", "Asia/Kolkata", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/St_Johns")
CREDITS = ("GOLD_COIN", "LOYALTY_POINT")
NOBODY = 2**62
KINDS = (*["win"] * 6, "top_up", "bonus", *["spend"] * 3, *["hold"] * 2, "expiry")
ENDS = ("capture", "release")


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


class Traffic:
    """Random entries of a few owners: near the cap, near the floor, with keys used again."""

    def __init__(self, books: Books, seed: int) -> None:
        self.books = books
        self.rng = Random(seed)
        self.zones = {books.owner(zone): zone for zone in self.rng.sample(ZONES, 3)}
        self.model = Model(self.zones)
        self.sent: list[Entry] = []
        self.seen: Counter[str] = Counter()

    def entry(self, now: datetime) -> Entry:
        rng = self.rng
        if self.sent and rng.random() < 0.12:
            return self._again(rng.choice(self.sent))
        owner = rng.choice([*self.zones] * 10 + [NOBODY])
        if rng.random() < 0.15:
            return self._reversal(owner)
        if rng.random() < 0.15:
            return self._end(owner)
        kind = rng.choice(KINDS)
        if kind == "win":
            at = now - rng.choice(HOURS_BACK) + timedelta(seconds=rng.choice((0, 0, 50)))
            if rng.random() < 0.05:
                at = now + rng.choice((timedelta(hours=-25), timedelta(minutes=2)))
            return self.books.entry("win", owner, rng.choice(("0.5", "1.25", "4.9", "5")), at=at)
        amount = rng.choice(("1", "7", "40", "100"))
        return self.books.entry(kind, owner, amount, asset=rng.choice(CREDITS))

    def _again(self, entry: Entry) -> Entry:
        """The same request, or another one with its key."""
        if self.rng.random() < 0.7:
            return entry
        other = self.books.entry("bonus", entry.owner_id, "3", asset="GOLD_COIN")
        return Entry(**{**_fields(other), "key_hash": entry.key_hash})

    def _reversal(self, owner: int) -> Entry:
        books = self.model.owners.get(owner)
        last = books.seq if books else 1
        seq = self.rng.randrange(max(1, last - 8), last + 6)
        booked = books.entries.get(seq) if books else None
        ledger_id = booked.ledger_id if booked else 1
        asset = {1: "DREAM", 4: "GOLD_COIN", 6: "LOYALTY_POINT"}[ledger_id]
        return self.books.entry("reversal", owner, None, asset=asset, reverses=seq)

    def _end(self, owner: int) -> Entry:
        """A capture or release of what may be a hold."""
        books = self.model.owners.get(owner)
        last = books.seq if books else 1
        holds = (
            [seq for seq, booked in books.entries.items() if booked.kind == "hold"] if books else []
        )
        seq = self.rng.choice([*holds[-6:], self.rng.randrange(1, last + 4)])
        ledger_id = books.entries[seq].ledger_id if books and seq in books.entries else 4
        asset = "LOYALTY_POINT" if ledger_id == 6 else "GOLD_COIN"
        kind = self.rng.choice(ENDS)
        amount = self.rng.choice((None, "1", "7", "40")) if kind == "capture" else None
        return self.books.entry(kind, owner, amount, asset=asset, ends=seq)

    def send(self, size: int) -> None:
        now = self.books.now()
        batch = [self.entry(now) for _ in range(size)]
        self.sent = (self.sent + batch)[-80:]
        outcomes = self.books.post(*batch)
        assert len(outcomes) == len(batch)
        for entry, outcome in zip(batch, outcomes, strict=True):
            self.model.take(entry, outcome, now)
            self.seen[outcome.code or outcome.status] += 1


def _fields(entry: Entry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in entry.__slots__}


@pytest.mark.parametrize("seed", range(12))
def test_a_batch_is_what_its_entries_would_be_one_by_one(books: Books, seed: int) -> None:
    traffic = Traffic(books, seed)
    while sum(traffic.seen.values()) < 400:
        traffic.send(traffic.rng.choice((1, 2, 5, 20, 60)))
    check_balances(books.engine, traffic.model)
    check_days(books.engine, traffic.model)


def test_the_random_batches_meet_every_outcome(books: Books) -> None:
    seen: Counter[str] = Counter()
    for seed in (100, 101):
        traffic = Traffic(books, seed)
        for _ in range(30):
            traffic.send(20)
        seen += traffic.seen
    assert set(seen) == {
        *("posted", "replayed", "unknown_user", "idempotency_key_reused", "daily_limit_exceeded"),
        *("insufficient_funds", "occurred_at_out_of_range"),
        *("unknown_entry", "already_reversed", "not_reversible"),
        *("unknown_hold", "hold_not_open", "capture_exceeds_hold"),
    }


def check_balances(engine: Engine, model: Model) -> None:
    """The balance rows are the model's."""
    query = """
        SELECT a.ledger_id, a.code, b.debits - b.credits
        FROM ledger.account_balances b JOIN ledger.accounts a ON a.id = b.account_id
        WHERE b.owner_id = :owner AND a.never_negative"""
    with engine.connect() as connection:
        for owner_id, owner in model.owners.items():
            rows = connection.execute(text(query), {"owner": owner_id})
            found = {(ledger_id, code): int(balance) for ledger_id, code, balance in rows}
            assert found == {a: owner.held[a] for a in found}
            assert all(account in found for account, held in owner.held.items() if held)


def check_days(engine: Engine, model: Model) -> None:
    """What counts against each day's limit is the model's."""
    query = """
        SELECT day, used FROM ledger.daily_balances b JOIN ledger.accounts a ON a.id = b.account_id
        WHERE owner_id = :owner AND a.day_limit IS NOT NULL"""
    with engine.connect() as connection:
        for owner_id, owner in model.owners.items():
            rows = connection.execute(text(query), {"owner": owner_id})
            found = {day: int(used) for day, used in rows}
            assert {d: u for d, u in found.items() if u} == {
                d: u for d, u in owner.used.items() if u
            }
