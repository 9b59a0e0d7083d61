"""Conversion of closed hours: the rate of an hour and the entries of a range of owners.

The amounts are computed and posted in the database (sql/50_convert.sql).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, text

from portal.ledger.clock import HOUR


@dataclass(frozen=True, slots=True)
class Converted:
    """Sums of the postings that a call made. `residue` is in USD base units, with decimals."""

    users: int
    tokens: int
    usd: int
    fees: int
    residue: Decimal


@dataclass(frozen=True, slots=True)
class Rate:
    """USD for a token, in one hour. `payload_hash` is the SHA-256 of what the source answered."""

    value: Decimal
    source: str
    source_time: datetime | None = None
    payload_hash: bytes | None = None
    reason: str | None = None


def rate_of(connection: Connection, hour: datetime) -> Rate | None:
    """The stored rate of an hour."""
    row = connection.execute(
        text(
            "SELECT rate, source, source_time, payload_hash, reason FROM ledger.hour_rates"
            " WHERE hour = :hour"
        ),
        {"hour": hour},
    ).first()
    return None if row is None else Rate(*row)


def latest_rate(connection: Connection, before: datetime) -> Rate | None:
    """The rate of the last hour before `before` that has one."""
    row = connection.execute(
        text(
            "SELECT rate, source, source_time, payload_hash, reason FROM ledger.hour_rates"
            " WHERE hour < :before ORDER BY hour DESC LIMIT 1"
        ),
        {"before": before},
    ).first()
    return None if row is None else Rate(*row)


def store_rate(connection: Connection, hour: datetime, rate: Rate) -> bool:
    """Store the one rate of a closed hour; False, and nothing changed, where it has one."""
    stored = connection.execute(
        text("SELECT ledger.store_rate(:hour, :rate, :source, :source_time, :hash, :reason)"),
        {
            "hour": hour,
            "rate": rate.value,
            "source": rate.source,
            "source_time": rate.source_time,
            "hash": rate.payload_hash,
            "reason": rate.reason,
        },
    ).scalar_one()
    return bool(stored)


HOLDERS = """
SELECT b.owner_id FROM ledger.account_balances b
JOIN ledger.accounts a ON a.id = b.account_id AND a.code = 'TOKENS_INVENTORY'
WHERE b.debits > b.credits ORDER BY b.owner_id
"""


def holders(connection: Connection) -> Iterator[int]:
    """Every owner that holds tokens now, in ascending order."""
    yield from connection.execution_options(stream_results=True).scalars(text(HOLDERS))


HELD = """
SELECT EXISTS (
    SELECT FROM ledger.account_balances b
    JOIN ledger.accounts a ON a.id = b.account_id AND a.code = 'TOKENS_INVENTORY'
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(p.amount), 0) AS amount FROM ledger.postings p
        WHERE p.owner_id = b.owner_id AND p.ledger_id = a.ledger_id AND p.ledger_id <> 3
          AND p.booked_at >= :end AND p.debit_account_id = a.id
          AND NOT EXISTS (SELECT FROM ledger.entries x
                          WHERE x.owner_id = p.owner_id AND x.reverses_seq = p.seq)) since
    WHERE b.debits - b.credits > since.amount)
"""


def anything_held(connection: Connection, hour: datetime) -> bool:
    """Whether anybody still holds tokens of a closed hour or before; else it needs no rate."""
    return bool(connection.execute(text(HELD), {"end": hour + HOUR}).scalar_one())


def convert(connection: Connection, hour: datetime, after: int, upto: int) -> Converted:
    """Convert for the owners in (after, upto] what they held at the end of a closed hour.

    The caller commits. Run again it posts nothing. The hour must have a rate.
    """
    row = connection.execute(
        text("SELECT * FROM ledger.convert(:hour, :after, :upto)"),
        {"hour": hour, "after": after, "upto": upto},
    ).one()
    return Converted(row.users, int(row.tokens), int(row.usd), int(row.fees), Decimal(row.residue))
