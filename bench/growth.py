"""growth: what a win costs in books of 5,000,000 entries, by what it costs at 100,000.

Both are measured the same way, on books of their own: wins in batches of 500 as in post-batch, for
the same users, after a past that ended yesterday.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from bench import batches, history, people, stage
from bench.figures import Figure, failed, mean, say
from portal import ledger

WINS_A_DAY = 5


@dataclass(frozen=True, slots=True)
class Size:
    """Users, entries in the small and the big books, and wins measured in each."""

    users: int = 100_000
    small: int = 100_000
    big: int = 5_000_000
    wins: int = 300_000


def run(size: Size) -> Iterator[Figure]:
    """Microseconds a win, in small and in big books."""
    with stage.server() as server:
        small = measure(server, size, size.small)
        big = measure(server, size, size.big)
    checked = {"lost": small.lost + big.lost}
    others, wrong = mean([small.others, big.others]), failed(checked)
    yield Figure("growth-small", small.cost_us, "us a win", others=small.others)
    yield Figure("growth-big", big.cost_us, "us a win", others=big.others)
    yield Figure("growth", big.cost_us, "us a win", small.cost_us, checked, others, wrong)


@dataclass(frozen=True, slots=True)
class Measured:
    """Microseconds a win, acknowledged wins that are not in the books, and who else was busy."""

    cost_us: float
    lost: int
    others: float


def measure(server: stage.Server, size: Size, entries: int) -> Measured:
    """Wins in books of that many entries."""
    with stage.books(server) as books:
        say(f"making books of {entries:,} entries")
        people.settle(books, size.users)
        with books.runtime.engine.connect() as connection:
            end = ledger.now(connection).replace(hour=0, minute=0) - timedelta(days=1)
        days = 1 + entries // (size.users * WINS_A_DAY)
        history.write(books, size.users, entries, end - timedelta(days=days), end)
        done = batches.to_random(books, size.wins, size.users, "measured")
        after = books.ask("SELECT count(*) FROM ledger.entries")
        cost = 1e6 / batches.rate(done)
        say(f"{cost:.1f} us a win at {entries:,} entries")
        return Measured(cost, batches.posted(done) - (after - entries), done.others)
