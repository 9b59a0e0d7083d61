"""Reads of one user's days: the wins of a day, the USD by day.

Amounts are base units. Every list is read newest first from `before` (exclusive) on, at most
`limit` rows, by an index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from portal.ledger.errors import NotFound


@dataclass(frozen=True, slots=True)
class Win:
    """A win as booked; `converted` says whether a later conversion took it along."""

    seq: int
    amount: int
    occurred_at: datetime
    booked_at: datetime
    day: date
    game: str | None
    reference: str | None
    converted: bool


@dataclass(frozen=True, slots=True)
class UsdDay:
    """What a local day's conversions took in tokens and gave in USD, both in base units."""

    day: date
    tokens: int
    amount: int
    conversions: int


def local_day(connection: Connection, owner_id: int, at: datetime) -> tuple[date, str]:
    """The user's local date and time zone at an instant. Raises NotFound('unknown_user')."""
    row = connection.execute(
        text("SELECT d.day, ledger.zone_of(:o, :at) AS zone FROM ledger.local_day(:o, :at) d"),
        {"o": owner_id, "at": at},
    ).first()
    if row is None:
        raise NotFound("unknown_user", f"there is no user {owner_id}")
    return row.day, row.zone


# A win may carry a time up to :ahead after it was booked, and any time before: the bound on
# booked_at keeps the read to what was booked since the day began.
WINS_OF_DAY = """
SELECT e.seq, p.amount, e.occurred_at, e.booked_at, e.day, e.game, e.reference,
       e.booked_at <= coalesce(c.upto, '-infinity') AS converted
FROM ledger.postings p
JOIN ledger.entries e ON e.owner_id = p.owner_id AND e.seq = p.seq
JOIN ledger.entry_kinds k ON k.id = e.kind_id AND k.code = 'win'
LEFT JOIN LATERAL (
    SELECT x.occurred_at AS upto
    FROM ledger.postings u JOIN ledger.entries x ON x.owner_id = u.owner_id AND x.seq = u.seq
    WHERE u.owner_id = :owner_id AND u.ledger_id = 2 AND u.ledger_id <> 3
    ORDER BY u.booked_at DESC, u.seq DESC LIMIT 1) c ON true
WHERE p.owner_id = :owner_id AND p.ledger_id = 1 AND p.ledger_id <> 3 AND e.day = :day
  AND p.booked_at >= :since AND (CAST(:seq AS bigint) IS NULL OR p.seq < :seq)
ORDER BY p.booked_at DESC, p.seq DESC LIMIT :limit
"""


def wins_of_day(
    connection: Connection,
    owner_id: int,
    day: date,
    since: datetime,
    before_seq: int | None,
    limit: int,
) -> list[Win]:
    """The wins of a local day, newest first; none of them was booked before `since`."""
    known = {"owner_id": owner_id, "day": day, "since": since, "seq": before_seq, "limit": limit}
    rows = connection.execute(text(WINS_OF_DAY), known)
    return [Win(row.seq, int(row.amount), *row[2:]) for row in rows]


USED = """
SELECT coalesce(sum(b.used), 0) FROM ledger.daily_balances b
JOIN ledger.flows f ON f.limited_id = b.account_id
WHERE b.owner_id = :owner_id AND b.day = :day
"""


def won_on(connection: Connection, owner_id: int, day: date) -> int:
    """What counts against the limit of a local day."""
    known = {"owner_id": owner_id, "day": day}
    return int(connection.execute(text(USED), known).scalar_one())


USD_DAYS = """
SELECT d.day, coalesce(t.debits - t.credits, 0) AS tokens, d.credits - d.debits AS amount, d.entries
FROM ledger.daily_balances d
JOIN ledger.accounts a ON a.id = d.account_id AND a.code = 'USD_EARNED'
LEFT JOIN ledger.accounts x ON x.code = 'TOKENS_EXCHANGED'
LEFT JOIN ledger.daily_balances t ON t.owner_id = d.owner_id AND t.day = d.day AND t.account_id = x.id
WHERE d.owner_id = :owner_id AND d.day >= :first AND d.day <= :last
"""


def usd_days(
    connection: Connection, owner_id: int, first: date, last: date, limit: int
) -> Sequence[UsdDay]:
    """The local days from `first` to `last` on which USD was earned, newest first."""
    known = {"owner_id": owner_id, "first": first, "last": last, "limit": limit}
    rows = connection.execute(text(USD_DAYS + "ORDER BY d.day DESC LIMIT :limit"), known)
    return [UsdDay(row.day, int(row.tokens), int(row.amount), row.entries) for row in rows]


def usd_total(connection: Connection, owner_id: int, first: date, last: date) -> int:
    """The USD earned on all local days from `first` to `last`."""
    known: dict[str, Any] = {"owner_id": owner_id, "first": first, "last": last}
    total = f"SELECT coalesce(sum(amount), 0) FROM ({USD_DAYS}) days"
    return int(connection.execute(text(total), known).scalar_one())
