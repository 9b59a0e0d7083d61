"""Events, as the feed and the webhooks tell them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from dreamland_client.answers import Win
from dreamland_client.reading import read


@dataclass(frozen=True)
class ConversionDone:
    """A user's tokens of an hour became USD."""

    entry_id: str
    user_id: str
    hour: datetime
    tokens: Decimal
    usd: Decimal
    rate: Decimal
    booked_at: datetime


@dataclass(frozen=True)
class WalletChanged:
    """An entry moved a wallet: by how much, and what was in it after."""

    entry_id: str
    user_id: str
    kind: str
    asset: str
    amount: Decimal
    held_change: Decimal
    balance: Decimal
    held: Decimal
    available: Decimal
    occurred_at: datetime
    booked_at: datetime
    reference: str | None


@dataclass(frozen=True)
class HoldExpired(WalletChanged):
    """A hold that nobody captured gave its credits back."""

    hold_id: str


EventData = Win | ConversionDone | WalletChanged | HoldExpired | Mapping[str, Any]
TYPES: Mapping[str, type[Any]] = {
    "win.booked": Win,
    "conversion.done": ConversionDone,
    "wallet.changed": WalletChanged,
    "hold.expired": HoldExpired,
}


@dataclass(frozen=True)
class Event:
    """One entry of the books. Delivered at least once: `id` tells whether you had it before.

    `data` is by `type`: Win, ConversionDone, WalletChanged, HoldExpired; a mapping for a type
    that this client does not know. `cursor` (of the feed): keep it once the event is dealt with,
    and go on from there; None until there is one to go on from.
    """

    id: str
    type: str
    timestamp: datetime
    data: EventData
    cursor: str | None = None


@dataclass(frozen=True)
class EventPage:
    """Events, oldest first, and where the next page begins."""

    events: tuple[Event, ...]
    next_cursor: str
    has_more: bool


@dataclass(frozen=True)
class _Told:
    id: str
    type: str
    timestamp: datetime
    data: Mapping[str, Any]


def event(value: object, cursor: str | None = None) -> Event:
    """An event from its JSON. Raises BadAnswer."""
    told = read(_Told, value)
    kind = TYPES.get(told.type)
    data = told.data if kind is None else read(kind, told.data)
    return Event(told.id, told.type, told.timestamp, data, cursor)
