"""The feed: every entry once, in the order (booked_at, owner_id, seq), with nothing ever added behind.

Entries are numbered and timed before they are committed, so the newest become visible out of order.
A reader therefore stops at a moment that is settled: `ledger.mark()` answers the clock and sees to it
that nobody reads an earlier one from then on; whoever was posting at that time had taken an hour's
lock before it read the clock, so once those have ended, all that was booked before the mark can be
seen and no more will come. Within an owner `booked_at` never falls: the feed has its entries by `seq`.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Connection, Engine, text

from portal.ledger.poster import autocommit

FRESH_S = 0.05
"""For how long a settled moment is good enough, where less than a page lies before it."""
LONGEST_WAIT_S = 2.0
"""For those who are posting. Then the feed ends where it ended before: it is late, never wrong.

The same are waited for once: until they are gone, whoever asks is answered at once.
"""
OTHER_S = 0.1
"""For another thread that is settling. It takes a few ms, unless somebody's posting is slow."""
PAUSE_S = 0.002


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the feed: that of an entry, or between two."""

    booked_at: datetime
    owner_id: int
    seq: int

    @classmethod
    def before(cls, at: datetime) -> "Position":
        """Before all that was booked at a moment or later."""
        return cls(at, -1, 0)


START = Position.before(datetime(1970, 1, 1, tzinfo=UTC))
"""Before every entry."""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """An entry as the feed has it, without its postings."""

    owner_id: int
    seq: int
    booked_at: datetime
    kind: str
    client_id: int
    occurred_at: datetime
    day: date
    game: str | None
    reference: str | None
    hold_seq: int | None

    @property
    def position(self) -> Position:
        """Its place in the feed."""
        return Position(self.booked_at, self.owner_id, self.seq)


@dataclass(frozen=True, slots=True)
class FeedLine:
    """A posting in a wallet's ledger: amount and balances after it, in base units."""

    ledger_id: int
    debit_account_id: int
    credit_account_id: int
    amount: int
    debit_balance: int | None
    credit_balance: int | None
    wallet_balance: int | None


ENTRY = """
SELECT e.owner_id, e.seq, e.booked_at, k.code AS kind, e.client_id, e.occurred_at, e.day, e.game,
       e.reference, e.hold_seq
FROM ledger.entries e JOIN ledger.entry_kinds k ON k.id = e.kind_id
"""

# The page is cut by the index alone, before anything is joined to it.
ENTRIES_AFTER = ENTRY.replace(
    "FROM ledger.entries e",
    """FROM (SELECT * FROM ledger.entries
      WHERE (booked_at, owner_id, seq) > (:booked_at, :owner_id, :seq) AND booked_at < :before
      ORDER BY booked_at, owner_id, seq LIMIT :limit) e""",
)


def entries_after(
    connection: Connection, after: Position, before: datetime, limit: int
) -> list[FeedEntry]:
    """Entries behind a position and booked before a moment that is settled, in the feed's order."""
    known = {
        "booked_at": after.booked_at,
        "owner_id": after.owner_id,
        "seq": after.seq,
        "before": before,
        "limit": limit,
    }
    query = ENTRIES_AFTER + "ORDER BY e.booked_at, e.owner_id, e.seq"
    return [FeedEntry(*row) for row in connection.execute(text(query), known)]


OWNER_ENTRIES = """
WHERE e.owner_id = :owner_id AND e.seq >= :seq
  AND (e.booked_at, e.owner_id, e.seq) <= (:until_at, :until_owner, :until_seq)
ORDER BY e.seq LIMIT :limit
"""


def entries_of_owner(
    connection: Connection, owner_id: int, seq: int, until: Position, limit: int
) -> list[FeedEntry]:
    """An owner's entries from a number on, up to a place in the feed that a reader has reached."""
    known = {
        "owner_id": owner_id,
        "seq": seq,
        "until_at": until.booked_at,
        "until_owner": until.owner_id,
        "until_seq": until.seq,
        "limit": limit,
    }
    return [FeedEntry(*row) for row in connection.execute(text(ENTRY + OWNER_ENTRIES), known)]


