"""Reads of one user's local days: the day so far, its wins in the order booked, its conversions.

Amounts are base units.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import Connection, text

from portal.ledger import chart
from portal.ledger.clock import HOUR
from portal.ledger.errors import NotFound
from portal.ledger.idempotency import SYSTEM, key_hash

HOURS_ABOUT = range(-28, 28)
"""From noon in UTC, the hours that may end on a date somewhere: zones lie 14 hours east to 12 west, and
clock changes come on top.
"""


@dataclass(frozen=True, slots=True)
class Today:
    """A user's local day so far. Amounts are base units of DREAM."""

    as_of: datetime
    day: date
    time_zone: str
    won: int
    limit: int = chart.DAY_LIMIT

    @property
    def remaining(self) -> int:
        """What may still be won on that day."""
        return self.limit - self.won

    @property
    def next_conversion(self) -> datetime:
        """When the running hour ends."""
        return self.as_of.replace(minute=0, second=0, microsecond=0) + HOUR


# The clock is asked once.
TODAY = """
SELECT now.at, d.day, ledger.zone_of(:owner_id, now.at) AS zone,
       (SELECT coalesce(sum(b.used), 0) FROM ledger.daily_balances b
        JOIN ledger.flows f ON f.limited_id = b.account_id
        WHERE b.owner_id = :owner_id AND b.day = d.day) AS won
FROM (SELECT ledger.clock() AS at OFFSET 0) now
CROSS JOIN LATERAL ledger.local_day(:owner_id, now.at) d
"""


def today(connection: Connection, owner_id: int) -> Today:
    """The user's day by the ledger clock. Raises NotFound('unknown_user')."""
    row = connection.execute(text(TODAY), {"owner_id": owner_id}).one_or_none()
    if row is None:
        raise NotFound("unknown_user", f"there is no user {owner_id}")
    return Today(row.at, row.day, row.zone, int(row.won))


@dataclass(frozen=True, slots=True)
class DayWin:
    """A win of a day. `total` is what the day's wins made with it, reversed ones not counted.

    `converted` says whether a later conversion took it along; `reversed_seq` names the entry that
    took it back.
    """

    seq: int
    amount: int
    total: int
    occurred_at: datetime
    booked_at: datetime
    game: str | None
    reference: str | None
    reversed_seq: int | None
    converted: bool


@dataclass(frozen=True, slots=True)
class DayGame:
    """What was won in a game on a day, reversed wins not counted."""

    game: str
    wins: int
    amount: int


# A win is booked after it occurred, or up to :ahead before: so none of the day was booked before the
# day began, in whichever zone of the user's, less an hour that an autumn may have twice.
WON = """
WITH won AS MATERIALIZED (
    SELECT p.seq, p.amount, e.occurred_at, e.booked_at, e.game, e.reference, r.seq AS reversed_seq,
           sum(CASE WHEN r.seq IS NULL THEN p.amount ELSE 0 END)
               OVER (ORDER BY p.seq ROWS UNBOUNDED PRECEDING) AS total
    FROM ledger.postings p
    CROSS JOIN LATERAL (SELECT * FROM ledger.entries e
                        WHERE e.owner_id = p.owner_id AND e.seq = p.seq OFFSET 0) e
    JOIN ledger.entry_kinds k ON k.id = e.kind_id AND k.code = 'win'
    LEFT JOIN LATERAL (SELECT x.seq FROM ledger.entries x
                       WHERE x.owner_id = p.owner_id AND x.reverses_seq = p.seq OFFSET 0) r ON true
    WHERE p.owner_id = :owner_id AND p.ledger_id = 1 AND p.ledger_id <> 3 AND p.day = :day
      AND p.booked_at >= (SELECT min(CAST(:day AS timestamp) AT TIME ZONE z.zone) FROM ledger.owner_zones z
                          WHERE z.owner_id = :owner_id) - interval '2 hours' - CAST(:ahead AS interval))
"""
WINS = f"""
{WON}
SELECT w.seq, w.amount, w.total, w.occurred_at, w.booked_at, w.game, w.reference, w.reversed_seq,
       w.booked_at <= coalesce(c.upto, '-infinity') AS converted
FROM won w
LEFT JOIN LATERAL (
    SELECT x.occurred_at AS upto
    FROM ledger.postings u
    JOIN ledger.entries x ON x.owner_id = u.owner_id AND x.seq = u.seq
    JOIN ledger.entry_kinds k ON k.id = x.kind_id AND k.code = 'conversion'
    WHERE u.owner_id = :owner_id AND u.ledger_id = 2 AND u.ledger_id <> 3
    ORDER BY u.booked_at DESC, u.seq DESC LIMIT 1) c ON true
WHERE (CAST(:game AS text) IS NULL OR w.game = :game) AND (CAST(:seq AS bigint) IS NULL OR w.seq < :seq)
ORDER BY w.seq DESC LIMIT :limit
"""
GAMES = f"""
{WON}
SELECT w.game, count(*) AS wins, sum(w.amount) AS amount FROM won w
WHERE w.game IS NOT NULL AND w.reversed_seq IS NULL GROUP BY w.game ORDER BY w.game LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class DayOf:
    """A local day of a user's. Nothing of it was booked more than `ahead` before it occurred."""

    owner_id: int
    day: date
    ahead: timedelta


