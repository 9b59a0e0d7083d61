"""Signing up: an e-mail asks, its link finishes. A user whom a game server made is found by the e-mail."""

from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import Connection, text

from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services import audit, users
from portal.services.accounts import addresses, asking, links, passwords, sign_ins
from portal.services.fields import NOT_TEXT

MAX_NAME = 200
PREFIX = "portal:"
"""Of the external id of a user who was not made by a game server."""


@dataclass(frozen=True, slots=True)
class Known:
    """A user of the games without an account."""

    id: int
    display_name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A new account; `known` is the user whom the games knew before, if any."""

    sign_in_id: int
    user_id: int
    known: Known | None


def request(email: str) -> None:
    """Send a link to sign up to an e-mail. It answers the same whether or not there is an account.

    Raises Refused('validation_failed') for what can be no address, and Refused('rate_limited').
    """
    asking.ask("sign_up", addresses.checked(email))


def known(email: str) -> Known | None:
    """Whom a sign-up by this e-mail would give the account of."""
    with runtime().engine.connect() as connection:
        return _known(connection, email)


def finish(
    token: str, password: str, display_name: str | None = None, time_zone: str | None = None
) -> Finished:
    """Use a link to make the account, of a new user unless the games know the e-mail.

    Such a user's name and time zone stay; only for a new one are they asked for. Raises
    Refused('link_invalid'), Refused('validation_failed') with the field, and Refused('email_taken') where
    an account with the e-mail was made meanwhile.
    """
    email = links.find(token).email
    passwords.check(password, email)
    hashed = passwords.hash_of(password)  # before the transaction: it takes its time
    with runtime().engine.begin() as connection:
        links.use(connection, token, "sign_up")
        found = _known(connection, email)
        user_id = found.id if found else _new_user(connection, email, display_name, time_zone)
        made = sign_ins.add(connection, email, hashed, user_id=user_id)
        after = {"user_id": user_id, "known_to_games": found is not None}
        audit.record(connection, "sign_up.finished", "sign_in", made, after=after)
        return Finished(made, user_id, found)


# Small letters are not enough: of the Kelvin sign "k" is made. Only ASCII keeps its length.
# Who has several of them without an account gets the oldest; the others stay as they are.
KNOWN = """
SELECT u.id, u.display_name, ledger.zone_of(u.id, ledger.clock())
FROM users u
WHERE lower(u.email) = :email AND octet_length(u.email) = octet_length(:email)
  AND NOT EXISTS (SELECT FROM sign_ins s WHERE s.user_id = u.id)
ORDER BY u.created_at, u.id LIMIT 1
"""


def _known(connection: Connection, email: str) -> Known | None:
    row = connection.execute(text(KNOWN), {"email": email}).one_or_none()
    return Known(*row) if row else None


def _new_user(
    connection: Connection, email: str, display_name: str | None, time_zone: str | None
) -> int:
    name = checked_name(display_name or "", "display_name")
    if not time_zone:
        raise Refused("validation_failed", "choose a time zone", param="time_zone")
    made, _ = users.create_within(connection, f"{PREFIX}{uuid4()}", name, time_zone, email)
    return made.id


def checked_name(name: str, param: str) -> str:
    """A person's name without spaces around it. Raises Refused('validation_failed')."""
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME or NOT_TEXT.search(name):
        detail = f"a name has from 1 to {MAX_NAME} characters, and no control characters"
        raise Refused("validation_failed", detail, param=param)
    return name
