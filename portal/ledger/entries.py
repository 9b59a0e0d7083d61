"""Reads of one user's entries: what happened, newest first, and one of them with all there is to it.

Amounts are base units.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from portal.ledger.days import DayOf


@dataclass(frozen=True, slots=True)
class Effect:
    """What an entry did to a wallet: `amount` is signed; `held_change` what holds have set aside by it."""

    asset: str
    scale: int
    amount: int
    held_change: int


@dataclass(frozen=True, slots=True)
class ListedEntry:
    """An entry as a list of them tells it. `reversed_seq` names the entry that took it back."""

    seq: int
    kind: str
    occurred_at: datetime
    booked_at: datetime
    day: date
    game: str | None
    reference: str | None
    description: str | None
    hold_seq: int | None
    reverses_seq: int | None
    reverses_kind: str | None
    reversed_seq: int | None
    effects: list[Effect] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Line:
    """A posting: `debit` and `credit` are account codes; balances are of user accounts only."""

    ledger: str
    asset: str
    scale: int
    debit: str
    credit: str
    amount: int
    debit_balance: int | None
    credit_balance: int | None
    wallet_balance: int | None
    provider: str | None


@dataclass(frozen=True, slots=True)
class EntryInFull(ListedEntry):
    """An entry with all that the books know of it."""

    accounting_date: date = date.min
    client_id: int = 0
    reason: str | None = None
    ended_seq: int | None = None
    """Of a hold: the entry that ended it."""
    expires_at: datetime | None = None
    """Of a hold."""
    rate: Decimal | None = None
    """Of a conversion: USD for a token."""
    key_hash: str = ""
    """Of the client's idempotency key, in hex; `request_hash` of what it asked for."""
    request_hash: str = ""
    zone: str = ""
    """The owner's time zone when it happened: `day` is the date there."""
    last_seq: int = 0
    """The owner's newest entry."""
    lines: list[Line] = field(default_factory=list)


COLUMNS = """
SELECT e.seq, k.code AS kind, e.occurred_at, e.booked_at, e.day, e.game, e.reference, e.description,
       e.hold_seq, e.reverses_seq, o.code AS reverses_kind, r.seq AS reversed_seq
"""
LINKS = """
JOIN ledger.entry_kinds k ON k.id = e.kind_id
LEFT JOIN LATERAL (SELECT x.seq FROM ledger.entries x
                   WHERE x.owner_id = e.owner_id AND x.reverses_seq = e.seq OFFSET 0) r ON true
LEFT JOIN LATERAL (SELECT y.code FROM ledger.entries x JOIN ledger.entry_kinds y ON y.id = x.kind_id
                   WHERE x.owner_id = e.owner_id AND x.seq = e.reverses_seq OFFSET 0) o ON true
"""

# The page is cut by the key alone, before anything is joined to it. An account that has a floor is a
# wallet's: of two such accounts in one posting neither adds to the wallet.
PAGE = """
SELECT * FROM ledger.entries
WHERE owner_id = :owner_id AND (CAST(:seq AS bigint) IS NULL OR seq < :seq)
"""
CUT = "ORDER BY seq DESC LIMIT :limit"
EFFECTS = f"""
{LINKS}
LEFT JOIN LATERAL (
    SELECT p.ledger_id, sum(p.amount * (d.never_negative::int - c.never_negative::int)) AS amount,
           sum(p.amount * ((d.code = 'HELD')::int - (c.code = 'HELD')::int)) AS held_change
    FROM ledger.postings p
    JOIN ledger.accounts d ON d.id = p.debit_account_id
    JOIN ledger.accounts c ON c.id = p.credit_account_id
    WHERE p.owner_id = e.owner_id AND p.seq = e.seq AND p.ledger_id <> 3
    GROUP BY p.ledger_id OFFSET 0) m ON true
LEFT JOIN ledger.ledgers l ON l.id = m.ledger_id
LEFT JOIN ledger.assets a ON a.code = l.asset
ORDER BY e.seq DESC, m.ledger_id
"""
ENTRIES = f"{COLUMNS}, l.asset, a.scale, m.amount, m.held_change FROM ({PAGE} {CUT}) e {EFFECTS}"

# Of a day is nothing that was booked before it began, in whichever zone of the user's, but for wins that
# were told :ahead of their time, and an hour that an autumn may have twice. Numbers follow booked_at.
OF_DAY = f"""
{PAGE} AND day = :day AND seq >= (
    SELECT min(f.seq) FROM ledger.ledgers l
    CROSS JOIN LATERAL (
        SELECT p.seq FROM ledger.postings p
        WHERE p.owner_id = :owner_id AND p.ledger_id = l.id AND p.ledger_id <> 3
          AND p.booked_at >= (SELECT min(CAST(:day AS timestamp) AT TIME ZONE z.zone) FROM ledger.owner_zones z
                              WHERE z.owner_id = :owner_id) - interval '2 hours' - CAST(:ahead AS interval)
        ORDER BY p.booked_at, p.seq LIMIT 1) f)
"""
DAY = f"{COLUMNS}, l.asset, a.scale, m.amount, m.held_change FROM ({OF_DAY} {CUT}) e {EFFECTS}"

