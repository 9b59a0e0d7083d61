"""Verification of all books, with the totals that conversion runs and their chunks claim.

One at a time. What it found is stored; `verifications` beside this file reads it.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import exists, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from portal import ledger
from portal.ledger.spans import midnight
from portal.ledger.verify import Report, RunTotals
from portal.ledger.verify import verify as verify_books
from portal.runtime import runtime
from portal.services import audit, locks
from portal.services.models import Verification

log = logging.getLogger(__name__)

RUNS = RunTotals(
    "run",
    "SELECT hour, users, tokens, usd, fees, residue FROM conversion_runs WHERE state = 'done'",
)
CHUNKS = RunTotals(
    "chunks",
    """
    SELECT r.hour,
           -- A run that is done has no open chunk: with one, it claims what no posting can be.
           CASE WHEN r.state = 'done' AND bool_or(c.hour IS NOT NULL AND c.finished_at IS NULL) THEN NULL
                ELSE coalesce(sum(c.users), 0) END AS users,
           coalesce(sum(c.tokens), 0) AS tokens, coalesce(sum(c.usd), 0) AS usd,
           coalesce(sum(c.fees), 0) AS fees, coalesce(sum(c.residue), 0) AS residue
    FROM conversion_runs r LEFT JOIN conversion_chunks c ON c.hour = r.hour
    GROUP BY r.hour, r.state
    """,
)


KILLED = "its process was killed"
ASKING = 1
"""The number of who asks: of several who do at once, the second finds what the first has asked for."""


def verify(progress: Callable[[int], None] | None = None) -> Report:
    """Read one instant of the books, report every difference in it, and store what was found.

    Waits where the books are being verified. `progress` is told the number of postings read so far.
    """
    with locks.alone(locks.VERIFICATION, 0, wait=True):
        return _stored(progress)


def verify_unless_running() -> int | None:
    """The same; how many differences there are. None, and nothing done, where the books are being verified."""
    with locks.alone(locks.VERIFICATION, 0, wait=False) as is_alone:
        if not is_alone:
            return None
        report = _stored(None)
    if not report.is_clean():
        log.error("the books differ: %s", report.summary())
    return report.found


def verify_due() -> int | None:
    """The same; None as well where a verification that was begun today, by UTC, has come to its end."""
    with runtime().engine.connect() as connection:
        is_done = connection.scalar(select(_ended_today(ledger.now(connection))))
    return None if is_done else verify_unless_running()


def request(start: Callable[[], bool]) -> bool:
    """Have the books verified by `start`; False where that is under way or waits already.

    Where `start` fails, nobody asked.
    """
    with runtime().engine.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({locks.VERIFICATION}, {ASKING})"))
        if connection.scalar(text(f"SELECT {IS_RUNNING}")):
            return False
        audit.record(connection, "verification.asked", "books")
        if not start():
            return False
        connection.commit()
        return True


IS_RUNNING = f"""EXISTS (
    SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
    WHERE l.locktype = 'advisory' AND l.classid = {locks.VERIFICATION} AND l.objid = 0
      AND l.objsubid = 2 AND l.granted)"""
"""Whether somebody verifies the books at this moment: the lock ends with the process, whatever becomes of it."""


def _ended_today(now: datetime) -> Any:
    today = midnight(now.astimezone(UTC).date())
    ended = Verification.state.in_(("clean", "differs"))
    return exists().where(ended, Verification.started_at >= today)


def _stored(progress: Callable[[int], None] | None) -> Report:
    number = _begin()
    try:
        report = verify_books(runtime().engine, (RUNS, CHUNKS), progress)
    except BaseException as error:
        with suppress(
            DBAPIError
        ):  # what it failed of may be the database: then it counts as killed
            _end(number, {"state": "failed", "problem": type(error).__name__})
        raise
    counted = ("postings", "entries", "owners", "found")
    _end(
        number,
        {
            "state": "clean" if report.is_clean() else "differs",
            "differences": [asdict(each) for each in report.differences],
            **{name: getattr(report, name) for name in counted},
        },
    )
    return report


def _begin() -> int:
    """Have a row for it; one that is still said to be running was killed, as nobody else runs."""
    with runtime().engine.begin() as connection:
        left = update(Verification).where(Verification.state == "running")
        connection.execute(left.values(state="failed", problem=KILLED))
        begun = {
            "state": "running",
            "started_at": ledger.now(connection),
            "last_closed_hour": ledger.last_closed_hour(connection),
        }
        made = insert(Verification).values(begun).returning(Verification.id)
        return connection.execute(made).scalar_one()


def _end(number: int, found: dict[str, Any]) -> None:
    with runtime().engine.begin() as connection:
        row = update(Verification).where(Verification.id == number)
        connection.execute(row.values(finished_at=ledger.now(connection), **found))
