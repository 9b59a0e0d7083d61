"""Which part of the books is looked at: a stretch of one of their two clocks."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from sqlalchemy import Connection, text

Clock = Literal["booked", "accounting"]
"""`booked`: what the books knew then, which never changes afterwards. `accounting`: what belongs to those
dates, whenever it was booked, which is final once their periods are closed."""
Side = Literal["users", "dreamland"]
"""The books are kept from the users' side; Dreamland's is the mirror image."""

INSTANT = timedelta(microseconds=1)
"""What the database tells two times apart by."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` (None: the beginning) until just before `end`. By accounting date both are midnights, UTC."""

    clock: Clock
    start: datetime | None
    end: datetime

    @classmethod
    def booked(cls, start: datetime | None, at: datetime) -> "Span":
        """What was booked from `start` on, up to `at` and with it."""
        return cls("booked", start, at + INSTANT)

    @classmethod
    def accounting(cls, first: date | None, last: date) -> "Span":
        """What has an accounting date from `first` to `last`."""
        return cls("accounting", midnight(first) if first else None, midnight(last) + DAY)

    @property
    def at(self) -> datetime:
        """The last instant that is in it."""
        return self.end - INSTANT

    @property
    def first_date(self) -> date | None:
        """The UTC date of its start."""
        return self.start and self.start.astimezone(UTC).date()

    @property
    def last_date(self) -> date:
        """The UTC date of its last instant."""
        return self.at.astimezone(UTC).date()

    def within(self, start: datetime, end: datetime) -> "Span":
        """The part of it from `start` until just before `end`, which may be empty."""
        first = max(start, self.start) if self.start else start
        return Span(self.clock, first, max(min(end, self.end), first))


def midnight(day: date) -> datetime:
    """When a UTC day begins."""
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where the books begin and end: `now` by the ledger clock; the first booking and accounting date, None in empty ones."""

    now: datetime
    first: datetime | None
    first_date: date | None


BOUNDS = """
SELECT ledger.clock() AS now, b.first,
       least((b.first AT TIME ZONE 'UTC')::date, (SELECT min(accounting_date) FROM ledger.late('-infinity', 'infinity'))) AS first_date
FROM (SELECT min(booked_at) AS first FROM ledger.entries) b
"""


def bounds(connection: Connection) -> Bounds:
    """The bounds of both clocks, in one statement."""
    row = connection.execute(text(BOUNDS)).one()
    return Bounds(row.now, row.first, row.first_date)