ENTRY = f"""
{COLUMNS}, e.accounting_date, e.client_id, e.reason, n.seq AS ended_seq, h.expires_at, t.rate,
       replace(CAST(e.key_hash AS text), '-', '') AS key_hash, encode(e.request_hash, 'hex') AS request_hash,
       ledger.zone_of(e.owner_id, e.occurred_at) AS zone, w.last_seq,
       l.code AS ledger, l.asset, a.scale, d.code AS debit, c.code AS credit, p.amount,
       p.debit_balance, p.credit_balance, p.wallet_balance, p.provider, d.never_negative AS fills,
       c.never_negative AS drains
FROM ledger.entries e
JOIN ledger.owners w ON w.owner_id = e.owner_id
{LINKS}
LEFT JOIN LATERAL (SELECT x.seq FROM ledger.entries x
                   WHERE x.owner_id = e.owner_id AND x.hold_seq = e.seq OFFSET 0) n ON true
LEFT JOIN ledger.holds h ON h.owner_id = e.owner_id AND h.seq = e.seq
LEFT JOIN ledger.hour_rates t ON k.code = 'conversion' AND t.hour = ledger.hour_of(e.occurred_at)
LEFT JOIN LATERAL (SELECT * FROM ledger.postings p WHERE p.owner_id = e.owner_id AND p.seq = e.seq
                   AND (:fees OR p.ledger_id <> 3) OFFSET 0) p ON true
LEFT JOIN ledger.ledgers l ON l.id = p.ledger_id
LEFT JOIN ledger.assets a ON a.code = l.asset
LEFT JOIN ledger.accounts d ON d.id = p.debit_account_id
LEFT JOIN ledger.accounts c ON c.id = p.credit_account_id
WHERE e.owner_id = :owner_id AND e.seq = :seq
ORDER BY p.line
"""
HEAD, FULL = 12, 22
"""How many of the columns are the list's, and an entry's in full."""
FEES = "FEES"
"""The ledger of the company, whose postings touch no wallet."""


def entries(
    connection: Connection, owner_id: int, before_seq: int | None, limit: int
) -> list[ListedEntry]:
    """An owner's entries, newest first, from `before_seq` (exclusive) on."""
    known = {"owner_id": owner_id, "seq": before_seq, "limit": limit}
    return _listed(connection.execute(text(ENTRIES), known))


def entries_of_day(
    connection: Connection, asked: DayOf, before_seq: int | None, limit: int
) -> list[ListedEntry]:
    """The entries of one local day, newest first. It reads what was booked since that day began."""
    known = {
        "owner_id": asked.owner_id,
        "day": asked.day,
        "ahead": asked.ahead,
        "seq": before_seq,
        "limit": limit,
    }
    return _listed(connection.execute(text(DAY), known))


def _listed(rows: Iterable[Any]) -> list[ListedEntry]:
    found = []
    for _, same in groupby(rows, key=lambda row: row.seq):
        of_entry = list(same)
        effects = [_effect(row) for row in of_entry if row.asset is not None]
        found.append(ListedEntry(*_all(of_entry[0][:HEAD], effects)))
    return found


def entry(connection: Connection, owner_id: int, seq: int, *, fees: bool) -> EntryInFull | None:
    """One entry with its lines, or None where the owner has none of that number.

    With `fees` the company's lines too; else those alone that are the user's.
    """
    known = {"owner_id": owner_id, "seq": seq, "fees": fees}
    rows: list[Any] = list(connection.execute(text(ENTRY), known))
    if not rows:
        return None
    lines = [_line(row) for row in rows if row.ledger is not None]
    head, more = rows[0][:HEAD], rows[0][HEAD:FULL]
    return EntryInFull(*_all(head, list(_effects(rows)), *more, lines))


def _effect(row: Any) -> Effect:
    return Effect(row.asset, row.scale, int(row.amount), int(row.held_change))


def _effects(rows: list[Any]) -> Iterator[Effect]:
    """The same sums as those of the list."""
    of_wallets = [row for row in rows if row.ledger not in (None, FEES)]
    for (asset, scale), same in groupby(of_wallets, key=lambda row: (row.asset, row.scale)):
        moved = [(int(row.amount), row) for row in same]
        yield Effect(
            asset,
            scale,
            sum(amount * (row.fills - row.drains) for amount, row in moved),
            sum(amount * ((row.debit == "HELD") - (row.credit == "HELD")) for amount, row in moved),
        )


def _line(row: Any) -> Line:
    names = (row.ledger, row.asset, row.scale, row.debit, row.credit)
    figures = (row.amount, row.debit_balance, row.credit_balance, row.wallet_balance)
    whole = [None if figure is None else int(figure) for figure in figures]
    return Line(*_all(names, *whole, row.provider))


def _all(first: Iterable[Any], *more: Any) -> tuple[Any, ...]:
    """The fields of a row and what follows them, in the order of the class."""
    return (*first, *more)
