"""Reading what verifications of the books found. Changes nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from portal.ledger.verify import CHECKS, Difference
from portal.runtime import runtime
from portal.services.verification import IS_RUNNING, KILLED

STATES = {
    "running": "Running",
    "clean": "Clean",
    "differs": "Differs",
    "failed": "Failed",
}
"""Every state of a verification, with what people read."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One that was run: what it read, how many differences it found, and the first of them."""

    id: int
    state: str
    """One of STATES; one whose process was killed has failed."""
    started_at: datetime
    finished_at: datetime | None
    last_closed_hour: datetime | None
    """The last one when it began."""
    postings: int
    entries: int
    owners: int
    found: int
    problem: str | None
    differences: list[Difference]

    @property
    def duration(self) -> timedelta | None:
        """From its start to its end."""
        return self.finished_at - self.started_at if self.finished_at else None


ROWS = """
SELECT v.id, v.started_at, v.finished_at, v.last_closed_hour, v.postings, v.entries, v.owners, v.found,
       CASE WHEN k.is_killed THEN 'failed' ELSE v.state END AS state,
       CASE WHEN k.is_killed THEN :killed ELSE v.problem END AS problem,
       CASE WHEN :in_full THEN v.differences ELSE '[]' END AS differences
FROM (SELECT * FROM verifications
      WHERE (CAST(:before AS bigint) IS NULL OR id < :before)
        AND (CAST(:id AS bigint) IS NULL OR id = :id)
      ORDER BY id DESC LIMIT :limit) v
CROSS JOIN LATERAL (SELECT v.state = 'running' AND NOT {is_running} AS is_killed) k
ORDER BY v.id DESC
"""
ANY = {"before": None, "id": None, "in_full": False, "limit": 1, "killed": KILLED}
NEWEST = "SELECT ledger.clock() AS now, v.* FROM (SELECT 1) x LEFT JOIN ({rows}) v ON true"


def page(before: int | None, limit: int) -> list[Stored]:
    """Verifications newest first, from the one of that number (exclusive) on, without their differences."""
    return _read(before=before, limit=limit)


def of(number: int) -> Stored | None:
    """One of them, with its differences."""
    found = _read(id=number, in_full=True)
    return found[0] if found else None


def newest() -> tuple[datetime, Stored | None]:
    """The time, by the ledger clock, and the newest verification, in one statement."""
    query = text(NEWEST.format(rows=_rows()))
    with runtime().snapshot() as connection:
        row = dict(connection.execute(query, ANY).mappings().one())
    now: datetime = row.pop("now")
    return now, _stored(row) if row["id"] else None


def meaning(difference: Difference) -> str:
    """What the check holds that found it."""
    return CHECKS.get(difference.check, difference.check)


def _read(**asked: Any) -> list[Stored]:
    with runtime().snapshot() as connection:
        rows = connection.execute(text(_rows()), ANY | asked).mappings()
        return [_stored(dict(row)) for row in rows]


def _rows() -> str:
    return ROWS.format(is_running=IS_RUNNING)


def _stored(row: dict[str, Any]) -> Stored:
    return Stored(**{**row, "differences": [Difference(**each) for each in row["differences"]]})
