"""Signing in: an e-mail and its password, then the second factor of those who have one."""

from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest

from sqlalchemy import Connection, select, update

from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services import audit, seals
from portal.services.accounts import passwords, throttle
from portal.services.models import SignIn

PASSWORD_FIELD = "current_password"  # noqa: S105 - a name
"""What a form calls the password of who is signed in already."""
PURPOSE = "signing-in"
WRONG = "the e-mail or the password is not right"


@dataclass(frozen=True, slots=True)
class Found:
    """Whose e-mail and password they were."""

    sign_in_id: int
    role: str
    has_second_factor: bool
    proof: str
    """Of what was right. It holds until the password or the second factor is another, or signing in is
    disabled: whoever signs in by two steps, or slowly, gets no session by what was changed meanwhile.
    """


def check(email: str, password: str) -> Found:
    """Whose they are. Raises Refused('sign_in_refused'), which says the same of all that is wrong, and
    Refused('rate_limited').
    """
    with throttle.attempt("sign_in", email=email):
        row = _row(email)
        right = passwords.is_right(row.password_hash if row else None, password)
        if row is None or not right or row.disabled_at is not None:
            with runtime().engine.begin() as connection:
                audit.record(connection, "session.refused", "sign_in", row and row.id)
            raise Refused("sign_in_refused", WRONG)
        kept = row.password_hash
        if passwords.is_dated(kept):
            kept = _kept_anew(row.id, kept, password)
        proof = _proof(row.id, kept, row.totp_since)
        return Found(row.id, row.role, row.totp_since is not None, proof)


def still_holds(connection: Connection, sign_in_id: int, proof: str) -> bool:
    """Whether what was right then still is; nobody changes it before the transaction's end."""
    columns = (SignIn.password_hash, SignIn.totp_since)
    able = select(*columns).where(SignIn.id == sign_in_id, SignIn.disabled_at.is_(None))
    row = connection.execute(able.with_for_update(read=True)).one_or_none()
    return row is not None and compare_digest(_proof(sign_in_id, *row), proof)


def confirm(sign_in_id: int, password: str) -> str:
    """What is kept of the password. Raises Refused('validation_failed') unless it is the password of somebody who is signed in, and
    Refused('rate_limited').
    """
    with throttle.attempt("password", sign_in_id=sign_in_id):
        kept = select(SignIn.password_hash).where(SignIn.id == sign_in_id)
        with runtime().engine.connect() as connection:
            hashed = connection.scalar(kept)
        if not passwords.is_right(hashed, password):
            with runtime().engine.begin() as connection:
                audit.record(connection, "password.refused", "sign_in", sign_in_id)
            raise not_yours()
        return str(hashed)


def not_yours() -> Refused:
    """The refusal of a password of who is signed in."""
    return Refused("validation_failed", "this is not your password", param=PASSWORD_FIELD)


def _proof(sign_in_id: int, password_hash: str, totp_since: datetime | None) -> str:
    since = totp_since and totp_since.astimezone(UTC).isoformat()
    content = f"{sign_in_id}\n{password_hash}\n{since}"
    return seals.digest(runtime().settings.secret_key, PURPOSE, content)


def _row(email: str) -> SignIn | None:
    if not email.isprintable():  # PostgreSQL takes no NUL
        return None
    columns = (SignIn.id, SignIn.role, SignIn.password_hash, SignIn.totp_since, SignIn.disabled_at)
    query = select(*columns).where(SignIn.email == email.lower())
    with runtime().engine.connect() as connection:
        return connection.execute(query).one_or_none()  # type: ignore[return-value]


def _kept_anew(sign_in_id: int, kept: str, password: str) -> str:
    """Hash it anew, with the parameters of now, unless it was changed meanwhile; the hash."""
    hashed = passwords.hash_of(password)
    same = update(SignIn).where(SignIn.id == sign_in_id, SignIn.password_hash == kept)
    with runtime().engine.begin() as connection:
        connection.execute(same.values(password_hash=hashed))
    return hashed
