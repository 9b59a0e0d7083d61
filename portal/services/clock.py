"""The ledger clock, which development and testing may set forward, for one database."""

from datetime import datetime

from portal import ledger
from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services import audit


def now() -> datetime:
    """What the ledger clock says."""
    with runtime().engine.connect() as connection:
        return ledger.now(connection)


def move(at: datetime) -> datetime:
    """Move the ledger clock forward to `at`; what it then says.

    Raises Refused('forbidden') in production and Refused('clock_not_moved') where it is later.
    """
    if runtime().settings.is_production:
        raise Refused("forbidden", "production's ledger clock is never moved")
    with runtime().engine.begin() as connection:
        before = ledger.now(connection)
        after = ledger.set_clock(connection, at)
        audit.record(
            connection, "clock.moved", "clock", before={"time": before}, after={"time": after}
        )
        return after
