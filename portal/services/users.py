"""Users: people with their books, and their dated time zones.

A user's id is the owner of the books: the region's number in the top bits, then a sequence.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from json import dumps
from typing import Any

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from portal import ledger
from portal.ledger.errors import NotFound, Refused
from portal.runtime import runtime
from portal.services import audit
from portal.services.models import User, user_numbers

REGION_SHIFT = 48
MAX_ID = 2**63 - 1
_passed: set[str] = set()
"""Zones that the database was found to know."""
ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
ENTRY_ID = re.compile(r"(0|[1-9][0-9]{0,18})-([1-9][0-9]{0,18})", re.ASCII)
"""Of anybody's entry, the company's own too, which is owner 0."""


@dataclass(frozen=True, slots=True)
class ZoneChange:
    """A time zone that will be in force from `start` on."""

    time_zone: str
    start: datetime


@dataclass(frozen=True, slots=True)
class Profile:
    """A user with the time zone in force now and the change that is to come, if any."""

    id: int
    external_id: str
    display_name: str
    email: str | None
    region: str
    created_at: datetime
    time_zone: str
    change: ZoneChange | None


def parse_id(text: str) -> int:
    """The id in a path. Raises NotFound('unknown_user') for what can't be one."""
    number = as_number(text)
    if number is None:
        raise NotFound("unknown_user", "there is no such user")
    return number


def as_number(text: str | None) -> int | None:
    """The number of a user, an entry or a row that a text may be; None for what can be none."""
    return int(text) if text and ID.fullmatch(text) and int(text) <= MAX_ID else None


def region_numbers(names: Iterable[str]) -> frozenset[int]:
    """The numbers that ids of these regions begin with; of one that is no more, none."""
    known = runtime().settings.regions
    return frozenset(known.index(name) for name in names if name in known)


def region_name(number: int) -> str:
    """What the region is called that ids begin with; one that is no more has its number."""
    known = runtime().settings.regions
    return known[number] if number < len(known) else f"region {number}"


def parse_entry_id(text: str, user_id: int) -> int | None:
    """The number of an entry `<user>-<seq>` in a path; None for what can be no entry of the user."""
    owner, _, seq = text.partition("-")
    return as_number(seq) if owner == str(user_id) else None


def any_entry_id(text: str) -> tuple[int, int] | None:
    """The owner and the number that an entry's id is made of; None for what can be none."""
    found = ENTRY_ID.fullmatch(text)
    owner, seq = map(int, found.groups()) if found else (0, 0)
    return (owner, seq) if 0 < seq <= MAX_ID and owner <= MAX_ID else None


def create(
    external_id: str,
    display_name: str,
    time_zone: str = "UTC",
    email: str | None = None,
    region: str | None = None,
) -> tuple[Profile, bool]:
    """Make a user and open the books; the same request again finds the user and answers False.

    Raises Refused('user_exists') for another request with the same external id, and
    Refused('validation_failed') for an unknown time zone or region.
    """
    with runtime().engine.begin() as connection:
        return create_within(connection, external_id, display_name, time_zone, email, region)


def create_within(
    connection: Connection,
    external_id: str,
    display_name: str,
    time_zone: str = "UTC",
    email: str | None = None,
    region: str | None = None,
) -> tuple[Profile, bool]:
    """The same, in the caller's transaction."""
    known = runtime().settings.regions
    if region is not None and region not in known:
        raise Refused(
            "validation_failed", f"region must be one of {', '.join(known)}", param="region"
        )
    number = known.index(region) if region else 0
    body = dumps([external_id, display_name, time_zone, email, region])
    digest = sha256(body.encode()).digest()
    check_zone(connection, time_zone)
    if (found := _existing(connection, external_id, digest)) is not None:
        return found, False
    row = {
        "id": (number << REGION_SHIFT) | connection.scalar(user_numbers),
        "external_id": external_id,
        "display_name": display_name,
        "email": email,
        "region": number,
        "created_at": ledger.now(connection),
        "creation_hash": digest,
    }
    made = insert(User).values(row).on_conflict_do_nothing(index_elements=["external_id"])
    created = connection.execute(made.returning(User.id)).scalar()
    if created is not None:
        connection.execute(
            text("SELECT ledger.open_owner(:id, :zone)"), {"id": created, "zone": time_zone}
        )
        if audit.actor().kind == "command_line":  # game servers make theirs by the thousand
            made_so = {"external_id": external_id, "time_zone": time_zone}
            audit.record(connection, "user.made", "user", created, after=made_so)
    profile = _existing(connection, external_id, digest)
    assert profile is not None
    return profile, created is not None


