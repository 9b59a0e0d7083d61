"""Members of staff as the company looks after them: who there is, and what each may do."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text, update

from portal.ledger.errors import NotFound, Refused
from portal.runtime import runtime
from portal.services import audit, mails
from portal.services.accounts import admins, roles, sessions, sign_ins
from portal.services.models import SignIn


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works here."""

    id: int
    name: str
    email: str
    role: str
    created_at: datetime
    second_factor_since: datetime | None
    disabled_at: datetime | None
    last_seen_at: datetime | None
    open_sessions: int


MEMBERS = f"""
SELECT i.id, coalesce(i.name, i.email), i.email, i.role, i.created_at, i.totp_since, i.disabled_at,
       s.last_seen_at, s.opened
FROM sign_ins i
CROSS JOIN (SELECT ledger.clock() AS at OFFSET 0) now
CROSS JOIN LATERAL (
    SELECT max(s.last_seen_at) AS last_seen_at, count(*) FILTER (WHERE {sessions.OPEN}) AS opened
    FROM sessions s WHERE s.sign_in_id = i.id
) s
WHERE i.role <> 'user'
"""  # noqa: S608 - of constants
BEHIND = """
  AND (CAST(:after AS bigint) IS NULL OR (coalesce(i.name, i.email), i.id) >
       (SELECT coalesce(name, email), id FROM sign_ins WHERE id = :after AND role <> 'user'))
ORDER BY 2, 1 LIMIT :limit
"""
IDLE = {"idle": sessions.IDLE, "staff": sessions.STAFF_IDLE}


def page(after: int | None, limit: int) -> list[Member]:
    """Members by name, from the one behind the member with the id `after` on."""
    with runtime().snapshot() as connection:
        rows = connection.execute(text(MEMBERS + BEHIND), IDLE | {"after": after, "limit": limit})
        return [Member(*row) for row in rows]


def get(member_id: int) -> Member | None:
    """The member with a sign-in of that number."""
    with runtime().snapshot() as connection:
        known = IDLE | {"id": member_id}
        row = connection.execute(text(MEMBERS + "AND i.id = :id"), known).one_or_none()
        return Member(*row) if row else None


def give_role(member_id: int, role: str) -> None:
    """Have a member do another job; every session ends, so that it holds at once. They are told by mail.

    Raises NotFound('unknown_sign_in'), Refused('validation_failed'), and Refused('own_sign_in') and
    Refused('last_admin') as `admins` does.
    """
    if role not in roles.STAFF:
        detail = f"a role of staff is one of {', '.join(roles.STAFF)}"
        raise Refused("validation_failed", detail, param="role")
    admins.not_oneself(member_id)
    with mails.sending() as connection:
        admins.alone(connection)
        holder = sign_ins.locked(connection, member_id)
        if holder is None or holder.role == roles.USER:
            raise NotFound("unknown_sign_in", "there is no such member of staff")
        if holder.role == role:
            raise Refused("validation_failed", f"the role is {role} already", param="role")
        admins.keep_one(connection, holder)
        connection.execute(update(SignIn).where(SignIn.id == member_id).values(role=role))
        told = ({"role": holder.role}, {"role": role})
        audit.record(connection, "sign_in.role_changed", "sign_in", member_id, *told)
        sessions.end_all(connection, member_id)
        mails.queue(connection, "role_changed", holder.email, role=role)


def end_sessions(member_id: int, session_id: int | None = None) -> int:
    """End a member's session of that number, or all; how many. Raises Refused('own_sign_in')."""
    admins.not_oneself(member_id)
    with runtime().engine.begin() as connection:
        if session_id is None:
            return sessions.end_all(connection, member_id)
        return int(sessions.end(connection, member_id, session_id))
