"""convert: the hourly conversion, from the job that starts it to its state `done`, by two rq workers.

The reference writes the rows of the same entries set-based, in chunks of the same size.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rq import Worker
from sqlalchemy import text

from bench import bare, batches, people, processes, stage
from bench.figures import Figure, failed, say
from bench.machine import watched
from jobs import conversions as jobs
from jobs.queue import connection as redis_connection
from local.processes import wait_until
from local.redis import Redis
from portal import ledger
from portal.services import conversions, runs

WORKERS = 2
DONE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Size:
    """How many users hold tokens."""

    users: int = 200_000


def run(size: Size) -> Iterator[Figure]:
    """Users a second, after the one of bare inserts."""
    with (
        stage.server() as server,
        Redis(server.var / "redis") as redis,
        stage.books(server, REDIS_URL=redis.url) as books,
    ):
        hour = prepare(books, size.users)
        reference = size.users / bare_seconds(books, size.users)
        with books.owner() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum would have by the end of an hour
        with watched() as share:
            seconds = convert(books, hour)
        say(f"{size.users / seconds:,.0f} users/s, bare inserts {reference:,.0f}/s")
        checked = check(books, hour, size.users)
    yield Figure("convert-bare", reference, "users/s")
    yield Figure(
        "convert",
        size.users / seconds,
        "users/s",
        reference,
        checked,
        share.others,
        failed(checked),
    )


def prepare(books: stage.Books, users: int) -> datetime:
    """Everyone wins once, all within one hour: that hour."""
    say(f"making {users:,} users with tokens")
    people.settle(books, users)
    with books.runtime.engine.begin() as connection:
        now = ledger.now(connection)
        hour = now.replace(minute=0, second=0, microsecond=0) + ledger.HOUR
        ledger.set_clock(connection, hour)
    batches.to_everyone(books, users, "tokens")
    return hour


def bare_seconds(books: stage.Books, users: int) -> float:
    """How long the rows of the conversion take to insert and nothing else."""
    bare.create(books)
    rng, chunk = random.Random(users), books.runtime.settings.chunk_users
    chunks = [
        bare.batch(list(range(first, min(first + chunk, users + 1))), 1, rng)
        for first in range(1, users + 1, chunk)
    ]
    return bare.insert(books, [chunks[n::WORKERS] for n in range(WORKERS)], bare.CONVERSION).seconds


def convert(books: stage.Books, hour: datetime) -> float:
    """Seconds from putting the job into the queue to the run's state `done`."""
    with processes.workers(books, WORKERS):
        _wait_for_workers(books)
        with books.runtime.engine.begin() as connection:
            ledger.set_clock(connection, hour + ledger.HOUR + timedelta(seconds=1))
        began = time.monotonic()
        with books.app.app_context():
            jobs.enqueue_due()
            if not wait_until(lambda: _is_done(books, hour), DONE_SECONDS):
                raise TimeoutError(f"the conversion was not done after {DONE_SECONDS} s")
        return time.monotonic() - began


def _wait_for_workers(books: stage.Books) -> None:
    """Each looks for what is due at its start: they must have found nothing before there is."""
    redis = redis_connection(books.runtime.settings.redis_url)

    def ready() -> bool:
        known = Worker.all(connection=redis)
        idle = all(each.get_state() == "idle" for each in known)
        done = sum(each.successful_job_count for each in known)
        return len(known) == WORKERS and idle and done >= WORKERS

    if not wait_until(ready, processes.START_SECONDS, pause=0.1):
        raise TimeoutError("the rq workers did not start")


def _is_done(books: stage.Books, hour: datetime) -> bool:
    with books.runtime.engine.connect() as connection:
        return conversions.state_of(connection, hour) == "done"


POSTED = """
SELECT count(*) FILTER (WHERE p.line = 1) AS users,
       coalesce(sum(p.amount) FILTER (WHERE p.line = 1), 0) AS tokens,
       coalesce(sum(p.amount) FILTER (WHERE p.line = 2), 0) AS usd,
       coalesce(sum(p.amount) FILTER (WHERE p.line = 3), 0) AS fees
FROM ledger.entries e
JOIN ledger.entry_kinds k ON k.id = e.kind_id AND k.code = 'conversion'
JOIN ledger.postings p ON p.owner_id = e.owner_id AND p.seq = e.seq
"""


def check(books: stage.Books, hour: datetime, users: int) -> dict[str, int | bool]:
    """All are converted, once, and the run says what its postings say."""
    with books.app.app_context(), books.runtime.engine.connect() as connection:
        run = runs.of_hour(hour)
        assert run is not None
        posted = connection.execute(text(POSTED)).one()
        holders = sum(1 for _ in ledger.holders(connection))
        again = ledger.convert(connection, hour, 0, users)
        connection.commit()
        after = connection.execute(text(POSTED)).one()
    return {
        "not_converted": users - run.users,
        "with_tokens": holders,
        "run_is_its_postings": tuple(posted) == (run.users, run.tokens, run.usd, run.fees),
        "added_by_second_run": again.users + after.users - posted.users,
    }
