"""The rates that hours were converted at, by hour and by day. Changes nothing."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import text

from portal.runtime import runtime


@dataclass(frozen=True, slots=True)
class HourRate:
    """The one rate of an hour, with where it came from; `payload_hash` in hexadecimal."""

    hour: datetime
    rate: Decimal
    source: str
    source_time: datetime | None
    payload_hash: str | None
    reason: str | None
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class DayRates:
    """The rates of a UTC day: how many hours have one, which came last, and how far they lie apart."""

    day: date
    hours: int
    last: Decimal
    lowest: Decimal
    highest: Decimal


HOURS = """
SELECT hour, rate, source, source_time, encode(payload_hash, 'hex') AS payload_hash, reason, stored_at
FROM ledger.hour_rates
WHERE (CAST(:since AS timestamptz) IS NULL OR hour >= :since)
  AND (CAST(:before AS timestamptz) IS NULL OR hour < :before)
ORDER BY hour DESC LIMIT :limit
"""
DAYS = """
SELECT (hour AT TIME ZONE 'UTC')::date AS day, count(*) AS hours,
       (array_agg(rate ORDER BY hour DESC))[1] AS last, min(rate) AS lowest, max(rate) AS highest
FROM ledger.hour_rates WHERE hour >= :since GROUP BY 1 ORDER BY 1 DESC
"""


def hours(since: datetime | None, before: datetime | None, limit: int) -> list[HourRate]:
    """Rates by hour, newest first, from `since` on and before `before` (exclusive)."""
    known = {"since": since, "before": before, "limit": limit}
    with runtime().snapshot() as connection:
        rows = connection.execute(text(HOURS), known).mappings()
        return [HourRate(**row) for row in rows]


def days(since: datetime) -> list[DayRates]:
    """Rates by UTC day, newest first, of every day from `since` on that has any."""
    with runtime().snapshot() as connection:
        rows = connection.execute(text(DAYS), {"since": since}).mappings()
        return [DayRates(**row) for row in rows]
