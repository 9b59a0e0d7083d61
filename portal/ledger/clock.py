"""The ledger clock and the hours of the books: the one "now" of Dreamland."""

from datetime import date, datetime, timedelta

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from portal.ledger.errors import Refused

HOUR = timedelta(hours=1)


def now(connection: Connection) -> datetime:
    """The ledger clock, in UTC."""
    return _moment(connection, "SELECT ledger.clock()")


def set_clock(connection: Connection, at: datetime | None) -> datetime:
    """Move the clock forward to `at` (None: the machine's time); backwards only in empty books.

    Raises Refused('clock_not_moved'). Whether the environment allows it, the caller asks.
    """
    try:
        moved = connection.execute(text("SELECT ledger.set_clock(:at)"), {"at": at}).scalar_one()
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) == "DL001":
            raise Refused("clock_not_moved", str(error.orig).partition("\n")[0]) from error
        raise
    assert isinstance(moved, datetime)
    return moved


def shift(connection: Connection) -> timedelta:
    """How far the clock is ahead of the machine's."""
    moved = connection.execute(text("SELECT shift FROM ledger.clock_shift")).scalar_one()
    assert isinstance(moved, timedelta)
    return moved


def fix_clock(connection: Connection) -> timedelta:
    """Let nobody move this database's clock any more; tells how far it was moved. Commits."""
    moved = connection.execute(text("SELECT ledger.fix_clock()")).scalar_one()
    connection.commit()
    assert isinstance(moved, timedelta)
    return moved


def close_hour(connection: Connection, hour: datetime) -> bool:
    """Close a UTC hour that is over, after every posting of it has ended; False if it was closed.

    Hours close in order. Commits.
    """
    connection.execute(text("SET LOCAL statement_timeout = 0"))  # it adds up a whole hour
    closed = connection.execute(
        text("SELECT ledger.close_hour(:hour)"), {"hour": hour}
    ).scalar_one()
    connection.commit()
    return bool(closed)


def close_period(connection: Connection, month: date, *, running: bool) -> bool:
    """Close the books of a UTC month, named by its first day, for ever; False if they were.

    One that is not over is Refused('period_not_over') unless `running`: then nothing at all is booked
    until the next one begins.
    """
    known = {"month": month, "running": running}
    try:
        query = text("SELECT ledger.close_period(:month, :running)")
        closed = connection.execute(query, known).scalar_one()
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) == "DL014":
            raise Refused("period_not_over", str(error.orig).partition("\n")[0]) from error
        raise
    return bool(closed)


def last_closed_hour(connection: Connection) -> datetime | None:
    """The latest closed hour, or None while none is."""
    last: datetime | None = connection.execute(
        text("SELECT max(hour) FROM ledger.closed_hours")
    ).scalar_one()
    return last


def first_booked_hour(connection: Connection) -> datetime | None:
    """The hour of the first entry, or None in empty books."""
    first: datetime | None = connection.execute(
        text("SELECT ledger.hour_of(min(booked_at)) FROM ledger.entries")
    ).scalar_one()
    return first


def _moment(connection: Connection, statement: str) -> datetime:
    at = connection.execute(text(statement)).scalar_one()
    assert isinstance(at, datetime)
    return at
