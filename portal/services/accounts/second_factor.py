"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes for when it is lost.

The app's codes follow the machine's clock, as a phone knows no other. Its secret is sealed at rest.
"""

import logging
import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyotp
from sqlalchemy import Connection, Row, select, update

from portal import ledger
from portal.ledger.errors import NotFound, Refused
from portal.runtime import runtime
from portal.services import audit, mails, seals
from portal.services.accounts import (
    admins,
    recovery_codes,
    roles,
    sessions,
    signing_in,
    throttle,
)
from portal.services.models import Session, SignIn

log = logging.getLogger(__name__)
SignInRow = Row[*tuple[Any, ...]]

ISSUER = "Dreamland"
PURPOSE = "second-factor"
STEP_S = 30
EITHER_SIDE = 1
"""Steps that a phone's clock may be off."""
CODE = re.compile(r"[0-9]{6}")
WRONG = "this code is not right: take the one that your app shows now"
WRONG_RECOVERY = "this is not one of your recovery codes, or it was used before"


@dataclass(frozen=True, slots=True)
class State:
    """How it stands with a sign-in's second factor."""

    since: datetime | None
    """Since when it is asked for; None: it is off."""
    is_begun: bool
    """Whether a secret waits for its first code."""
    codes_left: int
    is_required: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """A secret for an authenticator app, as text and as the address that a QR code holds."""

    secret: str
    uri: str


def state(sign_in_id: int) -> State:
    """How it stands."""
    left = recovery_codes.left(sign_in_id).scalar_subquery()
    columns = (SignIn.role, SignIn.totp_secret, SignIn.totp_since, left)
    with runtime().snapshot() as connection:
        row = connection.execute(select(*columns).where(SignIn.id == sign_in_id)).one()
    role, secret, since, count = row
    return State(since, secret is not None and since is None, count, role in roles.CHANGING)


def begin(sign_in_id: int, password: str) -> None:
    """Make a secret for the app; it is asked for after the first code of it. Made anew if one was begun.

    Raises Refused('validation_failed', 'rate_limited', 'second_factor_is_on').
    """
    signing_in.confirm(sign_in_id, password)
    sealed = seals.seal(
        runtime().settings.secret_key, PURPOSE, str(sign_in_id), pyotp.random_base32().encode()
    )
    with runtime().engine.begin() as connection:
        begun = update(SignIn).where(SignIn.id == sign_in_id, SignIn.totp_since.is_(None))
        if not connection.execute(begun.values(totp_secret=sealed, totp_step=None)).rowcount:
            raise _is_on()
        audit.record(connection, "second_factor.started", "sign_in", sign_in_id)


def begun(sign_in_id: int) -> Begun | None:
    """The secret that waits for its first code. One that is in use is never told again."""
    with runtime().snapshot() as connection:
        row = _row(connection, sign_in_id)
    secret = _opened(row)
    if row.totp_since is not None or secret is None:
        return None
    uri = pyotp.TOTP(secret).provisioning_uri(name=row.email, issuer_name=ISSUER)
    return Begun(secret, uri)


def confirm(sign_in_id: int, session_id: int, code: str) -> list[str]:
    """Switch it on by a first code; the recovery codes, this once. Every other session ends.

    Those were opened without it. Raises Refused('validation_failed', 'rate_limited',
    'second_factor_is_on', 'second_factor_not_begun').
    """
    with throttle.attempt("second_factor", sign_in_id=sign_in_id):
        with mails.sending() as connection:
            row = _row(connection, sign_in_id, lock=True)
            if row.totp_since is not None:
                raise _is_on()
            if row.totp_secret is None:
                raise Refused("second_factor_not_begun", "begin to set it up first")
            if step := _step_of(row, code):
                return _switch_on(connection, row, session_id, step)
            audit.record(connection, "second_factor.refused", "sign_in", sign_in_id)
        raise Refused("validation_failed", WRONG, param="code")


def _switch_on(connection: Connection, row: SignInRow, session_id: int, step: int) -> list[str]:
    now = ledger.now(connection)
    this = update(SignIn).where(SignIn.id == row.id)
    connection.execute(this.values(totp_since=now, totp_step=step))
    ours = update(Session).where(Session.id == session_id, Session.sign_in_id == row.id)
    connection.execute(ours.values(second_factor=True))
    sessions.end_all(connection, row.id, but=session_id)
    audit.record(connection, "second_factor.switched_on", "sign_in", row.id)
    mails.queue(connection, "second_factor_on", row.email)
    return recovery_codes.make(connection, row.id)


def take(sign_in_id: int, code: str) -> None:
    """Take a code of the app or a recovery code, each once.

    Raises Refused('validation_failed', 'rate_limited').
    """
    with throttle.attempt("second_factor", sign_in_id=sign_in_id):
        is_of_app = CODE.fullmatch(_digits(code)) is not None
        if _take_code(sign_in_id, code) if is_of_app else _take_recovery(sign_in_id, code):
            return
        with runtime().engine.begin() as connection:
            audit.record(connection, "second_factor.refused", "sign_in", sign_in_id)
        raise Refused("validation_failed", WRONG if is_of_app else WRONG_RECOVERY, param="code")


