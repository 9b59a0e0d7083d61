"""Reading conversions: each hour with its state, its rate, its sums and how far it is. Changes nothing."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from portal.runtime import runtime

STATES = {
    "due": "Due",
    "running": "Running",
    "waiting_for_rate": "Waits for its rate",
    "failed": "Failed",
    "done": "Done",
}
"""Every state of a run, with what people read."""


@dataclass(frozen=True, slots=True)
class Run:
    """The conversion of an hour. Amounts are base units; `residue` is exact, with decimals."""

    hour: datetime
    state: str
    rate: Decimal | None
    rate_source: str | None
    rate_time: datetime | None
    """Of when the source says that it is."""
    rate_hash: str | None
    """SHA-256 of what the source answered, in hexadecimal."""
    rate_reason: str | None
    """Why a person set it."""
    users: int
    tokens: int
    usd: int
    fees: int
    residue: Decimal
    started_at: datetime | None
    finished_at: datetime | None
    problem: str | None
    chunks: int
    chunks_finished: int
    booked_from: datetime | None
    booked_to: datetime | None
    """When its first and its last chunk was booked."""

    @property
    def duration(self) -> timedelta | None:
        """From its start to its end."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


@dataclass(frozen=True, slots=True)
class Filters:
    """Which runs; None: any."""

    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A range (after_owner, upto_owner] of owners, converted in one transaction."""

    number: int
    after_owner: int
    upto_owner: int
    users: int
    tokens: int
    usd: int
    fees: int
    residue: Decimal
    finished_at: datetime | None


RUNS = """
SELECT r.hour, r.state, h.rate, h.source AS rate_source, h.source_time AS rate_time,
       encode(h.payload_hash, 'hex') AS rate_hash, h.reason AS rate_reason,
       CASE WHEN r.state = 'done' THEN r.users ELSE c.users END AS users,
       CASE WHEN r.state = 'done' THEN r.tokens ELSE c.tokens END AS tokens,
       CASE WHEN r.state = 'done' THEN r.usd ELSE c.usd END AS usd,
       CASE WHEN r.state = 'done' THEN r.fees ELSE c.fees END AS fees,
       CASE WHEN r.state = 'done' THEN r.residue ELSE c.residue END AS residue,
       r.started_at, r.finished_at, r.problem,
       c.chunks, c.chunks_finished, c.booked_from, c.booked_to
FROM (SELECT * FROM conversion_runs
      WHERE (CAST(:before AS timestamptz) IS NULL OR hour < :before)
        AND (CAST(:since AS timestamptz) IS NULL OR hour >= :since)
        AND (CAST(:until AS timestamptz) IS NULL OR hour < :until)
        AND (CAST(:state AS text) IS NULL OR state = :state)
      ORDER BY hour DESC LIMIT :limit) r
LEFT JOIN ledger.hour_rates h ON h.hour = r.hour
CROSS JOIN LATERAL (
    SELECT count(*) AS chunks, count(finished_at) AS chunks_finished,
           min(finished_at) AS booked_from, max(finished_at) AS booked_to,
           coalesce(sum(users), 0) AS users, coalesce(sum(tokens), 0) AS tokens,
           coalesce(sum(usd), 0) AS usd, coalesce(sum(fees), 0) AS fees,
           coalesce(sum(residue), 0) AS residue
    FROM conversion_chunks WHERE hour = r.hour) c
ORDER BY r.hour DESC
"""
EVERY = Filters()


def page(before: datetime | None, limit: int, filters: Filters = EVERY) -> list[Run]:
    """Runs newest first, from `before` (exclusive) on; a run under way sums what it has so far."""
    known = {"state": filters.state, "since": filters.since, "until": filters.until}
    with runtime().snapshot() as connection:
        rows = connection.execute(text(RUNS), {"before": before, "limit": limit, **known})
        return [Run(**_whole(row)) for row in rows.mappings()]


def of_hour(hour: datetime) -> Run | None:
    """The run of one hour."""
    found = page(None, 1, Filters(since=hour, until=hour + timedelta(microseconds=1)))
    return found[0] if found else None


def due(hour: datetime) -> Run:
    """What an hour looks like that is due and has not been started."""
    nothing = dict.fromkeys(("users", "tokens", "usd", "fees", "chunks", "chunks_finished"), 0)
    unknown: dict[str, Any] = dict.fromkeys(field.name for field in fields(Run))
    return Run(**{**unknown, **nothing, "hour": hour, "state": "due", "residue": Decimal(0)})


CHUNKS = """
SELECT number, after_owner, upto_owner, users, tokens, usd, fees, residue, finished_at
FROM conversion_chunks WHERE hour = :hour AND number > :after ORDER BY number LIMIT :limit
"""


def chunks(hour: datetime, after: int, limit: int) -> list[Chunk]:
    """The chunks of a run in order, from behind the one of that number on."""
    known = {"hour": hour, "after": after, "limit": limit}
    with runtime().snapshot() as connection:
        rows = connection.execute(text(CHUNKS), known).mappings()
        return [Chunk(**_whole(row)) for row in rows]


def _whole(row: Any) -> dict[str, Any]:
    """A row whose amounts are whole numbers, as those of the ledger are."""
    return {**row, **{name: int(row[name]) for name in ("users", "tokens", "usd", "fees")}}
