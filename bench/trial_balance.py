"""trial-balance: the trial balance of any time of the past, in books of 10,000,000 postings and 1,000 closed hours.

Times at random to the microsecond, by the booked clock, each asked for in a snapshot of its own as a page does.
Before it the same in books of 1,000,000: as busy in each hour, so that only the past is shorter.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from bench import closed, stage
from bench.figures import Figure, failed, mean, say
from bench.machine import watched
from portal import ledger


@dataclass(frozen=True, slots=True)
class Size:
    """Postings and closed hours of the books; of the first, smaller ones too. `asked` times are measured."""

    users: int = 10_000
    postings: int = 10_000_000
    hours: int = 1_000
    first_postings: int = 1_000_000
    first_hours: int = 100
    asked: int = 500
    warm_up: int = 20


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds in ascending order, trial balances that were wrong, and who else was busy."""

    times_ms: list[float]
    differ: int
    others: float

    @property
    def p95(self) -> float:
        """What 95 of 100 took at most."""
        return self.times_ms[min(len(self.times_ms) - 1, math.floor(0.95 * len(self.times_ms)))]


def run(size: Size) -> Iterator[Figure]:
    """Milliseconds at the 95th percentile, in the smaller books and in all."""
    with stage.server() as server:
        first = measure(server, size, size.first_postings, size.first_hours)
        last = measure(server, size, size.postings, size.hours)
    checked = {"differ": first.differ + last.differ}
    others = mean([first.others, last.others])
    yield Figure("trial-balance-first", first.p95, "ms, p95", others=first.others)
    yield Figure("trial-balance", last.p95, "ms, p95", first.p95, checked, others, failed(checked))


def measure(server: stage.Server, size: Size, postings: int, hours: int) -> Measured:
    """Trial balances of books of their own."""
    with stage.books(server) as books:
        past = closed.write(books, size.users, postings, hours)
        with books.owner() as cursor:
            cursor.execute("VACUUM ANALYZE")
        rng = Random(postings)
        span = past.end - past.start
        moments = [past.start + rng.random() * span for _ in range(size.warm_up + size.asked)]
        with watched() as share:
            taken = [_timed(books, at) for at in moments][size.warm_up :]
        say(f"p95 {sorted(taken)[len(taken) * 95 // 100]:.2f} ms of {len(taken)}")
        return Measured(sorted(taken), _differ(books, rng.sample(moments, 5)), share.others)


def _timed(books: stage.Books, at: datetime) -> float:
    began = time.perf_counter()
    balance = ledger.trial_balance_at(books.runtime.engine, at)
    taken = (time.perf_counter() - began) * 1000
    assert balance.is_balanced()
    return taken


WON = """
SELECT coalesce(sum(p.amount), 0) FROM ledger.postings p
JOIN ledger.accounts a ON a.id = p.credit_account_id AND a.code = 'TOKENS_EARNED'
WHERE p.booked_at <= %s
"""


def _differ(books: stage.Books, moments: list[datetime]) -> int:
    """How many of these differ from a plain sum of the postings."""
    found = 0
    for at in [*moments, moments[0].replace(minute=0, second=0, microsecond=0), *_edges(moments)]:
        balance = ledger.trial_balance_at(books.runtime.engine, at)
        earned = next(line for line in balance.lines if line.account == "TOKENS_EARNED")
        found += earned.credits != books.ask(WON, at)
    return found


def _edges(moments: list[datetime]) -> list[datetime]:
    return [moments[0] + timedelta(days=400), moments[0] - timedelta(days=400)]