def day_wins(
    connection: Connection, asked: DayOf, game: str | None, before_seq: int | None, limit: int
) -> list[DayWin]:
    """The wins of a local day, of one game or of all, newest first, with the running total of all."""
    known = {
        "owner_id": asked.owner_id,
        "day": asked.day,
        "ahead": asked.ahead,
        "game": game,
        "seq": before_seq,
        "limit": limit,
    }
    rows = connection.execute(text(WINS), known)
    return [DayWin(row.seq, int(row.amount), int(row.total), *row[3:]) for row in rows]


def day_games(connection: Connection, asked: DayOf, limit: int) -> list[DayGame]:
    """The games that were won in on a local day, by name."""
    known = {
        "owner_id": asked.owner_id,
        "day": asked.day,
        "ahead": asked.ahead,
        "limit": limit,
    }
    rows = connection.execute(text(GAMES), known)
    return [DayGame(row.game, row.wins, int(row.amount)) for row in rows]


@dataclass(frozen=True, slots=True)
class DayHour:
    """A conversion: the hour, its rate in USD for a token, what it took and gave."""

    hour: datetime
    rate: Decimal
    tokens: int
    usd: int
    seq: int
    booked_at: datetime


# Each hour is looked up by its key, whenever it was booked; its own last microsecond says which
# day it is of.
HOURS = """
SELECT h.hour, r.rate, p.tokens, p.usd, e.seq, e.booked_at
FROM unnest(CAST(:hours AS timestamptz[]), CAST(:keys AS uuid[])) h (hour, key_hash)
CROSS JOIN LATERAL (SELECT e.seq, e.booked_at FROM ledger.entries e
                    WHERE e.owner_id = :owner_id AND e.key_hash = h.key_hash AND e.day = :day OFFSET 0) e
CROSS JOIN LATERAL (SELECT sum(p.amount) FILTER (WHERE p.ledger_id = 1) AS tokens,
                           sum(p.amount) FILTER (WHERE p.ledger_id = 2) AS usd
                    FROM ledger.postings p WHERE p.owner_id = :owner_id AND p.seq = e.seq OFFSET 0) p
JOIN ledger.hour_rates r ON r.hour = h.hour
ORDER BY h.hour DESC
"""


def day_hours(connection: Connection, owner_id: int, day: date) -> list[DayHour]:
    """The conversions of a local day, newest hour first."""
    hours = list(_hours_about(day))
    keys = [key_hash(SYSTEM, f"conversion:{hour:%Y-%m-%dT%H:%M:%SZ}") for hour in hours]
    known = {"owner_id": owner_id, "day": day, "hours": hours, "keys": keys}
    return [
        DayHour(row.hour, row.rate, int(row.tokens), int(row.usd), row.seq, row.booked_at)
        for row in connection.execute(text(HOURS), known)
    ]


def _hours_about(day: date) -> list[datetime]:
    """Every UTC hour that may end on a date somewhere."""
    noon = datetime.combine(day, time(12), UTC)
    return [noon + n * HOUR for n in HOURS_ABOUT]
