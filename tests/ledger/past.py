"""Two days of everything in one database, and all its postings, to hold reads against by adding up."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import URL, Engine, text

from portal import create_app
from tests.conftest import settings_for
from tests.factories import Books, Days, some_days


@dataclass(frozen=True)
class Posting:
    """A posting as it is stored, with the head of its entry."""

    owner_id: int
    seq: int
    day: date
    booked_at: datetime
    kind: str
    game: str | None
    reverses_seq: int | None
    ledger: str
    debit: str
    credit: str
    amount: int


POSTINGS = """
SELECT p.owner_id, p.seq, p.day, p.booked_at, k.code, e.game, e.reverses_seq, l.code, d.code, c.code, p.amount
FROM ledger.postings p JOIN ledger.entries e ON e.owner_id = p.owner_id AND e.seq = p.seq
JOIN ledger.entry_kinds k ON k.id = e.kind_id JOIN ledger.ledgers l ON l.id = p.ledger_id
JOIN ledger.accounts d ON d.id = p.debit_account_id JOIN ledger.accounts c ON c.id = p.credit_account_id
ORDER BY p.owner_id, p.seq, p.line
"""
WALLETS = {"TOKENS_INVENTORY", "USD_INVENTORY", "INVENTORY", "HELD"}


def make(url: URL, var_dir: Path) -> Days:
    """Two days of everything, for all tests of a module."""
    app = create_app(settings_for(url, var_dir))
    with app.app_context():
        engine = app.extensions["dreamland"].engine
        made = some_days(Books(engine))
    engine.dispose()
    return made


def postings_of(engine: Engine) -> list[Posting]:
    """All of them, by owner and number."""
    with engine.connect() as connection:
        rows = connection.execute(text(POSTINGS))
        return [Posting(*row[:10], int(row[10])) for row in rows]  # type: ignore[call-arg]


def moved(postings: list[Posting]) -> int:
    """What postings of one ledger did to the wallet."""
    return sum(p.amount * ((p.debit in WALLETS) - (p.credit in WALLETS)) for p in postings)


def held(postings: list[Posting]) -> int:
    """What they did to what is set aside."""
    return sum(p.amount * ((p.debit == "HELD") - (p.credit == "HELD")) for p in postings)
