"""Verification of all books, with the totals that conversion runs and their chunks claim."""

from collections.abc import Callable

from portal.ledger.verify import Report, RunTotals
from portal.ledger.verify import verify as verify_books
from portal.runtime import runtime

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


def verify(progress: Callable[[int], None] | None = None) -> Report:
    """Read one instant of the books and report every difference in it.

    `progress` is told the number of postings read so far.
    """
    return verify_books(runtime().engine, (RUNS, CHUNKS), progress)
