"""The advisory locks that services take, by classes in one place: two of a class and number exclude each other.

The ledger's own are 1 (an hour) and 3 (the clock's mark): portal/ledger/sql/10_clock.sql.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from portal.runtime import runtime

RUN = 2
"""An hour's conversion, by the number of the hour: who starts it."""
ENDPOINT = 7
"""A webhook endpoint, by its id: who delivers to it."""
CLIENT_ENDPOINTS = 8
"""A client's endpoints, by the client's id: who makes one."""
IMPORT = 9
"""An import, by its id: who books its lines."""
VERIFICATION = 10
"""The books: who verifies them (0), who asks for that (1)."""
ADMINS = 12
"""Who is an admin (always 0): who changes that."""


@contextmanager
def alone(of: int, number: int, *, wait: bool) -> Iterator[bool]:
    """Hold a lock for the block, or be told that somebody else does; with `wait` until they end.

    It ends with the process, whatever becomes of it.
    """
    call = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    with runtime().engine.begin() as connection:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        held = connection.scalar(text(f"SELECT {call}({of}, {number})"))
        yield wait or bool(held)
