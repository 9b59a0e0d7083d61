"""What a journal tells, in whatever format: accounts with their balances, and entries with their postings."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection

from portal import ledger
from portal.ledger import PostingRow, Range, Span, amounts
from portal.ledger.trial_balance import Line

TOPS = {
    "asset": "Assets",
    "liability": "Liabilities",
    "equity": "Equity",
    "income": "Income",
    "expense": "Expenses",
}
"""What both programs call the types of accounts."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it opened and closed; balances are debits less credits, in base units."""

    ledger: str
    code: str
    type: str
    asset: str
    scale: int
    opening: int
    closing: int
    most: int
    """No balance between has more base units."""

    @property
    def name(self) -> str:
        """Assets:GOLD-COIN:INVENTORY. Beancount knows no `_` in names, and no code has a `-`."""
        return f"{TOPS[self.type]}:{self.ledger}:{self.code}".replace("_", "-")

    def decimal(self, units: int) -> str:
        """Base units as the decimal that they are."""
        return amounts.text(units, self.scale)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry with those of its postings that were asked for; there is at least one."""

    postings: list[PostingRow]

    @property
    def head(self) -> PostingRow:
        """What is the same in all postings stands in the first."""
        return self.postings[0]

    @property
    def about(self) -> str:
        """What it is about, in a client's words."""
        head = self.head
        return head.description or head.reason or head.reference or ""

    @property
    def fields(self) -> Iterator[tuple[str, str]]:
        """What the books know of it, by name, with what somebody said."""
        head = self.head
        yield from (("entry", head.entry_id), ("kind", head.kind), ("user", str(head.user_id)))
        yield from (("client", str(head.client_id)), ("day", head.day))
        yield from (("occurred_at", head.occurred_at), ("booked_at", head.booked_at))
        providers = dict.fromkeys(row.provider for row in self.postings if row.provider)
        said = {"provider": ", ".join(providers), "game": head.game, "reference": head.reference}
        said |= {"description": head.description, "reason": head.reason}
        said |= {"reverses": head.reverses, "hold": head.hold}
        yield from ((name, value) for name, value in said.items() if value)


@dataclass(frozen=True, slots=True)
class Journal:
    """Of a range: all accounts of its ledgers, then its entries in the order they were booked, once."""

    wanted: Range
    title: str
    accounts: list[Account]
    names: dict[tuple[str, str], str]
    """Of accounts, by ledger and code."""
    entries: Iterator[Entry]

    @property
    def assets(self) -> dict[str, int]:
        """Each asset with its scale."""
        return {account.asset: account.scale for account in self.accounts}


def read(connection: Connection, wanted: Range) -> Journal:
    """The journal of a range, in the connection's snapshot."""
    span = Span.accounting(wanted.first, wanted.last)
    found = ledger.trial_balance(connection, span).lines
    accounts = [_account(line) for line in found if wanted.ledger in (None, line.ledger)]
    title = f"{wanted.ledger or 'all ledgers'}, {wanted.first} to {wanted.last}"
    names = {(account.ledger, account.code): account.name for account in accounts}
    return Journal(wanted, title, accounts, names, _entries(connection, wanted))


def _account(line: Line) -> Account:
    opening = line.opening_debits - line.opening_credits
    moved = line.debits - line.credits
    most = abs(opening) + max(line.debits, line.credits)
    names = (line.ledger, line.account, line.type, line.asset, line.scale)
    return Account(*names, opening, opening + moved, most)


def _entries(connection: Connection, wanted: Range) -> Iterator[Entry]:
    rows = ledger.posting_rows(connection, wanted)
    for _, same in groupby(rows, key=attrgetter("entry_id")):
        yield Entry(list(same))
