"""One message: what a receiver may do to it, and that it ends in time."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from portal.services.webhooks import sending
from portal.services.webhooks.addresses import Rules
from portal.services.webhooks.sending import Sender
from tests.concurrency.programs import eventually
from tests.concurrency.web import free_port

LAX = Rules(plain_http=True, private=True)
CERTIFICATE = Path(__file__).parent / "hooks.test.pem"
OK = b"HTTP/1.1 204 No Content\r\n\r\n"
Serve = Callable[[socket.socket], None]


@contextmanager
def serving(serve: Serve, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that treats each connection as told; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def one(raw: socket.socket) -> None:
        try:
            connection = context.wrap_socket(raw, server_side=True) if context else raw
            with connection:
                serve(connection)
        except OSError:
            raw.close()

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with closing(listener):
        yield listener.getsockname()[1]


def read(connection: socket.socket) -> bytes:
    """A whole request with a body of two bytes."""
    data = b""
    while not data.endswith(b"{}"):
        more = connection.recv(65536)
        if not more:
            raise OSError("hung up")
        data += more
    return data


def answering(*pieces: bytes, pause_s: float = 0) -> Serve:
    def serve(connection: socket.socket) -> None:
        read(connection)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause_s)

    return serve


def sent(port: int, timeout_s: float = 1) -> tuple[str | None, float]:
    """Why it failed, and how long that took."""
    began = time.monotonic()
    with closing(Sender(f"http://127.0.0.1:{port}/", LAX, timeout_s)) as sender:
        return sender.post(b"{}", {}).failure, time.monotonic() - began


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (OK, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", None),
        (b"HTTP/1.0 299 Fine\r\n\r\nwhatever", None),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ncut off", None),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", "answered 500"),
        (b"HTTP/1.1 404 Not\r\n\r\n", "answered 404"),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "answered 302: redirects are not followed"),
        (b"SSH-2.0-OpenSSH_9\r\n", "not an answer in HTTP: BadStatusLine"),
        (
            b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
            "not an answer in HTTP: HTTPException",
        ),
        (b"", "not an answer in HTTP: RemoteDisconnected"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nok\r\n", None),
        (b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", "answered 500"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok", None),
        (
            b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"y" * 40000 + b"\r\n") * 2,
            "not an answer in HTTP: TooLong",
        ),
    ],
)
def test_2xx_is_taken_and_nothing_else(answer: bytes, failure: str | None) -> None:
    with serving(answering(answer)) as port:
        assert sent(port)[0] == failure


def test_nobody_there_is_a_failure() -> None:
    failure, took = sent(free_port())
    assert failure == "no connection: Connection refused"
    assert took < 0.5


@pytest.mark.parametrize(
    "serve",
    [
        lambda _: time.sleep(5),
        answering(*[bytes([each]) for each in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 80], pause_s=0.1),
        answering(b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 50, pause_s=0.1),
    ],
    ids=["silent", "a dripping line", "dripping headers"],
)
def test_a_receiver_that_takes_its_time_is_not_waited_for_longer(serve: Serve) -> None:
    with serving(serve) as port:
        failure, took = sent(port, timeout_s=0.5)
    assert failure == "no answer within 0.5 s"
    assert 0.4 < took < 1


def test_a_body_that_drips_or_never_ends_costs_a_second_and_its_connection() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    with serving(answering(head, *[b"x"] * 50, pause_s=0.1)) as port:
        failure, took = sent(port, timeout_s=5)
    assert failure is None
    assert took < 2
    with serving(answering(head, b"x" * 100000)) as port:
        failure, took = sent(port, timeout_s=5)
    assert failure is None
    assert took < 1


@pytest.mark.parametrize(
    "length", [b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", b"Content-Length: -1\r\n\r\n", b"\r\n"]
)
def test_of_an_answer_that_lies_about_its_length_no_more_is_read_than_of_others(
    length: bytes,
) -> None:
    """What the receiver gets rid of is what was read, and what the system keeps for both sides."""
    got_rid_of: list[int] = []

    def flood(connection: socket.socket) -> None:
        read(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + length)
        try:
            got_rid_of.extend(connection.send(b"x" * 100_000) for _ in range(1000))
        except OSError:
            got_rid_of.append(0)

    with serving(flood) as port:
        assert sent(port, timeout_s=5)[0] is None
    eventually("it ended", lambda: got_rid_of and (got_rid_of[-1] == 0 or len(got_rid_of) == 1000))
    assert sum(got_rid_of) < 30_000_000


def test_a_connection_that_was_closed_meanwhile_is_made_again() -> None:
    requests: list[bytes] = []

    def one_each(connection: socket.socket) -> None:
        requests.append(read(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with serving(one_each) as port, closing(Sender(f"http://127.0.0.1:{port}/", LAX, 1)) as sender:
        for _ in range(3):
            assert sender.post(b"{}", {}).failure is None
            time.sleep(0.05)
    assert len(requests) == 3


def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """For this test the certificate in this directory counts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    sending._tls.cache_clear()


@pytest.fixture
def tls() -> Iterator[ssl.SSLContext]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    yield context
    sending._tls.cache_clear()


def secured(port: int, host: str) -> str | None:
    with closing(Sender(f"https://{host}:{port}/", LAX, 1, lambda *_: ["127.0.0.1"])) as sender:
        return sender.post(b"{}", {}).failure


def test_the_certificate_is_held_against_the_name_and_not_the_address(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted(monkeypatch)
    with serving(answering(OK), tls) as port:
        assert secured(port, "hooks.test") is None
        failure = secured(port, "other.test")
    assert failure is not None
    assert failure.startswith("TLS failed: Hostname mismatch")


def test_a_certificate_that_nobody_vouches_for_is_refused(tls: ssl.SSLContext) -> None:
    sending._tls.cache_clear()
    with serving(answering(OK), tls) as port:
        failure = secured(port, "hooks.test")
    assert failure == "TLS failed: self-signed certificate"


def test_what_speaks_no_tls_is_refused() -> None:
    with serving(answering(OK)) as port:
        failure = secured(port, "hooks.test")
    assert failure is not None
    assert failure.startswith(("TLS failed", "no answer"))
