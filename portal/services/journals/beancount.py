"""Beancount's grammar: quoted strings, commodities, and the day whose beginning a balance holds at.

Its arithmetic is that of Python's Decimal with its default context: 28 digits. What needs more is refused
before a line is written (`check` of this package); measured with beancount 3.2.3.
"""

from collections.abc import Iterator

from portal.ledger.spans import DAY
from portal.services.journals.journal import Entry, Journal

DIGITS = 28
SHOWN = 6
"""Decimals that Fava is told to show: it rounds to as many as are usual in the file, with the browser's doubles."""
RESERVED = frozenset({"TRUE", "FALSE", "NULL"})
"""Words of the grammar that would be codes of assets."""
ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def quoted(text: str) -> str:
    """A string literal, in one line."""
    return f'"{text.translate(ESCAPES)}"'


def commodity(code: str) -> str:
    """An asset's code as a commodity: one that can be none has `.X` behind it, which no code has."""
    return f"{code}.X" if code in RESERVED or code.endswith("_") else code


def lines(journal: Journal) -> Iterator[str]:
    """Options, commodities, accounts, the balances that must come out, the opening, then every entry."""
    before = journal.wanted.first - DAY
    symbols = {asset: commodity(asset) for asset in journal.assets}
    yield f'option "title" {quoted("Dreamland: " + journal.title)}\n'
    for symbol in symbols.values():
        yield f'option "operating_currency" "{symbol}"\n'
    for asset, symbol in symbols.items():
        decimals = min(journal.assets[asset], SHOWN)
        yield f"\n{before} commodity {symbol}\n  asset: {quoted(asset)}\n  precision: {decimals}\n"
    yield "\n"
    for account in journal.accounts:
        yield f"{before} open {account.name}  {symbols[account.asset]}\n"
    yield "\n"
    for account in journal.accounts:
        closing = f"{account.decimal(account.closing)} ~ 0 {symbols[account.asset]}"
        yield f"{journal.wanted.last + DAY} balance {account.name}  {closing}\n"
    if any(account.opening for account in journal.accounts):
        yield f'\n{before} * "opening balances"\n'
        for account in journal.accounts:
            if account.opening:
                opening = f"{account.decimal(account.opening)} {symbols[account.asset]}"
                yield f"  {account.name}  {opening}\n"
    for entry in journal.entries:
        yield _transaction(entry, journal, symbols)


def _transaction(entry: Entry, journal: Journal, symbols: dict[str, str]) -> str:
    head = entry.head
    links = f"^{head.entry_id}" + "".join(
        f" ^{other}" for other in (head.reverses, head.hold) if other
    )
    made = [
        f"\n{head.accounting_date} * {quoted(head.kind)} {quoted(entry.about)} {links}\n",
        *(f"  {name}: {quoted(value)}\n" for name, value in entry.fields),
    ]
    for row in entry.postings:
        symbol = symbols[row.asset]
        made.append(f"  {journal.names[row.ledger, row.debit]}  {row.amount} {symbol}\n")
        made.append(f"  {journal.names[row.ledger, row.credit]}  -{row.amount} {symbol}\n")
    return "".join(made)
