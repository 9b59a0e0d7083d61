"""Another e-mail to sign in with: the password asks, a link sent to the new address finishes."""

from sqlalchemy import Connection, func, update
from sqlalchemy.exc import IntegrityError

from portal.ledger.errors import NotFound, Refused
from portal.services import audit, mails
from portal.services.accounts import addresses, links, sign_ins, signing_in, throttle
from portal.services.accounts.sign_ins import Holder
from portal.services.models import SignIn, User


def request(sign_in_id: int, email: str, password: str) -> None:
    """Send a link to the new address. It answers the same whether or not somebody has it already.

    Raises Refused('validation_failed') with the field, `email` or `current_password`, and
    Refused('rate_limited').
    """
    email = addresses.checked(email)
    signing_in.confirm(sign_in_id, password)
    throttle.check("email_change", email=email)
    with mails.sending() as connection:
        holder = sign_ins.locked(connection, sign_in_id)
        if holder is None:
            raise NotFound("unknown_sign_in", "there is no such sign-in")
        if holder.email == email:
            raise Refused("validation_failed", "this is your e-mail already", param="email")
        if sign_ins.of_email(connection, email) is not None:
            mails.queue(connection, "email_taken", email)
        else:
            link = links.make(connection, "email_change", email, sign_in_id=sign_in_id)
            mails.queue(connection, "email_change", email, link.id)
        after = {"email": sign_ins.masked(email)}
        audit.record(connection, "email.change_asked", "sign_in", sign_in_id, after=after)


def finish(token: str) -> str:
    """Use a link to change the e-mail; the new one. The old one is told.

    Raises Refused('link_invalid'), and Refused('email_taken') where somebody took it meanwhile.
    """
    try:
        with mails.sending() as connection:
            link = links.use(connection, token, "email_change")
            holder = sign_ins.locked(connection, link.sign_in_id or 0)
            if holder is None or holder.is_disabled:
                raise Refused("link_invalid", links.INVALID)
            _change(connection, holder, link.email)
            return link.email
    except IntegrityError as error:
        raise Refused("email_taken", sign_ins.EMAIL_TAKEN) from error


def _change(connection: Connection, holder: Holder, email: str) -> None:
    connection.execute(update(SignIn).where(SignIn.id == holder.id).values(email=email))
    same = (User.id == holder.user_id, func.lower(User.email) == holder.email)
    connection.execute(update(User).where(*same).values(email=email))
    links.void(connection, holder.id)
    new = sign_ins.masked(email)
    mails.queue(connection, "email_changed", holder.email, new=new)
    before, after = {"email": sign_ins.masked(holder.email)}, {"email": new}
    audit.record(connection, "email.changed", "sign_in", holder.id, before=before, after=after)
