"""Accounting periods: UTC months, whose books are closed once they are over."""

from datetime import date

from portal import ledger
from portal.runtime import runtime
from portal.services import audit


def close(month: date, *, running: bool = False) -> bool:
    """Close a month, named by its first day; False if it was closed before.

    Raises Refused('period_not_over') for one that is not over, unless `running`: then nothing at all is
    booked until the next one begins, for a move to other books, say.
    """
    with runtime().engine.begin() as connection:
        closed = ledger.close_period(connection, month, running=running)
        if closed:
            audit.record(
                connection, "period.closed", "month", f"{month:%Y-%m}", after={"running": running}
            )
        return closed
