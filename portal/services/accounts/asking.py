"""Somebody who is not signed in names an e-mail: whoever reads its mail gets the link that fits.

Nobody else learns whether there is an account: what is answered, and what is done before the answer, is
the same. Who asks to sign up and has an account gets a link for a new password, and the other way round.
"""

from typing import Literal

from sqlalchemy import Connection

from portal.services import audit, mails
from portal.services.accounts import links, sign_ins, throttle
from portal.services.accounts.sign_ins import Holder

Asked = Literal["sign_up", "reset"]

ACTIONS: dict[Asked, str] = {"sign_up": "sign_up.asked", "reset": "password.reset_asked"}
TEXTS: dict[tuple[Asked, bool], str] = {
    ("sign_up", False): "sign_up",
    ("sign_up", True): "sign_up_known",
    ("reset", False): "reset_unknown",
    ("reset", True): "reset",
}
"""By what was asked for, and whether there is an account, the mail."""


def ask(what: Asked, email: str) -> None:
    """Send the mail. `email` is checked, and in small letters. Raises Refused('rate_limited')."""
    throttle.check(what, email=email)
    with mails.sending() as connection:
        holder = sign_ins.of_email(connection, email)
        if holder is not None and holder.is_disabled:
            mails.queue(connection, "switched_off", email)
            audit.record(connection, ACTIONS[what], "sign_in", holder.id)
            return
        link = _link(connection, email, holder)
        mails.queue(connection, TEXTS[what, holder is not None], email, link.id)
        audit.record(connection, ACTIONS[what], "link", link.id)


def _link(connection: Connection, email: str, holder: Holder | None) -> links.Link:
    if holder is None:
        return links.make(connection, "sign_up", email)
    return links.make(connection, "reset", email, sign_in_id=holder.id)
