"""Stops the ledger clock at a full hour, as a machine whose own clock went back would.

`ledger.clock()` is never inside a closed hour: on a machine whose time lies years back it stands
still at the end of the last closed one. Times can then be compared to the microsecond.
"""

from datetime import datetime

from sqlalchemy import Engine, text


def freeze(owner_engine: Engine, at: datetime) -> None:
    """Stand still at `at`, a full UTC hour later than any closed one, as the database's owner."""
    assert at == at.replace(minute=0, second=0, microsecond=0)
    with owner_engine.begin() as connection:
        connection.execute(text("UPDATE ledger.clock_shift SET shift = '-100 years'"))
        connection.execute(
            text(
                "INSERT INTO ledger.closed_hours VALUES (CAST(:at AS timestamptz) - interval '1 hour', now())"
            ),
            {"at": at},
        )
