"""hledger's grammar: text that ends at a semicolon, tags that end at a comma, quoted commodities.

Amounts may have any number of digits, and up to 255 decimals; measured with hledger 1.25.
"""

from collections.abc import Iterator

from portal.ledger.spans import DAY
from portal.services.journals.journal import Entry, Journal

KINDS = {"asset": "A", "liability": "L", "equity": "E", "income": "R", "expense": "X"}
ENDS = ";,\\"
"""What would end a text, or begins an escape."""
NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}
CONTROLS = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
ESCAPES = str.maketrans(
    {chr(code): f"\\u{code:04x}" for code in (*CONTROLS, *map(ord, ENDS))} | NAMED
)


def escaped(text: str) -> str:
    r"""A text in one line that ends nothing: what can't stand in it is written as JSON does, `\u003b`."""
    return text.translate(ESCAPES)


def lines(journal: Journal) -> Iterator[str]:
    """Commodities, accounts, the balances that must come out, the opening, then every entry."""
    yield "decimal-mark .\n\n"
    for asset, scale in journal.assets.items():
        yield f'commodity 1000.{"0" * scale} "{asset}"\n'
    yield "\n"
    for account in journal.accounts:
        yield f"account {account.name}  ; type: {KINDS[account.type]}\n"
    yield f"\n{journal.wanted.last + DAY} * the balances that all comes to\n"
    for account in journal.accounts:
        closing = f'0 "{account.asset}" = {account.decimal(account.closing)} "{account.asset}"'
        yield f"    {account.name}  {closing}\n"
    if any(account.opening for account in journal.accounts):
        yield f"\n{journal.wanted.first - DAY} * opening balances\n"
        for account in journal.accounts:
            if account.opening:
                opening = f'{account.decimal(account.opening)} "{account.asset}"'
                yield f"    {account.name}  {opening}\n"
    for entry in journal.entries:
        yield _transaction(entry, journal)


def _transaction(entry: Entry, journal: Journal) -> str:
    head = entry.head
    about = f" | {escaped(entry.about)}" if entry.about else ""
    made = [
        f"\n{head.accounting_date} * ({head.entry_id}) {head.kind}{about}\n",
        *(f"    ; {name}: {escaped(value)}\n" for name, value in entry.fields),
    ]
    for row in entry.postings:
        made.append(f'    {journal.names[row.ledger, row.debit]}  {row.amount} "{row.asset}"\n')
        made.append(f'    {journal.names[row.ledger, row.credit]}  -{row.amount} "{row.asset}"\n')
    return "".join(made)
