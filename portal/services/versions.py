"""Versions of what is read again and again: texts that differ when an answer does, from one small query.

A version is asked for before what it is of, so that it can only be older than that. It must then never
come back: an owner's numbers only grow, and PostgreSQL's `xmin` tells that a row was written even if
what it says was said before.
"""

from typing import Any

from sqlalchemy import text

from portal import ledger
from portal.runtime import runtime

# Every entry of a user moves last_seq on; beside it an answer depends on the day and the zone that the
# clock says, and on which assets there are.
BOOKS = """
SELECT o.last_seq, d.day, ledger.zone_of(o.owner_id, now.at), (SELECT max(l.id) FROM ledger.ledgers l)
FROM (SELECT ledger.clock() AS at) now
CROSS JOIN ledger.owners o
CROSS JOIN LATERAL ledger.local_day(o.owner_id, now.at) d
WHERE o.owner_id = :user_id
"""

USER = """
SELECT u.xmin::text, md5(u::text), ledger.zone_of(u.id, now.at), z.zone, z.from_at
FROM (SELECT ledger.clock() AS at) now
CROSS JOIN users u
LEFT JOIN ledger.owner_zones z ON z.owner_id = u.id AND z.from_at > now.at
WHERE u.id = :user_id
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
    with ledger.autocommit(runtime().engine).connect() as connection:
        row = connection.execute(text(query), known).first()
    return None if row is None else repr(tuple(row))
