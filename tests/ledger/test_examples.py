"""Runs the worked entries of portal/ledger/README.md through the real posting path.

A block fenced as `entry` has action lines (`KIND AMOUNT ASSET`, `conversion at RATE`, and of the entry in
the line before `reversal`, `capture AMOUNT ASSET` or `release ASSET`), a blank line, and the postings of the last action: ledger, debit ← credit, amount;
in brackets the balance after, of a user's account.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import text

from portal.ledger import amounts, chart
from tests.factories import Books

README = Path(chart.__file__).parent / "README.md"
BLOCK = re.compile(r"^```entry\n(.*?)\n\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
SIDE = r"(\w+)(?: \((-?[\d.]+)\))?"
LINE = re.compile(rf"(\w+) +{SIDE} +← +{SIDE} +([\d.]+)")

POSTINGS = """
SELECT l.code AS ledger, s.scale, d.code AS debit, p.debit_balance, c.code AS credit, p.credit_balance, p.amount
FROM ledger.postings p
JOIN ledger.ledgers l ON l.id = p.ledger_id JOIN ledger.assets s ON s.code = l.asset
JOIN ledger.accounts d ON d.id = p.debit_account_id JOIN ledger.accounts c ON c.id = p.credit_account_id
WHERE p.owner_id = :owner AND p.seq = (SELECT max(seq) FROM ledger.entries WHERE owner_id = :owner)
ORDER BY p.line
"""

Row = tuple[str | None, ...]


@dataclass(frozen=True)
class Example:
    actions: list[str]
    postings: list[Row]

    @property
    def kind(self) -> str:
        return self.actions[-1].split()[0]


def examples() -> list[Example]:
    found = []
    for actions, postings in BLOCK.findall(README.read_text()):
        rows = [LINE.fullmatch(line) for line in postings.splitlines()]
        assert all(rows), f"not a posting in: {postings}"
        found.append(Example(actions.splitlines(), [row.groups() for row in rows if row]))
    return found


EXAMPLES = examples()


def act(books: Books, owner: int, action: str, last_seq: int | None) -> int | None:
    """Do what a line says; the seq of its entry, where it is the user's own."""
    kind, *words = action.split()
    if kind == "conversion":
        books.convert(books.next_hour(), words[1])
        return None
    asset = words[-1]
    if kind == "reversal":
        assert last_seq
        return books.reverse(owner, last_seq, asset)
    if kind in ("capture", "release"):
        assert last_seq
        amount = words[0] if kind == "capture" else None
        return books._posted(books.entry(kind, owner, amount, asset=asset, ends=last_seq))
    amount = words[0]
    if kind == "fee_settlement":
        entry = books.entry("spend", owner, amount, asset=asset)
        fees = next(led.id for led in chart.FIXED_LEDGERS if led.code == "FEES")
        return books._posted(replace(entry, kind=kind, ledger_id=fees))
    at = books.now() if kind == "win" else None
    return books._posted(books.entry(kind, owner, amount, asset=asset, at=at))


def posted(books: Books, owner: int) -> list[Row]:
    """The postings of the owner's last entry, written as in the examples."""
    with books.engine.connect() as connection:
        rows = connection.execute(text(POSTINGS), {"owner": owner}).all()

    def write(units: object, scale: int) -> str | None:
        return None if units is None else amounts.text(int(str(units)), scale)

    return [
        (
            r.ledger,
            r.debit,
            write(r.debit_balance, r.scale),
            r.credit,
            write(r.credit_balance, r.scale),
            write(r.amount, r.scale),
        )
        for r in rows
    ]


def test_every_kind_has_a_worked_example_under_its_own_heading() -> None:
    assert {example.kind for example in EXAMPLES} == {kind.code for kind in chart.KINDS}
    for section in re.split(r"^### ", README.read_text(), flags=re.MULTILINE)[1:]:
        heading = section.partition("\n")[0]
        kinds = {actions.splitlines()[-1].split()[0] for actions, _ in BLOCK.findall(section)}
        assert kinds == {heading}


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=[e.actions[-1].replace(" ", "_") for e in EXAMPLES]
)
def test_the_example_books_what_it_says(books: Books, example: Example) -> None:
    owner = chart.HOUSE if example.kind == "fee_settlement" else books.owner()
    seq = None
    for action in example.actions:
        seq = act(books, owner, action, seq)
    assert posted(books, owner) == example.postings
