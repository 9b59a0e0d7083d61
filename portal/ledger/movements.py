"""Reads of what moved in one user's wallets from one local day to another, from the sums by day.

Amounts are base units. `opening + came_in - went_out = closing` and `closing + since = balance`, exactly.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

MONTHS = 1_200
"""At most listed: a century."""


@dataclass(frozen=True, slots=True)
class Movement:
    """A wallet over some days: what it had before them, what came and went, what it had after, and has.

    Credits set aside by a hold stay in the wallet; `held` of the closing balance was.
    """

    asset: str
    name: str
    kind: str
    scale: int
    opening: int
    came_in: int
    went_out: int
    held: int
    since: int
    balance: int

    @property
    def closing(self) -> int:
        """What it had after the last day."""
        return self.opening + self.came_in - self.went_out


@dataclass(frozen=True, slots=True)
class DaySums:
    """A local day's tokens won (less what was taken back on it), tokens converted, and USD that came."""

    day: date
    won: int
    converted: int
    usd: int


@dataclass(frozen=True, slots=True)
class MonthSums:
    """The same of a month, named by its first day."""

    month: date
    won: int
    converted: int
    usd: int


# What goes from a wallet's one account to its other neither comes nor goes. It is added up from the
# postings, and only where a hold was opened or ended in those days. A credit's day is that of
# booked_at: the bounds on it are those of the days, in any zone.
MOVEMENTS = """
SELECT a.code, a.name, a.kind, a.scale, s.opening, s.debits - n.amount AS came_in,
       s.credits - n.amount AS went_out, s.held, s.since,
       (SELECT sum(b.debits - b.credits) FROM ledger.account_balances b
        JOIN ledger.accounts c ON c.id = b.account_id AND c.never_negative
        WHERE b.owner_id = :owner_id AND c.ledger_id = s.ledger_id) AS balance
FROM (SELECT c.ledger_id,
             coalesce(sum(d.debits - d.credits) FILTER (WHERE d.day < :first), 0) AS opening,
             coalesce(sum(d.debits) FILTER (WHERE d.day BETWEEN :first AND :last), 0) AS debits,
             coalesce(sum(d.credits) FILTER (WHERE d.day BETWEEN :first AND :last), 0) AS credits,
             coalesce(sum(d.debits - d.credits) FILTER (WHERE d.day > :last), 0) AS since,
             coalesce(sum(d.debits - d.credits) FILTER (WHERE c.code = 'HELD' AND d.day <= :last), 0) AS held,
             coalesce(bool_or(c.code = 'HELD' AND d.day BETWEEN :first AND :last), false) AS holds
      FROM ledger.accounts c
      JOIN ledger.daily_balances d ON d.account_id = c.id
      WHERE d.owner_id = :owner_id AND c.never_negative
      GROUP BY c.ledger_id) s
JOIN ledger.ledgers l ON l.id = s.ledger_id
JOIN ledger.assets a ON a.code = l.asset
CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.amount), 0) AS amount
    FROM ledger.postings p
    JOIN ledger.accounts d ON d.id = p.debit_account_id AND d.never_negative
    JOIN ledger.accounts c ON c.id = p.credit_account_id AND c.never_negative
    WHERE s.holds AND p.owner_id = :owner_id AND p.ledger_id = s.ledger_id AND p.ledger_id <> 3
      AND p.day BETWEEN :first AND :last
      AND p.booked_at >= CAST(:first AS timestamp) AT TIME ZONE 'UTC' - interval '2 days'
      AND p.booked_at < CAST(:last AS timestamp) AT TIME ZONE 'UTC' + interval '3 days' OFFSET 0) n
WHERE CAST(:asset AS text) IS NULL OR a.code = :asset
ORDER BY l.id
"""

SUMS = """
coalesce(sum(d.credits - d.debits) FILTER (WHERE c.code = 'TOKENS_EARNED'), 0) AS won,
coalesce(sum(d.debits - d.credits) FILTER (WHERE c.code = 'TOKENS_EXCHANGED'), 0) AS converted,
coalesce(sum(d.debits - d.credits) FILTER (WHERE c.code = 'USD_INVENTORY'), 0) AS usd
FROM ledger.accounts c
JOIN ledger.daily_balances d ON d.account_id = c.id
WHERE d.owner_id = :owner_id
"""
OF_GAMES = "AND c.code IN ('TOKENS_EARNED', 'TOKENS_EXCHANGED', 'USD_INVENTORY')"
DAYS = f"""
SELECT d.day, {SUMS} {OF_GAMES} AND d.day BETWEEN :first AND :last
GROUP BY d.day ORDER BY d.day
"""
NEWEST_DAYS = f"""
SELECT d.day, {SUMS} {OF_GAMES} AND (CAST(:before AS date) IS NULL OR d.day < :before)
GROUP BY d.day ORDER BY d.day DESC LIMIT :limit
"""
BY_MONTH = f"""
SELECT date_trunc('month', d.day::timestamp)::date AS month, {SUMS}
GROUP BY 1 ORDER BY 1 DESC LIMIT :limit
"""


def movements(
    connection: Connection, owner_id: int, first: date, last: date, asset: str | None = None
) -> list[Movement]:
    """Every wallet that ever held anything, or that of one asset, over the days `first` to `last`."""
    known = {"owner_id": owner_id, "first": first, "last": last, "asset": asset}
    return [
        Movement(*row[:4], *(int(figure or 0) for figure in row[4:]))
        for row in connection.execute(text(MOVEMENTS), known)
    ]


def day_sums(connection: Connection, owner_id: int, first: date, last: date) -> list[DaySums]:
    """The days from `first` to `last` on which tokens or USD moved, oldest first, as a statement has them."""
    known = {"owner_id": owner_id, "first": first, "last": last}
    return _days(connection.execute(text(DAYS), known))


def newest_days(
    connection: Connection, owner_id: int, before: date | None, limit: int
) -> list[DaySums]:
    """The same, newest first, from the day `before` (exclusive) on."""
    known = {"owner_id": owner_id, "before": before, "limit": limit}
    return _days(connection.execute(text(NEWEST_DAYS), known))


def _days(rows: Iterable[Any]) -> list[DaySums]:
    return [DaySums(row.day, int(row.won), int(row.converted), int(row.usd)) for row in rows]


def month_sums(connection: Connection, owner_id: int) -> list[MonthSums]:
    """The months in which anything moved in any wallet, newest first."""
    rows = connection.execute(text(BY_MONTH), {"owner_id": owner_id, "limit": MONTHS})
    return [MonthSums(row.month, int(row.won), int(row.converted), int(row.usd)) for row in rows]
