"""Reads of one user's wallets: balances at any time, statements.

A wallet is what a user has in an asset's ledger: of a credit, what is available and what holds have
set aside. Amounts are base units. Every list is read newest first from `before` (exclusive) on, at
most `limit` rows, by an index.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, SupportsInt, cast

from sqlalchemy import Connection, text

from portal.ledger.assets import ASSETS, AssetInfo


@dataclass(frozen=True, slots=True)
class Wallet:
    """What a user has: `balance` in all, `held` of it set aside by holds."""

    balance: int = 0
    held: int = 0

    @property
    def available(self) -> int:
        """What may be spent."""
        return self.balance - self.held


@dataclass(frozen=True, slots=True)
class StatementLine:
    """What an entry did to a wallet: `amount` and `held_change` are signed, `balance_after` is the
    whole wallet's.
    """

    seq: int
    kind: str
    amount: int
    held_change: int
    balance_after: int
    occurred_at: datetime
    booked_at: datetime
    reference: str | None


@dataclass(frozen=True, slots=True)
class Booked:
    """An entry's first posting: of which kind and asset, and how much."""

    kind: str
    asset: str
    amount: int


BALANCES = """
SELECT account_id, debits - credits AS balance FROM ledger.account_balances WHERE owner_id = :owner_id
"""

# The last posting says it all: the balance of the wallet, or of its one account; and of a wallet's
# two accounts at least one is in every posting of it.
BALANCE_AT = """
SELECT p.debit_account_id, p.debit_balance, p.credit_account_id, p.credit_balance, p.wallet_balance
FROM ledger.postings p
WHERE p.owner_id = :owner_id AND p.ledger_id = :ledger_id AND p.ledger_id <> 3 AND p.booked_at <= :at
ORDER BY p.booked_at DESC, p.seq DESC, p.line DESC LIMIT 1
"""


HOLDINGS = f"""
SELECT a.*, v.debits - v.credits AS available, h.debits - h.credits AS held
FROM ({ASSETS}) a
LEFT JOIN ledger.account_balances v ON v.owner_id = :owner_id AND v.account_id = a.available_id
LEFT JOIN ledger.account_balances h ON h.owner_id = :owner_id AND h.account_id = a.held_id
ORDER BY a.ledger_id
"""


def holdings(connection: Connection, owner_id: int) -> list[tuple[AssetInfo, Wallet]]:
    """The wallet of every asset there is, tokens and currencies first, now."""
    found = []
    for row in connection.execute(text(HOLDINGS), {"owner_id": owner_id}):
        held = int(row.held or 0)
        found.append((AssetInfo(*row[:7]), Wallet(int(row.available or 0) + held, held)))
    return found


def wallets(
    connection: Connection, owner_id: int, assets: Iterable[AssetInfo]
) -> dict[str, Wallet]:
    """The wallets of these assets, by code, now."""
    rows = connection.execute(text(BALANCES), {"owner_id": owner_id})
    balances = {row.account_id: int(row.balance) for row in rows}
    found = {}
    for asset in assets:
        held = balances.get(asset.held_id or 0, 0)
        found[asset.code] = Wallet(balances.get(asset.available_id, 0) + held, held)
    return found


def wallet(
    connection: Connection, owner_id: int, asset: AssetInfo, at: datetime | None = None
) -> Wallet:
    """The wallet of an asset now, or as of a `booked_at` time."""
    if at is None:
        return wallets(connection, owner_id, [asset])[asset.code]
    known = {"owner_id": owner_id, "ledger_id": asset.ledger_id, "at": at}
    last = connection.execute(text(BALANCE_AT), known).one_or_none()
    if last is None:
        return Wallet()
    return wallet_after(asset, cast(WalletPosting, last))


class WalletPosting(Protocol):
    """The accounts of a posting in a wallet's ledger, with what each and the wallet had after it."""

    @property
    def debit_account_id(self) -> int: ...  # noqa: D102
    @property
    def debit_balance(self) -> SupportsInt | None: ...  # noqa: D102
    @property
    def credit_account_id(self) -> int: ...  # noqa: D102
    @property
    def credit_balance(self) -> SupportsInt | None: ...  # noqa: D102
    @property
    def wallet_balance(self) -> SupportsInt | None: ...  # noqa: D102


def wallet_after(asset: AssetInfo, posting: WalletPosting) -> Wallet:
    """What the wallet had after the entry of which this is the last posting in its ledger."""
    after = {
        posting.debit_account_id: int(posting.debit_balance or 0),
        posting.credit_account_id: int(posting.credit_balance or 0),
    }
    if asset.held_id is None:
        return Wallet(after[asset.available_id])
    assert posting.wallet_balance is not None
    balance = int(posting.wallet_balance)
    held = after.get(asset.held_id)
    return Wallet(balance, balance - after[asset.available_id] if held is None else held)


# One line an entry: the first of its postings in the ledger has what the wallet gained or lost, and
# all of them what went into or out of a hold.
STATEMENT = """
SELECT p.seq, k.code AS kind,
       p.amount * ((p.debit_account_id = ANY (:accounts))::int - (p.credit_account_id = ANY (:accounts))::int) AS amount,
       h.change AS held_change,
       coalesce(p.wallet_balance, CASE WHEN p.debit_account_id = :available_id THEN p.debit_balance
                                       ELSE p.credit_balance END) AS balance_after,
       e.occurred_at, e.booked_at, e.reference
FROM ledger.postings p
JOIN ledger.entries e ON e.owner_id = p.owner_id AND e.seq = p.seq
JOIN ledger.entry_kinds k ON k.id = e.kind_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(CASE WHEN x.debit_account_id = :held_id THEN x.amount
                             WHEN x.credit_account_id = :held_id THEN -x.amount END), 0) AS change,
           min(x.line) AS first
    FROM ledger.postings x
    WHERE x.owner_id = p.owner_id AND x.seq = p.seq AND x.ledger_id = p.ledger_id OFFSET 0) h
WHERE p.owner_id = :owner_id AND p.ledger_id = :ledger_id AND p.ledger_id <> 3 AND p.line = h.first
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
    known = {
        "owner_id": owner_id,
        "ledger_id": asset.ledger_id,
        "available_id": asset.available_id,
        "held_id": asset.held_id,
        "accounts": [n for n in (asset.available_id, asset.held_id) if n is not None],
        "booked_at": booked_at,
        "seq": seq,
        "limit": limit,
    }
    return [
        StatementLine(
            r.seq, r.kind, int(r.amount), int(r.held_change), int(r.balance_after), *r[5:]
        )
        for r in connection.execute(text(STATEMENT), known)
    ]


BOOKED = """
SELECT k.code AS kind, l.code AS asset, p.amount
FROM ledger.entries e
JOIN ledger.entry_kinds k ON k.id = e.kind_id
JOIN ledger.postings p ON p.owner_id = e.owner_id AND p.seq = e.seq AND p.line = 1
JOIN ledger.ledgers l ON l.id = p.ledger_id
WHERE e.owner_id = :owner_id AND e.seq = :seq
"""


def booked(connection: Connection, owner_id: int, seq: int) -> Booked | None:
    """What an entry is about, or None where the owner has none of that number."""
    row = connection.execute(text(BOOKED), {"owner_id": owner_id, "seq": seq}).one_or_none()
    return Booked(row.kind, row.asset, int(row.amount)) if row else None
