"""Invitations by e-mail: for a user of the games, or for a new member of staff."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, update

from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services import audit, mails, users
from portal.services.accounts import addresses, links, passwords, roles, sign_ins
from portal.services.accounts.links import Link
from portal.services.accounts.sign_up import checked_name
from portal.services.models import User

MOST = 200
"""Of staff, that are listed; each ends after a week."""


@dataclass(frozen=True, slots=True)
class Invited:
    """What an invitation makes of whoever accepts it."""

    email: str
    role: str
    name: str


def invite_user(email: str, user_id: int) -> str:
    """Invite whoever reads an e-mail to the account of a user; the address that the mail names.

    Raises NotFound('unknown_user'), Refused('email_taken'), Refused('user_taken') and
    Refused('validation_failed').
    """
    email = addresses.checked(email)
    name = users.get(user_id).display_name
    with mails.sending() as connection:
        if sign_ins.of_user(connection, user_id) is not None:
            raise Refused("user_taken", "the user has an account already")
        return _invite(connection, Invited(email, roles.USER, name), user_id)


def invite_staff(email: str, role: str, name: str) -> str:
    """Invite a member of staff; the address that the mail names.

    Raises Refused('email_taken') and Refused('validation_failed').
    """
    if role not in roles.STAFF:
        detail = f"a role of staff is one of {', '.join(roles.STAFF)}"
        raise Refused("validation_failed", detail, param="role")
    invited = Invited(addresses.checked(email), role, checked_name(name, "name"))
    with mails.sending() as connection:
        return _invite(connection, invited, None)


def pending() -> list[Link]:
    """Invitations of staff that wait for an answer, the newest first."""
    with runtime().snapshot() as connection:
        return links.pending_of_staff(connection, MOST)


def withdraw(link_id: int) -> str | None:
    """Take an invitation of staff back; whom it was sent to, None where it was not open any more."""
    with runtime().engine.begin() as connection:
        link = links.withdraw(connection, link_id)
        if link is None:
            return None
        before = {"email": sign_ins.masked(link.email), "role": link.role}
        audit.record(connection, "invitation.withdrawn", "link", link.id, before)
        return link.email


def _invite(connection: Connection, invited: Invited, user_id: int | None) -> str:
    if sign_ins.of_email(connection, invited.email) is not None:
        raise Refused("email_taken", sign_ins.EMAIL_TAKEN, param="email")
    name = None if user_id else invited.name
    link = links.make(
        connection, "invitation", invited.email, user_id=user_id, role=invited.role, name=name
    )
    facts = {"role": invited.role, "name": invited.name}
    mails.queue(connection, "invitation", invited.email, link.id, **facts)
    after = {"email": sign_ins.masked(invited.email), "role": invited.role, "user_id": user_id}
    audit.record(connection, "invitation.made", "link", link.id, after=after)
    return links.address(link)


def invited(link: Link) -> Invited:
    """What an invitation is for, as its page shows it."""
    name = link.name or (users.get(link.user_id).display_name if link.user_id else link.email)
    return Invited(link.email, link.role or roles.USER, name)


def accept(token: str, password: str) -> int:
    """Use an invitation to make the sign-in, with a password; its number.

    Raises Refused('link_invalid'), Refused('validation_failed'), and Refused('email_taken') or
    Refused('user_taken') where an account was made meanwhile.
    """
    email = links.find(token).email
    passwords.check(password, email)
    hashed = passwords.hash_of(password)  # before the transaction: it takes its time
    with runtime().engine.begin() as connection:
        link = links.use(connection, token, "invitation")
        role = link.role or roles.USER
        made = sign_ins.add(
            connection, email, hashed, role=role, user_id=link.user_id, name=link.name
        )
        if link.user_id:
            known = update(User).where(User.id == link.user_id)
            connection.execute(known.values(email=func.coalesce(User.email, email)))
        after = {"role": role, "user_id": link.user_id}
        audit.record(connection, "invitation.accepted", "sign_in", made, after=after)
        return made
