"""What a person may change of their own: the name, the time zone, the password."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, text, update

from portal.ledger.errors import NotFound, Refused
from portal.runtime import runtime
from portal.services import audit, mails, users
from portal.services.accounts import links, passwords, sessions, signing_in
from portal.services.accounts.sign_up import checked_name
from portal.services.models import SignIn
from portal.services.users import ZoneChange


@dataclass(frozen=True, slots=True)
class Zones:
    """A user's time zone, and when it may be another."""

    zone: str
    change: ZoneChange | None
    """The one that is to come."""
    starts_at: datetime
    """When a change that is made now would be in force: the end of the user's day."""
    open_from: datetime | None
    """From when on it may be changed; None: now."""


ZONES = """
SELECT ledger.zone_of(:id, now.at) AS zone, last.zone AS next,
       CASE WHEN last.from_at > now.at THEN last.from_at END AS from_at,
       ledger.day_end(:id, now.at + :ahead) AS starts_at,
       CASE WHEN last.from_at > now.at - :spacing THEN last.from_at + :spacing END AS open_from
FROM (SELECT ledger.clock() AS at OFFSET 0) now
CROSS JOIN (SELECT zone, from_at FROM ledger.owner_zones
            WHERE owner_id = :id ORDER BY from_at DESC LIMIT 1) last
"""


def zones(user_id: int) -> Zones:
    """How it stands with a user's time zone. Raises NotFound('unknown_user')."""
    settings = runtime().settings
    known = {
        "id": user_id,
        "ahead": settings.win_max_ahead,
        "spacing": settings.zone_change_spacing,
    }
    with runtime().snapshot() as connection:
        row = connection.execute(text(ZONES), known).one_or_none()
    if row is None:
        raise NotFound("unknown_user", "there is no such user")
    change = ZoneChange(row.next, row.from_at) if row.from_at else None
    return Zones(row.zone, change, row.starts_at, row.open_from)


def change_zone(user_id: int, zone: str) -> ZoneChange | None:
    """Have another time zone from the end of the current day; the change, None where it is in force already.

    Raises Refused('validation_failed') for one that is unknown, and within 30 days of the last change.
    """
    with runtime().engine.begin() as connection:
        before = users.change_within(connection, user_id, {})
        after = users.change_within(connection, user_id, {"time_zone": zone})
        if after.change is None or after.change == before.change:
            return after.change
        audit.record(
            *(connection, "time_zone.changed", "user", user_id),
            before={"time_zone": before.time_zone},
            after={"time_zone": zone, "start": after.change.start},
        )
        return after.change


def rename(sign_in_id: int, name: str) -> None:
    """Change the name that a person is shown by. Raises Refused('validation_failed').

    Neither name is put into the audit log, which keeps what it has for ever.
    """
    name = checked_name(name, "name")
    with runtime().engine.begin() as connection:
        user_id = _user_of(connection, sign_in_id)
        if user_id is None:
            mine = update(SignIn).where(SignIn.id == sign_in_id)
            connection.execute(mine.values(name=name))
        else:
            users.change_within(connection, user_id, {"display_name": name})
        after = {"fields": ["name"]}
        audit.record(connection, "profile.changed", "sign_in", sign_in_id, after=after)


def change_password(sign_in_id: int, session_id: int, current: str, new: str) -> None:
    """Change the password; every session but this one ends, and every link that would change it.

    Raises Refused('validation_failed') with the field, `current_password` or `password`, and
    Refused('rate_limited').
    """
    kept = signing_in.confirm(sign_in_id, current)
    if current == new:
        raise Refused("validation_failed", "this is the password you have", param="password")
    with runtime().engine.connect() as connection:
        email = connection.scalars(select(SignIn.email).where(SignIn.id == sign_in_id)).one()
    passwords.check(new, email)
    hashed = passwords.hash_of(new)  # before the transaction: it takes its time
    with mails.sending() as connection:
        # Who knew the old one may come at the same time: of two, the first wins and ends the other's session.
        mine = update(SignIn).where(SignIn.id == sign_in_id, SignIn.password_hash == kept)
        if not connection.execute(mine.values(password_hash=hashed)).rowcount:
            raise signing_in.not_yours()
        sessions.end_all(connection, sign_in_id, but=session_id)
        links.void(connection, sign_in_id)
        audit.record(connection, "password.changed", "sign_in", sign_in_id)
        mails.queue(connection, "password_changed", email)


def _user_of(connection: Connection, sign_in_id: int) -> int | None:
    return connection.scalars(select(SignIn.user_id).where(SignIn.id == sign_in_id)).one()
