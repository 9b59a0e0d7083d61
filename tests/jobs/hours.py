"""Hours with wins in them, and what their conversion must come to, reckoned here a second time."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from flask import Flask

from jobs import conversions as jobs
from portal.ledger.clock import HOUR
from tests.concurrency.watch import Watch
from tests.factories import Books

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
FEE_POINTS = 100

RUN = "SELECT * FROM conversion_runs WHERE hour = :hour"
CONVERTED = """
SELECT e.owner_id, p.line, p.amount FROM ledger.entries e
JOIN ledger.entry_kinds k ON k.id = e.kind_id AND k.code = 'conversion'
JOIN ledger.postings p ON p.owner_id = e.owner_id AND p.seq = e.seq
WHERE e.occurred_at = :last ORDER BY e.owner_id, p.line
"""
EVERYTHING = """
SELECT (SELECT count(*) FROM ledger.entries), (SELECT count(*) FROM ledger.postings),
       (SELECT array_agg(r::text ORDER BY hour) FROM ledger.hour_rates r),
       (SELECT array_agg(r::text ORDER BY hour) FROM conversion_runs r),
       (SELECT array_agg(c::text ORDER BY hour, number) FROM conversion_chunks c),
       (SELECT sum(debits) FROM ledger.account_balances)
"""


@dataclass(frozen=True)
class Expected:
    """What an hour's conversion comes to, in base units."""

    users: int
    tokens: int
    usd: int
    fees: int
    residue: Fraction


def expected(won: dict[int, int], rate: Fraction) -> Expected:
    """The sums of converting what each owner won."""
    usd = {owner: int(tokens * rate) for owner, tokens in won.items()}
    tokens = sum(won.values())
    fees = sum((each * FEE_POINTS * 2 + 10_000) // 20_000 for each in usd.values())
    residue = tokens * rate - sum(usd.values())
    return Expected(len(won), tokens, sum(usd.values()), fees, residue)


class Hours:
    """Wins by hour, on a ledger clock that starts at START and moves with the tests."""

    def __init__(self, app: Flask, books: Books, watch: Watch) -> None:
        self._app = app
        self._books = books
        self._watch = watch
        self._random = random.Random(20261120)
        self._won: dict[datetime, dict[int, int]] = {}
        self.owners: list[int] = []
        books.set_clock(START + timedelta(minutes=10))

    def open_users(self, number: int) -> list[int]:
        """Users in ascending order of their ids, the last of `owners`."""
        made = [self._books.owner() for _ in range(number)]
        self.owners += made
        return made

    def play(self, owners: list[int] | None = None) -> datetime:
        """Every owner, or those given, wins some tokens; then the hour ends. The hour."""
        hour = self.book(owners)
        self.end()
        return hour

    def book(self, owners: list[int] | None = None) -> datetime:
        """Wins in the running hour; the hour."""
        now = self._books.now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        won = self._won.setdefault(hour, {})
        entries = []
        for owner in self.owners if owners is None else owners:
            units = self._random.randrange(10**16, 10**17)
            won[owner] = won.get(owner, 0) + units
            amount = f"0.{units:018d}"
            entries.append(self._books.entry("win", owner, amount, at=now))
        assert {outcome.status for outcome in self._books.post(*entries)} == {"posted"}
        return hour

    def end(self) -> None:
        """The running hour ends, and ten minutes of the next one go by."""
        ended = self._books.next_hour()
        self._books.set_clock(ended + HOUR + timedelta(minutes=10))

    def resume(self) -> None:
        """Have a worker do what is due, as the scheduler does every minute."""
        with self._app.app_context():
            jobs.enqueue_due()

    def run(self, hour: datetime) -> Any:
        """The run's row; None before there is one."""
        rows = self._watch.rows(RUN, hour=hour)
        return rows[0] if rows else None

    def state(self, hour: datetime) -> str | None:
        run = self.run(hour)
        return run.state if run else None

    def rate(self, hour: datetime) -> Fraction | None:
        """The stored rate."""
        stored = self._watch.rows("SELECT rate FROM ledger.hour_rates WHERE hour = :h", h=hour)
        return Fraction(stored[0].rate) if stored else None

    def chunks(self, hour: datetime) -> list[bool]:
        """Which chunks are finished, in order."""
        query = (
            "SELECT finished_at IS NOT NULL FROM conversion_chunks WHERE hour = :h ORDER BY number"
        )
        return [row[0] for row in self._watch.rows(query, h=hour)]

    def everything(self) -> list[Any]:
        """All that conversions write, to be held against itself later."""
        return self._watch.rows(EVERYTHING)

    def assert_exact(self, hour: datetime) -> None:
        """The hour is done, everybody's tokens of it were converted once, and every sum is right."""
        won = self._won[hour]
        run, rate = self.run(hour), self.rate(hour)
        assert run.state == "done"
        assert rate is not None
        whole = expected(won, rate)
        found = (run.users, run.tokens, run.usd, run.fees, Fraction(run.residue))
        assert found == (whole.users, whole.tokens, whole.usd, whole.fees, whole.residue)
        assert whole.tokens * rate == int(run.usd) + Fraction(run.residue)
        lines = self._watch.rows(CONVERTED, last=hour + HOUR - timedelta(microseconds=1))
        assert [(row.owner_id, row.line, row.amount) for row in lines] == [
            (owner, line, Decimal(amount))
            for owner, tokens in sorted(won.items())
            for one in [expected({owner: tokens}, rate)]
            for line, amount in ((1, tokens), (2, one.usd), (3, one.fees))
        ]