def _take_code(sign_in_id: int, code: str) -> bool:
    with runtime().engine.begin() as connection:
        row = _row(connection, sign_in_id)
        step = None if row.totp_since is None else _step_of(row, code)
        if step is None:
            return False
        unused = SignIn.totp_step.is_(None) | (SignIn.totp_step < step)
        taken = update(SignIn).where(SignIn.id == sign_in_id, unused).values(totp_step=step)
        return bool(connection.execute(taken).rowcount)


def _take_recovery(sign_in_id: int, code: str) -> bool:
    with mails.sending() as connection:
        left = recovery_codes.take(connection, sign_in_id, code)
        if left is None:
            return False
        email = _row(connection, sign_in_id).email
        mails.queue(connection, "recovery_code_used", email, left=left)
        return True


def make_codes(sign_in_id: int, password: str) -> list[str]:
    """New recovery codes, told this once; those before them work no more.

    Raises Refused('validation_failed', 'rate_limited', 'second_factor_is_off').
    """
    signing_in.confirm(sign_in_id, password)
    with mails.sending() as connection:
        row = _row(connection, sign_in_id, lock=True)
        if row.totp_since is None:
            raise _is_off()
        mails.queue(connection, "recovery_codes_made", row.email)
        return recovery_codes.make(connection, sign_in_id)


def switch_off(sign_in_id: int, password: str) -> None:
    """Ask for it no more. Raises Refused as `make_codes` does, and 'second_factor_required' for staff."""
    signing_in.confirm(sign_in_id, password)
    with mails.sending() as connection:
        row = _row(connection, sign_in_id, lock=True)
        if row.role in roles.CHANGING:
            raise Refused(
                "second_factor_required",
                "who may change anything must have a second factor: it can't be switched off",
            )
        if row.totp_since is None:
            raise _is_off()
        _remove(connection, row)


def remove(email: str) -> None:
    """Switch off that of somebody who has lost it, by a person who knows them. Every session ends.

    Raises NotFound('unknown_sign_in'), Refused('own_sign_in') and Refused('second_factor_is_off').
    """
    with mails.sending() as connection:
        found = connection.scalar(select(SignIn.id).where(SignIn.email == email.lower()))
        if found is None:
            raise NotFound("unknown_sign_in", f"there is no sign-in of {email}")
        admins.not_oneself(found)
        row = _row(connection, found, lock=True)
        if row.totp_since is None:
            raise _is_off()
        _remove(connection, row)
        sessions.end_all(connection, found)


def _remove(connection: Connection, row: SignInRow) -> None:
    this = update(SignIn).where(SignIn.id == row.id)
    connection.execute(this.values(totp_secret=None, totp_since=None, totp_step=None))
    recovery_codes.remove(connection, row.id)
    audit.record(connection, "second_factor.switched_off", "sign_in", row.id)
    mails.queue(connection, "second_factor_off", row.email)


def code_of(email: str) -> str:
    """What somebody's app shows now, to try the portal without one.

    Raises Refused('forbidden') in production, NotFound('unknown_sign_in'), Refused('second_factor_is_off').
    """
    if runtime().settings.is_production:
        raise Refused("forbidden", "in production only the app knows its codes")
    columns = (SignIn.id, SignIn.totp_secret)
    with runtime().engine.connect() as connection:
        row = connection.execute(
            select(*columns).where(SignIn.email == email.lower())
        ).one_or_none()
    if row is None:
        raise NotFound("unknown_sign_in", f"there is no sign-in of {email}")
    secret = _opened(row)
    if secret is None:
        raise _is_off()
    return pyotp.TOTP(secret).now()


def step_of(secret: str, code: str, now_s: int) -> int | None:
    """The 30 seconds of a code, where it is one of a secret's and not more than a step away from now."""
    app, given, found = pyotp.TOTP(secret), _digits(code), None
    if not CODE.fullmatch(given):
        return None
    now = now_s // STEP_S
    for step in range(now - EITHER_SIDE, now + EITHER_SIDE + 1):
        if secrets.compare_digest(app.generate_otp(step).encode(), given.encode()):
            found = step
    return found


def _step_of(row: SignInRow, code: str) -> int | None:
    secret = _opened(row)
    return None if secret is None else step_of(secret, code, int(time.time()))


def _digits(code: str) -> str:
    return code.replace(" ", "")


def _row(connection: Connection, sign_in_id: int, *, lock: bool = False) -> SignInRow:
    columns = (SignIn.id, SignIn.email, SignIn.role, SignIn.totp_secret, SignIn.totp_since)
    query = select(*columns).where(SignIn.id == sign_in_id)
    return connection.execute(query.with_for_update() if lock else query).one()


def _opened(row: SignInRow) -> str | None:
    """The secret; None where there is none, or it was sealed by another SECRET_KEY: recovery codes go on."""
    if row.totp_secret is None:
        return None
    try:
        sealed = bytes(row.totp_secret)
        return seals.unseal(runtime().settings.secret_key, PURPOSE, str(row.id), sealed).decode()
    except ValueError:
        log.error("sign-in %d: its second factor was sealed by another SECRET_KEY", row.id)  # noqa: TRY400
        return None


def _is_on() -> Refused:
    return Refused("second_factor_is_on", "the second factor is on: switch it off first")


def _is_off() -> Refused:
    return Refused("second_factor_is_off", "the second factor is not on")
