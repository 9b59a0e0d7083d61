"""A new password for who forgot it: an e-mail asks, its link finishes. A second factor stays on."""

from sqlalchemy import update

from portal.ledger.errors import Refused
from portal.services import audit, mails
from portal.services.accounts import addresses, asking, links, passwords, sessions, sign_ins
from portal.services.models import SignIn


def request(email: str) -> None:
    """Send a link for a new password to an e-mail. It answers the same whether or not there is an account.

    Raises Refused('validation_failed') for what can be no address, and Refused('rate_limited').
    """
    asking.ask("reset", addresses.checked(email))


def finish(token: str, password: str) -> None:
    """Use a link to set a password. Every session ends, and every other link that would change the sign-in.

    Raises Refused('link_invalid') and Refused('validation_failed').
    """
    email = links.find(token).email
    passwords.check(password, email)
    hashed = passwords.hash_of(password)  # before the transaction: it takes its time
    with mails.sending() as connection:
        link = links.use(connection, token, "reset")
        holder = sign_ins.locked(connection, link.sign_in_id or 0)
        if holder is None or holder.is_disabled or holder.email != email:
            raise Refused("link_invalid", links.INVALID)
        mine = update(SignIn).where(SignIn.id == holder.id)
        connection.execute(mine.values(password_hash=hashed))
        sessions.end_all(connection, holder.id)
        links.void(connection, holder.id)
        mails.queue(connection, "password_changed", email)
        audit.record(connection, "password.reset", "sign_in", holder.id)
