"""Who may let others in stays able to: nobody locks themselves out, and one admin is always left."""

from sqlalchemy import Connection, func, select, text

from portal.ledger.errors import Refused
from portal.services import audit, locks
from portal.services.accounts.sign_ins import Holder
from portal.services.models import SignIn

ADMIN = "admin"
ALONE = "SELECT pg_advisory_xact_lock(:class, 0)"


def not_oneself(sign_in_id: int) -> None:
    """Raises Refused('own_sign_in') where the actor would do it to their own sign-in."""
    if audit.actor().sign_in_id == sign_in_id:
        detail = "this is your own: ask another admin, so that you are not locked out by mistake"
        raise Refused("own_sign_in", detail)


def alone(connection: Connection) -> None:
    """Nobody else changes who is an admin before the transaction's end."""
    connection.execute(text(ALONE), {"class": locks.ADMINS})


def keep_one(connection: Connection, leaving: Holder) -> None:
    """Raises Refused('last_admin') where nobody but this one is an admin who can sign in."""
    others = select(func.count()).where(
        SignIn.role == ADMIN, SignIn.disabled_at.is_(None), SignIn.id != leaving.id
    )
    is_one = leaving.role == ADMIN and not leaving.is_disabled
    if is_one and not connection.scalar(others):
        detail = "this is the last admin who can sign in: make another one first"
        raise Refused("last_admin", detail)
