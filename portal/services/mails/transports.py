"""Where mails go: a directory, the log (both for development and testing only), or an SMTP server.

Which one is MAIL_URL's to say. A server must speak TLS and have a name that its certificate vouches for;
only one on this very machine may do without.
"""

import logging
import os
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

import certifi

from portal.runtime import runtime
from portal.services.mails.texts import Text

log = logging.getLogger(__name__)

TIMEOUT_S = 15
"""For each step of the talk with a server."""
PORTS = {"smtp": 587, "smtps": 465}
MAX_PROBLEM = 300


class NotSent(Exception):
    """The mail did not go out. `is_final`: nor will it. `is_everybodys`: nor would another one now."""

    def __init__(self, why: str, *, is_final: bool = False, is_everybodys: bool = False) -> None:
        super().__init__(why[:MAX_PROBLEM])
        self.is_final, self.is_everybodys = is_final, is_everybodys


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that is ready to go. Its number names it, however often it is sent."""

    number: int
    to: str
    text: Text
    at: datetime

    def message(self) -> EmailMessage:
        """It in the form that mail programs read."""
        settings = runtime().settings
        message = EmailMessage(SMTP)
        message["From"], message["To"] = settings.mail_from, self.to
        message["Subject"] = self.text.subject
        message["Date"] = format_datetime(self.at)
        host = urlsplit(settings.public_url).hostname
        message["Message-ID"] = f"<{self.number}.{self.at:%Y%m%d%H%M%S}@{host}>"
        message["Auto-Submitted"] = "auto-generated"  # so that nobody's absence is told to us
        # A link stays in one piece for whoever looks at the mail as it is.
        how = "7bit" if self.text.body.isascii() else "quoted-printable"
        message.set_content(self.text.body, cte=how)
        return message


class Transport:
    """Sends letters, one after the other; opened by the first, closed at the end of the block."""

    def __init__(self) -> None:
        self._url = urlsplit(runtime().settings.mail_url)
        self._server: smtplib.SMTP | None = None

    def send(self, letter: Letter) -> None:
        """Hand a letter over. Raises NotSent."""
        ways: dict[str, Callable[[Letter], None]] = {"file": _to_file, "log": _to_log}
        ways.get(self._url.scheme, self._to_server)(letter)

    def _to_server(self, letter: Letter) -> None:
        try:
            if self._server is None:
                self._server = _connected(self._url)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise NotSent(_why(error), is_everybodys=True) from error
        sender = parseaddr(runtime().settings.mail_from)[1]
        try:
            self._server.send_message(letter.message(), sender, [letter.to])
        except smtplib.SMTPRecipientsRefused as error:
            [(code, said)] = error.recipients.values()
            raise NotSent(
                f"{code} {said.decode(errors='replace')}", is_final=code >= 500
            ) from error
        except smtplib.SMTPDataError as error:
            raise NotSent(_why(error), is_final=error.smtp_code >= 500) from error
        except (OSError, smtplib.SMTPException) as error:
            self._hang_up()
            raise NotSent(_why(error), is_everybodys=True) from error

    def _hang_up(self) -> None:
        if self._server is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._server.quit()
            self._server.close()
            self._server = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hang_up()


def _to_file(letter: Letter) -> None:
    directory = runtime().settings.var_dir / "mail"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(
            directory / f"{letter.at:%Y%m%dT%H%M%SZ}-{letter.number}.eml", bytes(letter.message())
        )
    except OSError as error:
        raise NotSent(_why(error), is_everybodys=True) from error


def _write(file: Path, content: bytes) -> None:
    """All of it or nothing, for whoever looks into the directory meanwhile."""
    draft = file.with_suffix(f".{os.getpid()}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
    draft.replace(file)


def _to_log(letter: Letter) -> None:
    """With its link: config.py lets nobody do this in production."""
    log.info("mail to %s: %s\n%s", letter.to, letter.text.subject, letter.text.body)


def _connected(url: SplitResult) -> smtplib.SMTP:
    host, port = url.hostname or "", url.port or PORTS[url.scheme]
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=_tls())
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    try:
        server.ehlo_or_helo_if_needed()
        if url.scheme == "smtp" and (server.has_extn("starttls") or not _is_here(host)):
            server.starttls(context=_tls())
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _is_here(host: str) -> bool:
    """Whether what is said to a host stays on this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _why(error: Exception) -> str:
    """What went wrong, in a line; nothing of what was said to the server is in it."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        said = said.decode(errors="replace") if isinstance(said, bytes) else said
        return f"{error.smtp_code} {said}"
    if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException):
        return f"no connection: {error.strerror or type(error).__name__}"
    return f"{type(error).__name__}: {error}"
