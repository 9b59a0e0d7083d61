"""Stamps of files: which moment the table of a file is of."""

from portal import ledger
from portal.pages.exports import Stamp
from portal.runtime import runtime


def now(title: str) -> Stamp:
    """A table of what is there at the moment, beside the last hour that is closed."""
    with runtime().reading() as connection:
        return Stamp(title, ledger.now(connection), ledger.last_closed_hour(connection))
