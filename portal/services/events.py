"""Events: what the feed and webhooks tell of an entry. One entry, one event, whose id is the entry's.

An event is an object ready to be sent as JSON: amounts are decimal strings, times RFC 3339 in UTC.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from portal import ledger
from portal.ledger.events import FeedEntry, FeedLine, Position
from portal.ledger.idempotency import SYSTEM
from portal.ledger.wallets import wallet_after
from portal.runtime import runtime
from portal.services import assets, users, written
from portal.services.written import decimal, exact, moment

WIN, CONVERSION, EXPIRED, CHANGED = (
    "win.booked",
    "conversion.done",
    "hold.expired",
    "wallet.changed",
)
TYPES = (WIN, CONVERSION, EXPIRED, CHANGED)
SCANNED = 1000
"""Entries that a page of few types looks at, at most: what comes then is for the next page."""

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Interest:
    """Which events are wanted, and which may be seen; None: all. `games` bound wins alone."""

    types: Collection[str] | None = None
    regions: Collection[int] | None = None
    """The numbers of the regions of birth."""
    games: Collection[str] | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether entries may have to be passed over."""
        return any(each is not None for each in (self.types, self.regions, self.games))

    def wants(self, entry: FeedEntry) -> bool:
        """Whether an entry's event is one of them."""
        kind = type_of(entry)
        if kind is None or (self.types is not None and kind not in self.types):
            return False
        if self.regions is not None and entry.owner_id >> users.REGION_SHIFT not in self.regions:
            return False
        return self.games is None or kind != WIN or entry.game in self.games


@dataclass(frozen=True, slots=True)
class Page:
    """Entries of the feed whose events are wanted, and where the next page begins."""

    entries: list[FeedEntry]
    next: Position
    has_more: bool
    """Whether more may be there already. A page can be empty and have more."""


def page(after: Position, interest: Interest, limit: int) -> Page:
    """The next entries of the feed behind a position, oldest first."""
    asked = max(SCANNED, limit) if interest.is_narrow else limit
    found = runtime().feed.read(after, asked)
    wanted = [entry for entry in found if interest.wants(entry)]
    if len(wanted) > limit:
        return Page(wanted[:limit], wanted[limit - 1].position, has_more=True)
    reached = found[-1].position if found else after
    return Page(wanted, reached, has_more=len(found) == asked)


def told(after: Position, interest: Interest, limit: int) -> tuple[list[Event], Page]:
    """A page with its events."""
    found = page(after, interest, limit)
    return list(events_of(found.entries).values()), found


def type_of(entry: FeedEntry) -> str | None:
    """The type of an entry's event; None for one that concerns no wallet."""
    if entry.kind == "win":
        return WIN
    if entry.kind == "conversion":
        return CONVERSION
    if entry.kind == "release" and entry.client_id == SYSTEM:
        return EXPIRED
    return None if entry.kind == "fee_settlement" else CHANGED


def id_of(entry: FeedEntry) -> str:
    """The id of an entry and of its event."""
    return f"{entry.owner_id}-{entry.seq}"


def events_of(entries: Sequence[FeedEntry]) -> dict[tuple[int, int], Event]:
    """The events of entries, by (owner_id, seq), in the order given."""
    if not entries:
        return {}
    with runtime().engine.connect() as connection:
        lines = ledger.lines_of(connection, entries)
        rates = _rates(connection, entries)
    made = {}
    for entry in entries:
        key = (entry.owner_id, entry.seq)
        kind = type_of(entry)
        if kind is not None and key in lines:
            made[key] = {
                "id": id_of(entry),
                "type": kind,
                "timestamp": moment(entry.booked_at),
                "data": _data(kind, entry, lines[key], rates),
            }
    return made


def _rates(connection: Connection, entries: Iterable[FeedEntry]) -> dict[datetime, str]:
    hours = {_hour(entry) for entry in entries if entry.kind == "conversion"}
    found = {hour: ledger.rate_of(connection, hour) for hour in hours}
    return {hour: exact(rate.value, 0) for hour, rate in found.items() if rate}


def _data(
    kind: str, entry: FeedEntry, lines: list[FeedLine], rates: dict[datetime, str]
) -> dict[str, Any]:
    if kind == WIN:
        return written.win(entry.owner_id, lines[0].amount, entry, entry)
    if kind == CONVERSION:
        return _conversion(entry, lines, rates[_hour(entry)])
    changed = _changed(entry, lines)
    return (
        changed | {"hold_id": f"{entry.owner_id}-{entry.hold_seq}"} if kind == EXPIRED else changed
    )


def _conversion(entry: FeedEntry, lines: list[FeedLine], rate: str) -> dict[str, Any]:
    amount = {line.ledger_id: line.amount for line in lines}
    token, currency = assets.get("DREAM"), assets.get("USD")
    return {
        "entry_id": id_of(entry),
        "user_id": str(entry.owner_id),
        "hour": moment(_hour(entry)),
        "tokens": decimal(amount[token.ledger_id], token.scale),
        "usd": decimal(amount[currency.ledger_id], currency.scale),
        "rate": rate,
        "booked_at": moment(entry.booked_at),
    }


def _changed(entry: FeedEntry, lines: list[FeedLine]) -> dict[str, Any]:
    asset = assets.of_ledger(lines[0].ledger_id)
    wallet = wallet_after(asset, lines[-1])
    own = [number for number in (asset.available_id, asset.held_id) if number is not None]
    figures = {
        "amount": sum(map(_moved(own), lines)),
        "held_change": sum(map(_moved([asset.held_id or 0]), lines)),
        "balance": wallet.balance,
        "held": wallet.held,
        "available": wallet.available,
    }
    return {
        "entry_id": id_of(entry),
        "user_id": str(entry.owner_id),
        "kind": entry.kind,
        "asset": asset.code,
        **{name: decimal(units, asset.scale) for name, units in figures.items()},
        "occurred_at": moment(entry.occurred_at),
        "booked_at": moment(entry.booked_at),
        "reference": entry.reference,
    }


def _moved(accounts: Sequence[int]) -> Callable[[FeedLine], int]:
    """By how much a line changes these accounts together."""

    def change(line: FeedLine) -> int:
        return line.amount * (
            (line.debit_account_id in accounts) - (line.credit_account_id in accounts)
        )

    return change


def _hour(entry: FeedEntry) -> datetime:
    """The hour that a conversion is of."""
    return entry.occurred_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
