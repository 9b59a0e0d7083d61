"""The mails that went to files, as their readers see them."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from config import Settings
from portal.services import mails

LINK = re.compile(r"^(\S+)/links/(\S+)$", re.MULTILINE)


def said(message: EmailMessage) -> str:
    """What is read."""
    return str(message.get_content()).replace("\r\n", "\n")


class Mailbox:
    """Every mail of a test, to whomever."""

    def __init__(self, settings: Settings) -> None:
        self.directory = settings.var_dir / "mail"

    def files(self) -> list[Path]:
        return sorted(self.directory.glob("*.eml"), key=lambda file: int(file.stem.split("-")[-1]))

    def all(self) -> list[EmailMessage]:
        """Have what is due sent, then read all there is, the oldest first. Needs an app context."""
        mails.send_due()
        read = (
            message_from_bytes(file.read_bytes(), policy=policy.default) for file in self.files()
        )
        return [message for message in read if isinstance(message, EmailMessage)]

    def to(self, email: str) -> list[EmailMessage]:
        return [message for message in self.all() if message["To"] == email]

    def last(self, email: str) -> EmailMessage:
        return self.to(email)[-1]

    def token(self, email: str) -> str:
        """What the link in the last mail to somebody ends with."""
        found = LINK.findall(said(self.last(email)))
        assert len(found) == 1, found
        return str(found[0][1])

    def subjects(self, email: str) -> list[str]:
        return [message["Subject"] for message in self.to(email)]
