"""E-mail addresses as accounts keep them: in small letters, a domain as the network writes it."""

from email_validator import EmailNotValidError, validate_email

from portal.ledger.errors import Refused

MAX_EMAIL = 254
"""RFC 5321."""


def checked(email: str) -> str:
    """An address that mail can be sent to, as it is kept.

    Raises Refused('validation_failed'). Whether anybody reads it, only a mail can tell.
    """
    try:
        found = validate_email(
            email.strip()[: MAX_EMAIL + 1], check_deliverability=False, allow_smtputf8=False
        )
    except EmailNotValidError as error:
        raise Refused("validation_failed", str(error), param="email") from None
    assert found.ascii_email is not None
    return found.ascii_email.lower()
