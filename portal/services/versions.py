"""Versions of what is read again and again: texts that differ when an answer does, from one small query.

A version is asked for before what it is of, so that it can only be older than that, by the clock or by
the books. It must then never come back: an owner's numbers only grow, and PostgreSQL's `xmin` tells
that a row was written even if what it says was said before.
"""

from contextlib import closing
from typing import Any

from portal.runtime import runtime

BOOKS = "SELECT ledger.version_of(%(user_id)s)"

USER = """
SELECT u.xmin::text, md5(u::text), ledger.zone_of(u.id, now.at), z.zone, z.from_at
FROM (SELECT ledger.clock() AS at) now
CROSS JOIN users u
LEFT JOIN ledger.owner_zones z ON z.owner_id = u.id AND z.from_at > now.at
WHERE u.id = %(user_id)s
"""

ASSETS = "SELECT max(id) FROM ledger.ledgers"

# Hours run in order: only the newest run still changes.
CONVERSIONS = """
SELECT r.hour, r.xmin::text, md5(r::text), h.rate,
       (SELECT concat_ws(':', count(*), count(c.finished_at)) FROM conversion_chunks c WHERE c.hour = r.hour)
FROM conversion_runs r LEFT JOIN ledger.hour_rates h ON h.hour = r.hour
ORDER BY r.hour DESC LIMIT 1
"""


def of_books(user_id: int) -> str | None:
    """Of all that is booked for a user, and of the user's day; None where there is no such user."""
    return _version(BOOKS, user_id=user_id)


def of_user(user_id: int) -> str | None:
    """Of a user's profile and time zones; None where there is no such user."""
    return _version(USER, user_id=user_id)


def of_assets() -> str | None:
    """Of the list of assets."""
    return _version(ASSETS)


def of_conversions() -> str | None:
    """Of the list of conversions; None while there is none."""
    return _version(CONVERSIONS)


def _version(query: str, **known: Any) -> str | None:
    with (
        runtime().snapshot() as connection,
        closing(connection.connection.cursor()) as cursor,  # the driver's own: half the cost
    ):
        cursor.execute(query, known)
        row = cursor.fetchone()
    return None if row is None or row[0] is None else repr(row)