def feed_entry(connection: Connection, owner_id: int, seq: int) -> FeedEntry | None:
    """One entry, or None where the owner has none of that number."""
    query = ENTRY + "WHERE e.owner_id = :owner_id AND e.seq = :seq"
    row = connection.execute(text(query), {"owner_id": owner_id, "seq": seq}).one_or_none()
    return FeedEntry(*row) if row else None


LINES = """
SELECT p.owner_id, p.seq, p.ledger_id, p.debit_account_id, p.credit_account_id, p.amount,
       p.debit_balance, p.credit_balance, p.wallet_balance
FROM unnest(CAST(:owners AS bigint[]), CAST(:seqs AS bigint[])) x (owner_id, seq)
CROSS JOIN LATERAL (SELECT * FROM ledger.postings p
                    WHERE p.owner_id = x.owner_id AND p.seq = x.seq OFFSET 0) p
WHERE p.ledger_id <> 3
ORDER BY p.owner_id, p.seq, p.line
"""


def lines_of(
    connection: Connection, entries: Sequence[FeedEntry]
) -> dict[tuple[int, int], list[FeedLine]]:
    """The postings of entries by (owner_id, seq), in order, without those of fees."""
    known = {"owners": [e.owner_id for e in entries], "seqs": [e.seq for e in entries]}
    found: dict[tuple[int, int], list[FeedLine]] = {}
    for owner_id, seq, ledger_id, debit, credit, *figures in connection.execute(text(LINES), known):
        amount, *balances = (None if n is None else int(n) for n in figures)
        line = FeedLine(ledger_id, debit, credit, amount or 0, *balances)
        found.setdefault((owner_id, seq), []).append(line)
    return found


BEHIND = """
SELECT count(*) FROM (
    SELECT FROM ledger.entries WHERE (booked_at, owner_id, seq) > (:booked_at, :owner_id, :seq)
    ORDER BY booked_at, owner_id, seq LIMIT :limit) e
"""


def count_after(connection: Connection, after: Position, limit: int) -> int:
    """How many entries lie behind a position, counted up to `limit`."""
    known = {"booked_at": after.booked_at, "owner_id": after.owner_id, "seq": after.seq}
    return int(connection.execute(text(BEHIND), known | {"limit": limit}).scalar_one())


class Feed:
    """A process's reader of the feed. It remembers what is settled: any thread may ask."""

    def __init__(self, engine: Engine) -> None:
        self._engine = autocommit(engine)
        self._settling = threading.Lock()
        self._settled: tuple[datetime, float] | None = None
        self._slow: tuple[datetime, float, set[str]] | None = None
        """A mark, when it was made, and those who were waited for in vain."""

    def read(self, after: Position, limit: int) -> list[FeedEntry]:
        """The entries behind a position, as far as they are settled; at most `limit`.

        A page that lies before what was settled last is read at once.
        """
        last = self._settled
        with self._engine.connect() as connection:
            found = entries_after(connection, after, last[0], limit) if last else []
            if len(found) == limit or (last and _is_fresh(last)):
                return found
            moment = self.settled(connection)
            if moment is None or (last and moment == last[0]):
                return found
            return entries_after(connection, after, moment, limit)

    def settled(self, connection: Connection) -> datetime | None:
        """A moment before which nothing will be added; None while none is known.

        `connection` is in autocommit: each step must see what was committed before it.
        """
        if self._settling.acquire(timeout=OTHER_S):  # who waited takes what the other found
            try:
                if self._settled is None or not _is_fresh(self._settled):
                    self._settle(connection)
            finally:
                self._settling.release()
        return self._settled[0] if self._settled else None

    def _settle(self, connection: Connection) -> None:
        if self._slow is not None:
            mark, began, posting = self._slow
            if posting & _posters(connection):
                return
            self._settled, self._slow = (mark, began), None
        began = time.monotonic()
        mark = connection.execute(text("SELECT ledger.mark()")).scalar_one()
        posting = _posters(connection)
        while posting:
            if time.monotonic() > began + LONGEST_WAIT_S:
                self._slow = (mark, began, posting)
                return
            time.sleep(PAUSE_S)
            posting &= _posters(connection)
        self._settled = (mark, began)


def _posters(connection: Connection) -> set[str]:
    return set(connection.execute(text("SELECT ledger.posters()")).scalar_one())


def _is_fresh(settled: tuple[datetime, float]) -> bool:
    return time.monotonic() < settled[1] + FRESH_S
