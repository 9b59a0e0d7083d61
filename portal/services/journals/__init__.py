"""Whole ledgers in the formats of accountants' programs, as lines that are made while they are sent.

Beancount and hledger each have a module that knows their grammar; both tell the same `Journal`: the
accounts as they opened and closed, and every entry between. The balances they must come to stand at the
top of the file, so a file that was cut off is one in which both programs find a fault.
"""

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection

from portal import ledger
from portal.ledger import Range
from portal.ledger.errors import Refused
from portal.services.journals import beancount, hledger
from portal.services.journals.journal import Account, Journal, read

__all__ = ["FORMATS", "Account", "Journal", "check", "lines", "read"]

MOST_ROWS = 2_000_000
"""Of a workbook: while it is made it takes 1.8 kB of disk a row, and half a minute of a processor a quarter million."""
FORMATS: dict[str, Callable[[Journal], Iterator[str]]] = {
    "beancount": beancount.lines,
    "hledger": hledger.lines,
}


def check(connection: Connection, wanted: Range, form: str, most_rows: int = MOST_ROWS) -> None:
    """Raise Refused for what a format can't hold.

    'too_many_digits' where Beancount can't compute with a ledger's figures, 'too_many_rows' where a
    workbook would fill the disk.
    """
    if form == "xlsx" and ledger.count_postings(connection, wanted, most_rows + 1) > most_rows:
        raise Refused(
            "too_many_rows",
            f"a workbook of more than {most_rows:,} postings takes too long: choose fewer days, or CSV",
            param="format",
        )
    if form == "beancount":
        _check_digits(read(connection, wanted))


def _check_digits(journal: Journal) -> None:
    for account in journal.accounts:
        if account.most >= 10**beancount.DIGITS:
            raise Refused(
                "too_many_digits",
                f"Beancount computes with {beancount.DIGITS} digits, and {account.code} of "
                f"{account.ledger} needs {len(str(account.most))}: take hledger, which has no limit",
                param="format",
            )


def lines(
    connection: Connection, wanted: Range, form: str, above: Sequence[str] = ()
) -> Iterator[str]:
    """The file, some lines at a time; what stands `above` becomes its first comment.

    The connection's snapshot must stay the same until the last line.
    """
    for line in above:
        yield f"; {line.removeprefix('# ')}\n"
    yield from FORMATS[form](read(connection, wanted))
