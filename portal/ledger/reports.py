"""Reads of one user's books: balances at any time, statements, days.

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
class AssetInfo:
    """An asset with the ledger that users' accounts of it are in."""

    code: str
    name: str
    scale: int
    kind: str
    ledger_id: int


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
class StatementLine:
    """What an entry did to a wallet: `amount` is signed, `balance_after` is the wallet's."""

    seq: int
    kind: str
    amount: int
    balance_after: int
    occurred_at: datetime
    booked_at: datetime
    reference: str | None


@dataclass(frozen=True, slots=True)
class UsdDay:
    """What a local day's conversions took in tokens and gave in USD, both in base units."""

    day: date
    tokens: int
    amount: int
    conversions: int


ASSETS = """
SELECT a.code, a.name, a.scale, a.kind, l.id AS ledger_id
FROM ledger.assets a JOIN ledger.ledgers l ON l.code = a.code ORDER BY l.id
"""


def assets(connection: Connection) -> dict[str, AssetInfo]:
    """Every asset by code, tokens and currencies first."""
    return {row.code: AssetInfo(*row) for row in connection.execute(text(ASSETS))}


def local_day(connection: Connection, owner_id: int, at: datetime) -> tuple[date, str]:
    """The user's local date and time zone at an instant. Raises NotFound('unknown_user')."""
    row = connection.execute(
        text("SELECT d.day, ledger.zone_of(:o, :at) AS zone FROM ledger.local_day(:o, :at) d"),
        {"o": owner_id, "at": at},
    ).first()
    if row is None:
        raise NotFound("unknown_user", f"there is no user {owner_id}")
    return row.day, row.zone


# A wallet is the user's accounts of a ledger that may not fall below zero.
WALLET_ACCOUNTS = """
SELECT id FROM ledger.accounts WHERE ledger_id = :ledger_id AND scope = 'user' AND never_negative
"""

BALANCE = f"""
SELECT coalesce(sum(debits - credits), 0) FROM ledger.account_balances
WHERE owner_id = :owner_id AND account_id IN ({WALLET_ACCOUNTS})
"""

BALANCE_AT = f"""
SELECT coalesce(sum(last.balance), 0)
FROM ({WALLET_ACCOUNTS}) w
CROSS JOIN LATERAL (
    SELECT CASE WHEN p.debit_account_id = w.id THEN p.debit_balance ELSE p.credit_balance END AS balance
    FROM ledger.postings p
    WHERE p.owner_id = :owner_id AND p.ledger_id = :ledger_id AND p.ledger_id <> 3 AND p.booked_at <= :at
      AND (p.debit_account_id = w.id OR p.credit_account_id = w.id)
    ORDER BY p.booked_at DESC, p.seq DESC, p.line DESC LIMIT 1) last
"""


def balance(
    connection: Connection, owner_id: int, asset: AssetInfo, at: datetime | None = None
) -> int:
    """The wallet's balance now, or as of a `booked_at` time."""
    known = {"owner_id": owner_id, "ledger_id": asset.ledger_id}
    if at is None:
        return int(connection.execute(text(BALANCE), known).scalar_one())
    return int(connection.execute(text(BALANCE_AT), known | {"at": at}).scalar_one())


BALANCES = """
SELECT l.code, sum(b.debits - b.credits) AS balance
FROM ledger.account_balances b
JOIN ledger.accounts a ON a.id = b.account_id AND a.scope = 'user' AND a.never_negative
JOIN ledger.ledgers l ON l.id = a.ledger_id
WHERE b.owner_id = :owner_id GROUP BY l.code
"""


def balances(connection: Connection, owner_id: int) -> dict[str, int]:
    """The balance of each wallet that was ever used, by asset code."""
    rows = connection.execute(text(BALANCES), {"owner_id": owner_id})
    return {row.code: int(row.balance) for row in rows}


STATEMENT = f"""
SELECT p.seq, k.code AS kind,
       CASE WHEN p.debit_account_id IN ({WALLET_ACCOUNTS}) THEN p.amount ELSE -p.amount END AS amount,
       CASE WHEN p.debit_account_id IN ({WALLET_ACCOUNTS}) THEN p.debit_balance
            ELSE p.credit_balance END AS balance_after,
       e.occurred_at, e.booked_at, e.reference
FROM ledger.postings p
JOIN ledger.entries e ON e.owner_id = p.owner_id AND e.seq = p.seq
JOIN ledger.entry_kinds k ON k.id = e.kind_id
WHERE p.owner_id = :owner_id AND p.ledger_id = :ledger_id AND p.ledger_id <> 3
  AND (CAST(:booked_at AS timestamptz) IS NULL OR (p.booked_at, p.seq) < (:booked_at, :seq))
ORDER BY p.booked_at DESC, p.seq DESC LIMIT :limit
"""


def statement(
    connection: Connection,
    owner_id: int,
    asset: AssetInfo,
    before: tuple[datetime, int] | None,
    limit: int,
) -> list[StatementLine]:
    """What happened to a wallet, newest first. `before` is a line's (booked_at, seq)."""
    booked_at, seq = before or (None, None)
    rows = connection.execute(
        text(STATEMENT),
        {
            "owner_id": owner_id,
            "ledger_id": asset.ledger_id,
            "booked_at": booked_at,
            "seq": seq,
            "limit": limit,
        },
    )
    return [StatementLine(r.seq, r.kind, int(r.amount), int(r.balance_after), *r[4:]) for r in rows]


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
