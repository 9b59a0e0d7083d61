"""The journal of one owner: every entry with its lines, in the order they were booked.

Amounts are base units. Lines of the company's own ledger, which touch no wallet, are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, text

from portal.ledger.entries import Line


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An entry with what its client said and its lines."""

    seq: int
    kind: str
    occurred_at: datetime
    booked_at: datetime
    day: date
    accounting_date: date
    game: str | None
    reference: str | None
    description: str | None
    reason: str | None
    hold_seq: int | None
    reverses_seq: int | None
    expires_at: datetime | None
    """Of a hold."""
    lines: list[Line] = field(default_factory=list)


OF_ENTRY, OF_NAMES, OF_FIGURES = slice(13), slice(13, 18), slice(18, 22)
"""Columns."""
# The page is cut by the key alone, before anything is joined to it.
JOURNAL = """
SELECT e.seq, k.code AS kind, e.occurred_at, e.booked_at, e.day, e.accounting_date, e.game, e.reference,
       e.description, e.reason, e.hold_seq, e.reverses_seq, h.expires_at,
       l.code AS ledger, l.asset, a.scale, d.code AS debit, c.code AS credit, p.amount,
       p.debit_balance, p.credit_balance, p.wallet_balance, p.provider
FROM (SELECT * FROM ledger.entries WHERE owner_id = :owner_id AND seq > :seq
      ORDER BY seq LIMIT :limit) e
JOIN ledger.entry_kinds k ON k.id = e.kind_id
LEFT JOIN ledger.holds h ON h.owner_id = e.owner_id AND h.seq = e.seq
LEFT JOIN LATERAL (SELECT * FROM ledger.postings p
                   WHERE p.owner_id = e.owner_id AND p.seq = e.seq AND p.ledger_id <> 3 OFFSET 0) p ON true
LEFT JOIN ledger.ledgers l ON l.id = p.ledger_id
LEFT JOIN ledger.assets a ON a.code = l.asset
LEFT JOIN ledger.accounts d ON d.id = p.debit_account_id
LEFT JOIN ledger.accounts c ON c.id = p.credit_account_id
ORDER BY e.seq, p.line
"""


def journal(connection: Connection, owner_id: int, page: int) -> Iterator[JournalEntry]:
    """All entries of an owner, the oldest first, read in pages of so many.

    The connection's snapshot says up to where: nothing is booked before what was read already.
    """
    last: int | None = 0
    while last is not None:
        known = {"owner_id": owner_id, "seq": last, "limit": page}
        rows: list[Any] = list(connection.execute(text(JOURNAL), known))
        last = None
        for seq, same in groupby(rows, key=itemgetter(0)):
            of_entry = list(same)
            lines = [_line(row) for row in of_entry if row.ledger is not None]
            yield JournalEntry(*(*of_entry[0][OF_ENTRY], lines))
            last = seq


def _line(row: Any) -> Line:
    figures = (None if figure is None else int(figure) for figure in row[OF_FIGURES])
    return Line(*(*row[OF_NAMES], *figures, row.provider))
