"""Reads of holds: credits set aside for a spend to come. Amounts are base units."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, text

from portal.ledger.assets import AssetInfo

HoldState = Literal["open", "captured", "released", "expired"]


@dataclass(frozen=True, slots=True)
class Hold:
    """Credits set aside, and what became of them: `captured` is None until a capture ends it."""

    seq: int
    amount: int
    expires_at: datetime
    booked_at: datetime
    reference: str | None
    description: str | None
    ended_seq: int | None
    ended_at: datetime | None
    captured: int | None

    @property
    def state(self) -> HoldState:
        """Open; or how it ended. One that was released after its time had expired."""
        if self.ended_at is None:
            return "open"
        if self.captured is not None:
            return "captured"
        return "expired" if self.ended_at >= self.expires_at else "released"


HOLDS = """
SELECT h.seq, h.amount, h.expires_at, e.booked_at, e.reference, e.description, h.ended_seq,
       x.booked_at AS ended_at, x.captured
FROM ledger.holds h
JOIN ledger.entries e ON e.owner_id = h.owner_id AND e.seq = h.seq
LEFT JOIN LATERAL (
    SELECT n.booked_at, CASE WHEN k.code = 'capture' THEN p.amount END AS captured
    FROM ledger.entries n
    JOIN ledger.entry_kinds k ON k.id = n.kind_id
    JOIN ledger.postings p ON p.owner_id = n.owner_id AND p.seq = n.seq AND p.line = 1
    WHERE n.owner_id = h.owner_id AND n.seq = h.ended_seq OFFSET 0) x ON true
WHERE h.owner_id = :owner_id AND h.ledger_id = :ledger_id
"""


def hold(connection: Connection, owner_id: int, asset: AssetInfo, seq: int) -> Hold | None:
    """A hold of the wallet, or None where it has none of that number."""
    known = {"owner_id": owner_id, "ledger_id": asset.ledger_id, "seq": seq}
    row = connection.execute(text(HOLDS + "AND h.seq = :seq"), known).one_or_none()
    return _hold(row) if row else None


def holds(
    connection: Connection, owner_id: int, asset: AssetInfo, before: int | None, limit: int
) -> list[Hold]:
    """The wallet's holds, newest first, open and ended."""
    known = {"owner_id": owner_id, "ledger_id": asset.ledger_id, "seq": before, "limit": limit}
    page = "AND (CAST(:seq AS bigint) IS NULL OR h.seq < :seq) ORDER BY h.seq DESC LIMIT :limit"
    return [_hold(row) for row in connection.execute(text(HOLDS + page), known)]


def open_holds(connection: Connection, owner_id: int, asset: AssetInfo, limit: int) -> list[Hold]:
    """The wallet's holds that nothing has ended yet, newest first."""
    known = {"owner_id": owner_id, "ledger_id": asset.ledger_id, "limit": limit}
    page = "AND h.ended_seq IS NULL ORDER BY h.seq DESC LIMIT :limit"
    return [_hold(row) for row in connection.execute(text(HOLDS + page), known)]


@dataclass(frozen=True, slots=True)
class OpenHold:
    """A hold that nothing has ended yet, with the asset it is of."""

    asset: str
    scale: int
    seq: int
    amount: int
    expires_at: datetime
    booked_at: datetime
    reference: str | None


ALL_OPEN = """
SELECT l.asset, a.scale, h.seq, h.amount, h.expires_at, e.booked_at, e.reference
FROM ledger.holds h
JOIN ledger.entries e ON e.owner_id = h.owner_id AND e.seq = h.seq
JOIN ledger.ledgers l ON l.id = h.ledger_id
JOIN ledger.assets a ON a.code = l.asset
WHERE h.owner_id = :owner_id AND h.ended_seq IS NULL AND (CAST(:seq AS bigint) IS NULL OR h.seq < :seq)
ORDER BY h.seq DESC LIMIT :limit
"""


def all_open_holds(
    connection: Connection, owner_id: int, before: int | None, limit: int
) -> list[OpenHold]:
    """The open holds of all of an owner's wallets, newest first."""
    known = {"owner_id": owner_id, "seq": before, "limit": limit}
    rows = connection.execute(text(ALL_OPEN), known)
    return [OpenHold(**(row._asdict() | {"amount": int(row.amount)})) for row in rows]


def _hold(row: Any) -> Hold:
    captured = None if row.captured is None else int(row.captured)
    fields = row._asdict() | {"amount": int(row.amount), "captured": captured}
    return Hold(**fields)


# The clock is asked once: a call of it for each row would be no condition for an index.
DUE_HOLDS = """
SELECT h.expires_at, h.owner_id, h.seq, h.ledger_id FROM ledger.holds h
WHERE h.ended_seq IS NULL AND h.expires_at <= (SELECT ledger.clock())
  AND (h.expires_at, h.owner_id, h.seq) > (:expires_at, :owner_id, :seq)
ORDER BY h.expires_at, h.owner_id, h.seq LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class DueHold:
    """An open hold whose time is over."""

    expires_at: datetime
    owner_id: int
    seq: int
    ledger_id: int


def due_holds(connection: Connection, after: DueHold | None, limit: int) -> list[DueHold]:
    """Open holds of all users that have expired, oldest first, from `after` (exclusive) on."""
    known = {
        "expires_at": after.expires_at if after else "-infinity",
        "owner_id": after.owner_id if after else 0,
        "seq": after.seq if after else 0,
        "limit": limit,
    }
    return [DueHold(*row) for row in connection.execute(text(DUE_HOLDS), known)]
