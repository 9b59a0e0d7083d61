"""What the API answers of assets, wallets, transactions and holds."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class Asset:
    """A unit of value; `scale` is how many decimals it has."""

    code: str
    name: str
    scale: int
    kind: str


@dataclass(frozen=True)
class Wallet:
    """`balance` is all, `held` what holds set aside of it, `available` what may be spent."""

    asset: str
    balance: Decimal
    held: Decimal
    available: Decimal
    at: datetime | None = None


@dataclass(frozen=True)
class Line:
    """What moved a wallet: `amount` changed the balance, `held_change` what is held."""

    entry_id: str
    kind: str
    amount: Decimal
    held_change: Decimal
    balance_after: Decimal
    occurred_at: datetime
    booked_at: datetime
    reference: str | None


@dataclass(frozen=True)
class Transaction:
    """What a call booked, the same at each replay."""

    entry_id: str
    kind: str
    asset: str
    amount: Decimal
    booked_at: datetime
    reference: str | None


@dataclass(frozen=True)
class Hold:
    """Credits set aside. `state` is open, captured, released or expired."""

    hold_id: str
    asset: str
    state: str
    amount: Decimal
    captured: Decimal | None
    booked_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    reference: str | None
    description: str | None


@dataclass(frozen=True)
class Moved:
    """The answer to a call that moves credits: what it booked, and the wallet as it is now."""

    transaction: Transaction
    balance: Decimal
    held: Decimal
    available: Decimal
    hold: Hold | None = None
    is_replayed: bool = False
    idempotency_key: str = ""
