"""What happened in a user's books, for the pages: the newest of it, all of it, one event with everything."""

from dataclasses import dataclass

from sqlalchemy import select

from portal import ledger
from portal.ledger.errors import NotFound
from portal.ledger.idempotency import SYSTEM
from portal.runtime import runtime
from portal.services.models import ApiClient

DREAMLAND = "Dreamland"
"""Who books what no client asked for."""
NEWEST = 5


@dataclass(frozen=True, slots=True)
class Home:
    """What a user comes for, of one moment."""

    today: ledger.Today
    holdings: list[tuple[ledger.AssetInfo, ledger.Wallet]]
    newest: list[ledger.ListedEntry]


@dataclass(frozen=True, slots=True)
class Event:
    """An entry with all there is to it, and the name of whoever asked for it."""

    user_id: int
    entry: ledger.EntryInFull
    client: str


def home(user_id: int) -> Home:
    """The day so far, what is in each wallet and what happened last. Raises NotFound('unknown_user')."""
    with runtime().snapshot() as connection:
        return Home(
            ledger.today(connection, user_id),
            ledger.holdings(connection, user_id),
            ledger.entries(connection, user_id, None, NEWEST),
        )


def entries(user_id: int, before_seq: int | None, limit: int) -> list[ledger.ListedEntry]:
    """A user's entries, newest first, from `before_seq` (exclusive) on."""
    with runtime().snapshot() as connection:
        return ledger.entries(connection, user_id, before_seq, limit)


def event(user_id: int, seq: int, *, fees: bool = False) -> Event:
    """An entry of a user; with `fees` the company's lines too, which concern staff alone.

    Raises NotFound('unknown_entry').
    """
    with runtime().snapshot() as connection:
        entry = ledger.entry(connection, user_id, seq, fees=fees)
        if entry is None:
            raise NotFound("unknown_entry", "the user has no such entry")
        if entry.client_id == SYSTEM:
            return Event(user_id, entry, DREAMLAND)
        name = connection.scalar(select(ApiClient.name).where(ApiClient.id == entry.client_id))
        return Event(user_id, entry, name or f"client {entry.client_id}")
