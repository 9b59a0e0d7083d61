"""What happened in a user's books, for the pages: the newest of it, all of it, one event with everything."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal import ledger
from portal.ledger.errors import NotFound
from portal.ledger.idempotency import SYSTEM
from portal.runtime import runtime
from portal.services.models import ApiClient, User

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


@dataclass(frozen=True, slots=True)
class Sums:
    """What an entry's postings in a ledger come to, each side added up by itself."""

    ledger: str
    scale: int
    debits: int
    credits: int


@dataclass(frozen=True, slots=True)
class Record:
    """An entry as finance sees it: whose it is, and what each ledger's sides come to."""

    event: Event
    owner: str | None
    """The user's name; None of the company's own."""
    sums: list[Sums]

    @property
    def hour(self) -> datetime | None:
        """Of a conversion: the hour that it converted."""
        at = self.event.entry.occurred_at
        is_conversion = self.event.entry.kind == "conversion"
        return at.replace(minute=0, second=0, microsecond=0) if is_conversion else None

    @property
    def before(self) -> int | None:
        """The owner's entry before this one."""
        return self.event.entry.seq - 1 or None

    @property
    def after(self) -> int | None:
        """The owner's entry after this one."""
        entry = self.event.entry
        return entry.seq + 1 if entry.seq < entry.last_seq else None


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


def record(owner_id: int, seq: int) -> Record:
    """An entry of anybody's, the company's own too, for staff. Raises NotFound('unknown_entry')."""
    with runtime().snapshot() as connection:
        found = event(owner_id, seq, fees=True)
        name = connection.scalar(select(User.display_name).where(User.id == owner_id))
    lines = found.entry.lines
    sums = [
        Sums(
            code,
            next(line.scale for line in lines if line.ledger == code),
            sum(line.amount for line in lines if line.ledger == code and line.debit),
            sum(line.amount for line in lines if line.ledger == code and line.credit),
        )
        for code in dict.fromkeys(line.ledger for line in lines)
    ]
    return Record(found, name, sums)
