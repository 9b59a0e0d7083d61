"""All postings of a database as plain rows, for tests that add them up themselves."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Engine, text

from portal.ledger.spans import Span

POSTINGS = """
SELECT p.owner_id, p.seq, p.line, p.booked_at, e.accounting_date, k.code, l.code, d.code, c.code, p.amount,
       coalesce(p.provider, ''), coalesce(e.game, '')
FROM ledger.postings p JOIN ledger.ledgers l ON l.id = p.ledger_id
JOIN ledger.entries e ON e.owner_id = p.owner_id AND e.seq = p.seq
JOIN ledger.entry_kinds k ON k.id = e.kind_id
JOIN ledger.accounts d ON d.id = p.debit_account_id JOIN ledger.accounts c ON c.id = p.credit_account_id
ORDER BY p.owner_id, p.seq, p.line
"""


@dataclass(frozen=True)
class Booked:
    owner_id: int
    seq: int
    line: int
    booked_at: datetime
    accounting_date: date
    kind: str
    ledger: str
    debit: str
    credit: str
    amount: int
    provider: str
    game: str

    def is_of(self, span: Span) -> bool:
        """Whether it is in a span of its clock."""
        at = self.booked_at
        if span.clock == "accounting":
            at = datetime.combine(self.accounting_date, datetime.min.time(), UTC)
        return (span.start is None or at >= span.start) and at < span.end

    def moves(self, ledger: str, account: str) -> tuple[int, int]:
        """What it debits and credits an account."""
        if self.ledger != ledger:
            return 0, 0
        return self.amount * (self.debit == account), self.amount * (self.credit == account)


def all_of(engine: Engine) -> list[Booked]:
    with engine.connect() as connection:
        rows = connection.execute(text(POSTINGS))
        return [Booked(*row[:9], int(row[9]), *row[10:]) for row in rows]


def sums(postings: list[Booked], ledger: str, account: str) -> tuple[int, int]:
    """Debits and credits of an account."""
    moved = [posting.moves(ledger, account) for posting in postings]
    return sum(each[0] for each in moved), sum(each[1] for each in moved)
