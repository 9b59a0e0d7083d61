"""A mail server for tests: real SMTP on a port of its own, with TLS, and moods that a test may set."""

import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import IPv4Address
from pathlib import Path
from socket import socket
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd's, of every line

USER, PASSWORD = "portal@example.com", "s3cret/with@signs"
TAKEN = "250 OK"


class Handler:
    """What the server does with what it is told."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.said: list[bytes] = []
        self.was_secure: list[bool] = []
        self.rcpt: Callable[[str], str] = lambda _: TAKEN
        self.data: Callable[[EmailMessage], str] = lambda _: TAKEN

    async def handle_RCPT(self, _: Any, __: Any, envelope: Any, address: str, ___: Any) -> str:  # noqa: N802 - aiosmtpd's name
        answer = self.rcpt(address)
        if answer == TAKEN:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, _: Any, envelope: Any) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        answer = self.data(message)
        if answer == TAKEN:
            self.received.append(message)
            self.recipients += envelope.rcpt_tos
            self.was_secure.append(server.transport.get_extra_info("ssl_object") is not None)
        return answer

    def authenticate(self, _: Any, __: Any, ___: Any, ____: Any, given: Any) -> AuthResult:
        known = LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=given == known, handled=False)


class SmtpServer:
    """The server: started by `up`, which may follow a `down`, on the same port."""

    def __init__(self, certificate: Path) -> None:
        self.handler = Handler()
        with socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._certificate = certificate
        self._controller: Controller | None = None

    def up(self, *, tls: str = "starttls", needs_password: bool = False) -> None:
        """`tls` is `starttls`, `smtps` or `none`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate)
        self._controller = Controller(
            self.handler,
            hostname="127.0.0.1",
            port=self.port,
            tls_context=context if tls == "starttls" else None,
            ssl_context=context if tls == "smtps" else None,
            require_starttls=tls == "starttls",
            auth_required=needs_password,
            auth_require_tls=tls == "starttls",  # it takes TLS from the start for none
            authenticator=self.handler.authenticate if needs_password else None,
        )
        self._controller.start()

    def down(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None


@contextmanager
def smtp_server(directory: Path) -> Iterator[tuple[SmtpServer, Path]]:
    """A server that is not up yet, and the file of its certificate."""
    certificate = certificate_for("localhost", directory)
    server = SmtpServer(certificate)
    try:
        yield server, certificate
    finally:
        server.down()


def certificate_for(host: str, directory: Path) -> Path:
    """A certificate with its key, which nobody vouches for but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName(
        [x509.DNSName(host), x509.IPAddress(IPv4Address("0.0.0.0"))]  # noqa: S104 - a name in it
    )
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = directory / "smtp.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
