"""Books with a past whose hours are closed and added up: what finance's benches look at."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from bench import history, people, stage
from bench.figures import say
from portal import ledger
from portal.services import hours

POSTINGS = 2
"""Of a win."""
IN_ORDER = 1
"""A writer: of two one falls behind, and an hour's postings lie among those of others."""


@dataclass(frozen=True, slots=True)
class Closed:
    """From when to when the books go, and how long adding them up took."""

    start: datetime
    end: datetime
    postings: int
    seconds: float


def write(books: stage.Books, users: int, postings: int, closed_hours: int) -> Closed:
    """Wins spread evenly over that many hours, the last of which ended before this one; all closed."""
    say(f"making books of {postings:,} postings in {closed_hours:,} hours")
    people.settle(books, users)
    with books.runtime.engine.connect() as connection:
        end = ledger.now(connection).replace(minute=0, second=0, microsecond=0) - ledger.HOUR
    start = end - closed_hours * ledger.HOUR
    history.write(books, users, postings // POSTINGS, start, end - timedelta(seconds=1), IN_ORDER)
    say("closing the hours")
    began = time.monotonic()
    with books.app.app_context():
        hours.close_due()
    return Closed(start, end, postings, time.monotonic() - began)
