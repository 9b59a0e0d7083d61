"""Users as staff look them up: a list of them, newest first, and one with all that is known of who it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from portal.ledger.errors import NotFound
from portal.runtime import runtime
from portal.services.users import ZoneChange, as_number, region_name

Place = tuple[datetime, int]
"""When a user was made, and the user's id: where a list goes on."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which users are asked for; None: any."""

    who: str | None = None
    """An id, or how an external id, an e-mail or a name begins."""
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A user as a list tells of one."""

    id: int
    external_id: str
    name: str
    email: str | None
    region: str
    created_at: datetime
    time_zone: str
    has_sign_in: bool

    @property
    def place(self) -> Place:
        """Where the list goes on after this one."""
        return self.created_at, self.id


@dataclass(frozen=True, slots=True)
class Door:
    """A user's sign-in: how it stands with the way into the portal."""

    id: int
    email: str
    created_at: datetime
    second_factor_since: datetime | None
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Person:
    """Who a user is."""

    id: int
    external_id: str
    name: str
    email: str | None
    region: str
    created_at: datetime
    time_zone: str
    change: ZoneChange | None
    """The time zone that is to come."""
    door: Door | None
    deletion_asked_at: datetime | None


# Each region is read by the index of its newest, and what all of them are cut to is looked up further.
# An index finds what begins with a text (`^@`): nothing in the text means anything but itself.
PAGE = """
SELECT u.*, ledger.zone_of(u.id, now.at) AS zone,
       EXISTS (SELECT FROM sign_ins s WHERE s.user_id = u.id) AS has_sign_in
FROM (SELECT ledger.clock() AS at OFFSET 0) now
CROSS JOIN (
    SELECT u.* FROM unnest(CAST(:regions AS smallint[])) r (region)
    CROSS JOIN LATERAL (
        SELECT id, external_id, display_name, email, region, created_at FROM users u
        WHERE u.region = r.region
          AND (CAST(:at AS timestamptz) IS NULL OR (u.created_at, u.id) < (:at, :id))
          AND (CAST(:who AS text) IS NULL OR u.id = :number OR u.external_id ^@ :who
               OR lower(u.email) ^@ lower(:who) OR lower(u.display_name) ^@ lower(:who))
        ORDER BY u.created_at DESC, u.id DESC LIMIT :limit) u
    ORDER BY u.created_at DESC, u.id DESC LIMIT :limit) u
ORDER BY u.created_at DESC, u.id DESC
"""

PERSON = """
SELECT u.*, ledger.zone_of(u.id, now.at) AS zone, z.zone AS next, z.from_at, s.id AS sign_in_id,
       s.email AS sign_in_email, s.created_at AS sign_in_at, s.totp_since, s.disabled_at, d.requested_at
FROM (SELECT ledger.clock() AS at OFFSET 0) now
JOIN users u ON u.id = :id
LEFT JOIN ledger.owner_zones z ON z.owner_id = u.id AND z.from_at > now.at
LEFT JOIN sign_ins s ON s.user_id = u.id
LEFT JOIN deletion_requests d ON d.user_id = u.id AND d.withdrawn_at IS NULL AND d.done_at IS NULL
"""


def page(filters: Filters, before: Place | None, limit: int) -> list[Listed]:
    """Users, newest first, from the one at the place `before` (exclusive) on."""
    at, last_id = before or (None, None)
    known = {
        "who": filters.who,
        "number": as_number(filters.who),
        "regions": list(_regions(filters.region)),
        "at": at,
        "id": last_id,
        "limit": limit,
    }
    with runtime().snapshot() as connection:
        return [
            Listed(
                id=row.id,
                external_id=row.external_id,
                name=row.display_name,
                email=row.email,
                region=region_name(row.region),
                created_at=row.created_at,
                time_zone=row.zone,
                has_sign_in=row.has_sign_in,
            )
            for row in connection.execute(text(PAGE), known)
        ]


def person(user_id: int) -> Person:
    """Who it is. Raises NotFound('unknown_user')."""
    with runtime().snapshot() as connection:
        row = connection.execute(text(PERSON), {"id": user_id}).one_or_none()
    if row is None:
        raise NotFound("unknown_user", f"there is no user {user_id}")
    door = (row.sign_in_id, row.sign_in_email, row.sign_in_at, row.totp_since, row.disabled_at)
    return Person(
        id=row.id,
        external_id=row.external_id,
        name=row.display_name,
        email=row.email,
        region=region_name(row.region),
        created_at=row.created_at,
        time_zone=row.zone,
        change=ZoneChange(row.next, row.from_at) if row.next else None,
        door=Door(*door) if row.sign_in_id else None,
        deletion_asked_at=row.requested_at,
    )


def _regions(name: str | None) -> Iterable[int]:
    """The numbers of one region, or of all."""
    known = runtime().settings.regions
    return [known.index(name)] if name in known else range(len(known))
