"""verify: all checks of the books, on books with wins, conversions and closed hours.

The reference reads every posting once and adds the amounts up.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from bench import history, people, stage
from bench.figures import Figure, failed, mean, median, say
from bench.machine import watched
from portal import ledger
from portal.services import conversions, demo, verification

READ = "SELECT count(*), sum(amount) FROM ledger.postings"


@dataclass(frozen=True, slots=True)
class Size:
    """A win has two postings; at the end every user has a conversion, which has three."""

    users: int = 100_000
    entries: int = 500_000
    passes: int = 3


def run(size: Size) -> Iterator[Figure]:
    """Postings checked a second, after postings read a second."""
    with stage.server() as server, stage.books(server) as books:
        prepare(books, size)
        postings = books.ask("SELECT count(*) FROM ledger.postings")
        rates, references, others = [], [], []
        checked: dict[str, int] = {"differences": 0, "unread": 0}
        for n in range(size.passes):
            references.append(postings / read_seconds(books))
            with watched() as share, books.app.app_context():
                report = verification.verify()
            others.append(share.others)
            rates.append(report.postings / report.seconds)
            checked["differences"] += report.found
            checked["unread"] += postings - report.postings
            say(f"pass {n + 1}: {rates[-1]:,.0f} postings/s, reading {references[-1]:,.0f}/s")
    yield Figure("verify-read", median(references), "postings/s")
    wrong = failed(checked)
    checked["postings"] = postings
    yield Figure(
        "verify", median(rates), "postings/s", median(references), checked, mean(others), wrong
    )


def prepare(books: stage.Books, size: Size) -> None:
    """Wins of the hour before last, all converted."""
    say(f"making books of {size.entries:,} wins and converting them")
    people.settle(books, size.users)
    with books.runtime.engine.connect() as connection:
        hour = ledger.now(connection).replace(minute=0, second=0, microsecond=0) - 2 * ledger.HOUR
    history.write(books, size.users, size.entries, hour, hour + timedelta(minutes=50))
    with books.app.app_context():
        conversions.convert_due(demo.convert_now, wait=True)
    with books.owner() as cursor:
        cursor.execute("VACUUM ANALYZE")


def read_seconds(books: stage.Books) -> float:
    """How long a plain read of all postings takes."""
    with books.owner() as cursor:
        began = time.monotonic()
        cursor.execute(READ)
        return time.monotonic() - began
