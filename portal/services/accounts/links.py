"""Links that may be used once: whoever opens one reads the mail that it was sent to.

The token in the address follows from the row and SECRET_KEY; nothing that opens a link is stored. To a
stranger a link that was used, that ended, that a newer one replaced or that never was looks the same.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import Connection, RowMapping, text

from portal.ledger.errors import Refused
from portal.ledger.idempotency import EPOCH, microseconds
from portal.runtime import runtime

Kind = Literal["sign_up", "invitation", "reset", "email_change"]

LASTS = {
    "sign_up": timedelta(hours=24),
    "invitation": timedelta(days=7),
    "reset": timedelta(hours=1),
    "email_change": timedelta(hours=24),
}
"""For how long a link of a kind can be used."""
MAX_TOKEN = 200
INVALID = "this link can't be used: it was used before, a newer one was sent, or its time is over"


@dataclass(frozen=True, slots=True)
class Link:
    """What its holder may do; which fields are set depends on the kind."""

    id: int
    kind: Kind
    email: str
    sign_in_id: int | None
    user_id: int | None
    role: str | None
    name: str | None
    created_at: datetime
    expires_at: datetime


MAKE = """
INSERT INTO links (kind, email, sign_in_id, user_id, role, name, created_at, expires_at)
SELECT :kind, :email, :sign_in_id, :user_id, :role, :name, now.at, now.at + :lasts
FROM (SELECT ledger.clock() AS at OFFSET 0) now
RETURNING *
"""


def make(  # noqa: PLR0913 - the columns of a row
    connection: Connection,
    kind: Kind,
    email: str,
    *,
    sign_in_id: int | None = None,
    user_id: int | None = None,
    role: str | None = None,
    name: str | None = None,
) -> Link:
    """A new link for whoever reads an address's mail; those of the kind that it was sent before end.

    So do those that would change the same sign-in's e-mail to another address.
    """
    if kind == "email_change" and sign_in_id is not None:
        void(connection, sign_in_id, kind)
    row: dict[str, object] = {"kind": kind, "email": email, "lasts": LASTS[kind]}
    row |= {"sign_in_id": sign_in_id, "user_id": user_id, "role": role, "name": name}
    return _link(connection.execute(text(MAKE), row).mappings().one())


def address(link: Link) -> str:
    """Where a link is opened."""
    token = _serializer().dumps([link.id, microseconds(link.created_at)])
    return f"{runtime().settings.public_url}/links/{token}"


# One that a newer one replaced has no mark: of two made at once, neither sees the other.
OPEN = """
l.used_at IS NULL AND l.expires_at > ledger.clock() AND NOT EXISTS (
    SELECT FROM links n WHERE n.email = l.email AND n.kind = l.kind AND n.id > l.id
    AND n.sign_in_id IS NOT DISTINCT FROM l.sign_in_id
)
"""
USABLE = f"l.id = :id AND {OPEN}"
FIND = f"SELECT l.* FROM links l WHERE {USABLE}"  # noqa: S608 - a constant of this file
USE = f"UPDATE links l SET used_at = ledger.clock() WHERE {USABLE} RETURNING l.*"  # noqa: S608


def usable(connection: Connection, link_id: int) -> Link | None:
    """The link of that number, if it can still be used."""
    row = connection.execute(text(FIND), {"id": link_id}).mappings().one_or_none()
    return _link(row) if row else None


def find(token: str) -> Link:
    """The link that a token opens, not used by looking at it. Raises Refused('link_invalid')."""
    link_id, made_at = _read(token)
    with runtime().engine.connect() as connection:
        return _same(usable(connection, link_id), made_at)


def use(connection: Connection, token: str, kind: Kind) -> Link:
    """Use a link up, in the transaction of what it allows: of two who try at once, one may.

    Raises Refused('link_invalid'), also for one of another kind.
    """
    link_id, made_at = _read(token)
    row = connection.execute(text(USE), {"id": link_id}).mappings().one_or_none()
    link = _same(_link(row) if row else None, made_at)
    if link.kind != kind:
        raise Refused("link_invalid", INVALID)
    return link


VOID = """
UPDATE links SET expires_at = ledger.clock()
WHERE sign_in_id = :id AND used_at IS NULL AND expires_at > ledger.clock()
  AND kind = coalesce(CAST(:kind AS text), kind)
"""


def void(connection: Connection, sign_in_id: int, kind: Kind | None = None) -> None:
    """End the links that would change a sign-in: all, or those of a kind."""
    connection.execute(text(VOID), {"id": sign_in_id, "kind": kind})


OF_STAFF = "l.kind = 'invitation' AND l.user_id IS NULL"
PENDING = f"""
SELECT l.* FROM links l
WHERE {OF_STAFF} AND {OPEN} AND NOT EXISTS (SELECT FROM sign_ins i WHERE i.email = l.email)
ORDER BY l.id DESC LIMIT :most
"""  # noqa: S608 - of constants
WITHDRAW = f"""
UPDATE links l SET expires_at = ledger.clock() WHERE {OF_STAFF} AND {USABLE} RETURNING l.*
"""  # noqa: S608 - of constants


def pending_of_staff(connection: Connection, most: int) -> list[Link]:
    """Invitations of staff that can still be accepted, the newest first."""
    rows = connection.execute(text(PENDING), {"most": most}).mappings()
    return [_link(row) for row in rows]


def withdraw(connection: Connection, link_id: int) -> Link | None:
    """End an invitation of staff; None where it could not be accepted any more."""
    row = connection.execute(text(WITHDRAW), {"id": link_id}).mappings().one_or_none()
    return _link(row) if row else None


FORGET = """
DELETE FROM links l
WHERE expires_at < ledger.clock() - :keep AND NOT EXISTS (SELECT FROM mails m WHERE m.link_id = l.id)
"""


def forget(connection: Connection, keep: timedelta) -> int:
    """Forget links so long after their end; how many."""
    return connection.execute(text(FORGET), {"keep": keep}).rowcount


def _link(row: RowMapping) -> Link:
    return Link(**{name: value for name, value in row.items() if name != "used_at"})


def _same(link: Link | None, made_at: datetime) -> Link:
    """A token names the moment, too: a restored database gives out numbers again."""
    if link is None or link.created_at != made_at:
        raise Refused("link_invalid", INVALID)
    return link


def _serializer() -> URLSafeSerializer:
    signer = {"key_derivation": "hmac", "digest_method": sha256}
    return URLSafeSerializer(runtime().settings.secret_key, "link", signer_kwargs=signer)


def _read(token: str) -> tuple[int, datetime]:
    """Number and moment of the link that a token is of."""
    try:
        link_id, made = _serializer().loads(token[:MAX_TOKEN])
    except BadData:
        raise Refused("link_invalid", INVALID) from None
    return int(link_id), EPOCH + timedelta(microseconds=made)
