"""Taking a sign-in's access away at once, and giving it back: for an account that was stolen."""

from sqlalchemy import Connection, update

from portal import ledger
from portal.ledger.errors import NotFound, Refused
from portal.runtime import runtime
from portal.services import audit
from portal.services.accounts import admins, links, sessions, sign_ins
from portal.services.accounts.sign_ins import Holder
from portal.services.models import SignIn


def disable(email: str) -> None:
    """Nobody signs in by it any more; its sessions and links end now.

    Raises NotFound('unknown_sign_in') and Refused('sign_in_disabled') where it is already; for a member
    of staff who does it, Refused('own_sign_in') and Refused('last_admin') as `admins` does.
    """
    with runtime().engine.begin() as connection:
        admins.alone(connection)
        holder = _of(connection, email)
        if holder.is_disabled:
            raise Refused("sign_in_disabled", f"the sign-in of {email} is disabled already")
        if audit.actor().kind == "person":  # whoever has the command line can invite another admin
            admins.not_oneself(holder.id)
            admins.keep_one(connection, holder)
        this = update(SignIn).where(SignIn.id == holder.id)
        connection.execute(this.values(disabled_at=ledger.now(connection)))
        sessions.end_all(connection, holder.id)
        links.void(connection, holder.id)
        audit.record(connection, "sign_in.disabled", "sign_in", holder.id)


def enable(email: str) -> None:
    """It may be signed in by again, with the password and second factor that it had.

    Raises NotFound('unknown_sign_in') and Refused('sign_in_enabled') where it was not disabled.
    """
    with runtime().engine.begin() as connection:
        holder = _of(connection, email)
        if not holder.is_disabled:
            raise Refused("sign_in_enabled", f"the sign-in of {email} is not disabled")
        connection.execute(update(SignIn).where(SignIn.id == holder.id).values(disabled_at=None))
        audit.record(connection, "sign_in.enabled", "sign_in", holder.id)


def _of(connection: Connection, email: str) -> Holder:
    found = sign_ins.of_email(connection, email.lower())
    locked = found and sign_ins.locked(connection, found.id)
    if locked is None:
        raise NotFound("unknown_sign_in", f"there is no sign-in of {email}")
    return locked