def _existing(connection: Connection, external_id: str, digest: bytes) -> Profile | None:
    """The user of an external id, who must have been made by this very request."""
    query = select(User.id, User.creation_hash).where(User.external_id == external_id)
    user = connection.execute(query).one_or_none()
    if user is None:
        return None
    if bytes(user.creation_hash) != digest:
        raise Refused("user_exists", "a user with this external_id was made by another request")
    return _profile(connection, user.id)


def get(user_id: int) -> Profile:
    """Raises NotFound('unknown_user')."""
    with runtime().snapshot() as connection:
        return _profile(connection, user_id)


def change(user_id: int, changes: dict[str, Any]) -> Profile:
    """Change display_name, email or time_zone; what is not named stays.

    A new zone holds from the end of the user's current local day, at most one change in 30 days
    (setting ZONE_CHANGE_DAYS): sooner is Refused('validation_failed').
    """
    with runtime().engine.begin() as connection:
        return change_within(connection, user_id, changes)


def change_within(connection: Connection, user_id: int, changes: dict[str, Any]) -> Profile:
    """The same, in the caller's transaction."""
    columns = {key: value for key, value in changes.items() if key != "time_zone"}
    if columns:
        connection.execute(update(User).where(User.id == user_id).values(columns))
    _profile(connection, user_id)
    if "time_zone" in changes:
        _change_zone(connection, user_id, changes["time_zone"])
    return _profile(connection, user_id)


def _change_zone(connection: Connection, user_id: int, zone: str) -> None:
    settings = runtime().settings
    check_zone(connection, zone)
    values = {
        "id": user_id,
        "zone": zone,
        "ahead": settings.win_max_ahead,
        "spacing": settings.zone_change_spacing,
    }
    try:
        connection.execute(text("SELECT ledger.change_zone(:id, :zone, :ahead, :spacing)"), values)
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != "DL004":
            raise
        days = settings.zone_change_spacing.days
        detail = f"the time zone can be changed once in {days} days"
        raise Refused("validation_failed", detail, param="time_zone") from error


def check_zone(connection: Connection, zone: str) -> None:
    """Raises Refused('validation_failed') unless Python and PostgreSQL both know the zone."""
    if zone not in zones() or not _database_knows(connection, zone):
        raise Refused("validation_failed", "time_zone must be an IANA time zone", param="time_zone")
    _passed.add(zone)


@cache
def zones() -> frozenset[str]:
    """The names of all IANA time zones: tzdata's list, as a machine's own has more, `localtime` say."""
    return frozenset(files("tzdata").joinpath("zones").read_text().split())


def _database_knows(connection: Connection, zone: str) -> bool:
    if zone in _passed:
        return True
    try:
        with connection.begin_nested():
            connection.execute(text("SELECT clock_timestamp() AT TIME ZONE :zone"), {"zone": zone})
    except DBAPIError:
        return False
    return True


ZONES = """
SELECT ledger.zone_of(:id, now.at) AS zone, z.zone AS next, z.from_at
FROM (SELECT ledger.clock() AS at) now
LEFT JOIN ledger.owner_zones z ON z.owner_id = :id AND z.from_at > now.at
"""


def _profile(connection: Connection, user_id: int) -> Profile:
    user = connection.execute(select(User.__table__).where(User.id == user_id)).first()
    if user is None:
        raise NotFound("unknown_user", f"there is no user {user_id}")
    zones = connection.execute(text(ZONES), {"id": user_id}).one()
    change = ZoneChange(zones.next, zones.from_at) if zones.next else None
    return Profile(
        user.id,
        user.external_id,
        user.display_name,
        user.email,
        region_name(user.region),
        user.created_at,
        zones.zone,
        change,
    )
