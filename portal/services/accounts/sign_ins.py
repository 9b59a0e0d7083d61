"""Sign-ins as rows: one for an e-mail, and at most one for a user of the games."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select
from sqlalchemy.dialects.postgresql import insert

from portal import ledger
from portal.ledger.errors import Refused
from portal.services.accounts import roles
from portal.services.models import SignIn

EMAIL_TAKEN = "there is an account with this e-mail already"
USER_TAKEN = "this user has an account already, with another e-mail"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose sign-in it is."""

    id: int
    email: str
    role: str
    user_id: int | None
    is_disabled: bool


def of_email(connection: Connection, email: str) -> Holder | None:
    """The sign-in of an e-mail in small letters."""
    return _one(connection, SignIn.email == email)


def of_user(connection: Connection, user_id: int) -> Holder | None:
    """The sign-in of a user."""
    return _one(connection, SignIn.user_id == user_id)


def locked(connection: Connection, sign_in_id: int) -> Holder | None:
    """The sign-in of that number, which nobody else changes before the transaction's end."""
    return _one(connection, SignIn.id == sign_in_id, is_locked=True)


def _one(
    connection: Connection, which: ColumnElement[bool], *, is_locked: bool = False
) -> Holder | None:
    columns = (SignIn.id, SignIn.email, SignIn.role, SignIn.user_id)
    query = select(*columns, SignIn.disabled_at.is_not(None)).where(which)
    row = connection.execute(query.with_for_update() if is_locked else query).one_or_none()
    return Holder(*row) if row else None


def add(
    connection: Connection,
    email: str,
    password_hash: str,
    *,
    role: str = roles.USER,
    user_id: int | None = None,
    name: str | None = None,
) -> int:
    """Make a sign-in; its number. Raises Refused('email_taken') and Refused('user_taken')."""
    row = {
        "email": email,
        "password_hash": password_hash,
        "role": role,
        "user_id": user_id,
        "name": name,
        "created_at": ledger.now(connection),
    }
    new = insert(SignIn).values(row).on_conflict_do_nothing().returning(SignIn.id)
    made = connection.execute(new).scalar()
    if made is not None:
        return made
    if of_email(connection, email) is not None:
        raise Refused("email_taken", f"{EMAIL_TAKEN}: sign in")
    raise Refused("user_taken", USER_TAKEN)


def masked(email: str) -> str:
    """Enough of an e-mail for its owner to know it by: `i…@players.example`."""
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}…@{domain}"
