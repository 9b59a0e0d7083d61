"""Hours of the books: each is closed once it is over, and added up, whether or not it can be converted yet.

A conversion closes its hour itself; this goes on where an hour before waits for its rate, so that what is
not closed stays short, and with it what a trial balance of now has to add up.
"""

from datetime import datetime

from sqlalchemy import Connection

from portal import ledger
from portal.runtime import runtime


def close_due() -> int:
    """Close every hour that is over, oldest first; how many. Safe to run twice at once."""
    closed = 0
    with runtime().engine.connect() as connection:
        while (hour := _next(connection)) is not None:
            closed += ledger.close_hour(connection, hour)
    return closed


def _next(connection: Connection) -> datetime | None:
    """The first hour that is over and not closed."""
    last = ledger.last_closed_hour(connection)
    hour = last + ledger.HOUR if last else ledger.first_booked_hour(connection)
    if hour is None or hour + ledger.HOUR > ledger.now(connection):
        return None
    return hour
