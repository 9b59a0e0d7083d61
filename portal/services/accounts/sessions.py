"""Sessions: browsers that are signed in. A session ends when it is told to, or when it idles."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, text, update

from portal import ledger
from portal.runtime import runtime
from portal.services import audit
from portal.services.accounts import roles
from portal.services.clients.callers import digest
from portal.services.models import Session

IDLE = timedelta(days=30)
STAFF_IDLE = timedelta(hours=12)
KEEP = timedelta(days=90)
"""For which a session is kept after its end, or after it was seen last."""
MOST = 200
"""At most listed."""
SEEN_STEP = timedelta(minutes=5)
"""How exactly it is kept when a session was last seen."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in, by which session. `zone` is the time zone that times are shown in."""

    session_id: int
    sign_in_id: int
    email: str
    role: str
    user_id: int | None
    name: str
    zone: str
    second_factor: bool
    """Whether one was given for this session."""
    has_second_factor: bool
    secret: str

    is_authenticated = True  # what Flask-Login asks
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What the cookie keeps."""
        return self.secret

    @property
    def is_staff(self) -> bool:
        """Whether it is one of the company's."""
        return self.role != roles.USER


@dataclass(frozen=True, slots=True)
class Listed:
    """A session as its owner sees it."""

    id: int
    address: str | None
    browser: str | None
    created_at: datetime
    last_seen_at: datetime
    second_factor: bool


def start(connection: Connection, sign_in_id: int, *, second_factor: bool) -> str:
    """Open a session of the actor's browser; its secret, for the cookie."""
    secret = secrets.token_urlsafe(32)
    now = ledger.now(connection)
    actor = audit.actor()
    row = {
        "sign_in_id": sign_in_id,
        "secret_hash": digest(secret),
        "second_factor": second_factor,
        "created_at": now,
        "last_seen_at": now,
        "address": actor.address,
        "browser": actor.browser,
    }
    made = connection.execute(insert(Session).values(row).returning(Session.id)).scalar_one()
    after = {"second_factor": second_factor}
    by = replace(actor, sign_in_id=sign_in_id)  # who was a stranger until now
    audit.record(connection, "session.started", "session", made, after=after, by=by)
    return secret


OPEN = """
s.ended_at IS NULL
  AND s.last_seen_at > now.at - CASE i.role WHEN 'user' THEN CAST(:idle AS interval) ELSE :staff END
"""
VISITOR = f"""
SELECT s.id AS session_id, s.sign_in_id, i.email, i.role, i.user_id,
       coalesce(u.display_name, i.name, i.email) AS name,
       coalesce(ledger.zone_of(i.user_id, now.at), 'UTC') AS zone,
       s.second_factor, i.totp_since IS NOT NULL AS has_second_factor,
       s.last_seen_at < now.at - CAST(:step AS interval) AS is_stale
FROM sessions s
JOIN sign_ins i ON i.id = s.sign_in_id
LEFT JOIN users u ON u.id = i.user_id
CROSS JOIN (SELECT ledger.clock() AS at OFFSET 0) now
WHERE s.secret_hash = :hash AND i.disabled_at IS NULL AND {OPEN}
"""  # noqa: S608 - of constants
LISTED = f"""
SELECT s.id, s.address, s.browser, s.created_at, s.last_seen_at, s.second_factor
FROM sessions s
JOIN sign_ins i ON i.id = s.sign_in_id
CROSS JOIN (SELECT ledger.clock() AS at OFFSET 0) now
WHERE s.sign_in_id = :sign_in_id AND {OPEN}
ORDER BY s.last_seen_at DESC, s.id DESC LIMIT :most
"""  # noqa: S608 - of constants


def visitor(secret: str) -> Visitor | None:
    """Who holds the secret of a session that has not ended."""
    known = {"hash": digest(secret), "step": SEEN_STEP, "idle": IDLE, "staff": STAFF_IDLE}
    with runtime().engine.connect() as connection:
        row = connection.execute(text(VISITOR), known).one_or_none()
        if row is None:
            return None
        if row.is_stale:
            seen = update(Session).where(Session.id == row.session_id)
            connection.execute(seen.values(last_seen_at=ledger.now(connection)))
            connection.commit()
    return Visitor(*row[:9], secret)  # type: ignore[call-arg]


def listed(sign_in_id: int) -> list[Listed]:
    """The sessions that have not ended, the one seen last first."""
    known = {"sign_in_id": sign_in_id, "idle": IDLE, "staff": STAFF_IDLE, "most": MOST}
    with runtime().snapshot() as connection:
        return [Listed(*row) for row in connection.execute(text(LISTED), known)]


def end(connection: Connection, sign_in_id: int, session_id: int) -> bool:
    """End a session of a sign-in; False where it has none of that number that is open."""
    return bool(_end(connection, sign_in_id, Session.id == session_id))


def end_all(connection: Connection, sign_in_id: int, but: int | None = None) -> int:
    """End the sessions of a sign-in, all or all but one; how many."""
    return _end(connection, sign_in_id, Session.id != (but or 0))


def _end(connection: Connection, sign_in_id: int, which: object) -> int:
    ours = (Session.sign_in_id == sign_in_id, Session.ended_at.is_(None))
    ending = update(Session).where(*ours, which).values(ended_at=ledger.now(connection))  # type: ignore[arg-type]
    ended = connection.scalars(ending.returning(Session.id)).all()
    for session_id in ended:
        audit.record(connection, "session.ended", "session", session_id)
    return len(ended)


FORGET = "DELETE FROM sessions WHERE coalesce(ended_at, last_seen_at) < ledger.clock() - :keep"


def forget_due() -> int:
    """Forget sessions KEEP after their end, with the address and the browser they were of; how many."""
    with runtime().engine.begin() as connection:
        return connection.execute(text(FORGET), {"keep": KEEP}).rowcount
