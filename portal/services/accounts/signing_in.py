"""Signing in: an e-mail and its password, then the second factor of those who have one."""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services import audit
from portal.services.accounts import passwords, throttle
from portal.services.models import SignIn

PASSWORD_FIELD = "current_password"  # noqa: S105 - a name
"""What a form calls the password of who is signed in already."""
WRONG = "the e-mail or the password is not right"


@dataclass(frozen=True, slots=True)
class Found:
    """Whose e-mail and password they were."""

    sign_in_id: int
    role: str
    has_second_factor: bool


def check(email: str, password: str) -> Found:
    """Whose they are. Raises Refused('sign_in_refused'), which says the same of all that is wrong, and
    Refused('rate_limited').
    """
    with throttle.attempt("sign_in", email=email):
        row = _row(email)
        right = passwords.is_right(row.password_hash if row else None, password)
        with runtime().engine.begin() as connection:
            if row is None or not right or row.disabled_at is not None:
                audit.record(connection, "session.refused", "sign_in", row and row.id)
            elif passwords.is_dated(row.password_hash):
                _keep(connection, row.id, password)
        if row is None or not right or row.disabled_at is not None:
            raise Refused("sign_in_refused", WRONG)
        return Found(row.id, row.role, row.totp_since is not None)


def confirm(sign_in_id: int, password: str) -> None:
    """Raises Refused('validation_failed') unless it is the password of somebody who is signed in, and
    Refused('rate_limited').
    """
    with throttle.attempt("password", sign_in_id=sign_in_id):
        kept = select(SignIn.password_hash).where(SignIn.id == sign_in_id)
        with runtime().engine.connect() as connection:
            hashed = connection.scalar(kept)
        if not passwords.is_right(hashed, password):
            with runtime().engine.begin() as connection:
                audit.record(connection, "password.refused", "sign_in", sign_in_id)
            raise Refused("validation_failed", "this is not your password", param=PASSWORD_FIELD)


def _row(email: str) -> SignIn | None:
    columns = (SignIn.id, SignIn.role, SignIn.password_hash, SignIn.totp_since, SignIn.disabled_at)
    query = select(*columns).where(SignIn.email == email.lower())
    with runtime().engine.connect() as connection:
        return connection.execute(query).one_or_none()  # type: ignore[return-value]


def _keep(connection: Connection, sign_in_id: int, password: str) -> None:
    """Hash it anew, with the parameters of now."""
    hashed = passwords.hash_of(password)
    connection.execute(update(SignIn).where(SignIn.id == sign_in_id).values(password_hash=hashed))
