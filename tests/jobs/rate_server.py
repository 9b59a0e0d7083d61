"""A rate API on this machine, over real HTTP: each answer is what a test makes it."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = Callable[["Exchange"], None]


class Exchange:
    """One request to be answered: which time's rate it asks for, and the ways to answer."""

    def __init__(self, handler: BaseHTTPRequestHandler, number: int) -> None:
        self._handler = handler
        self.number = number
        """1 for the first request of this time's rate, and so on."""
        self.at = parse_qs(urlsplit(handler.path).query).get("at", [""])[0]
        self.host = handler.headers["Host"]

    def rate(self, value: object, at: object = None) -> None:
        """A rate in the agreed form; of the time asked for, unless `at` says another."""
        self.send(json.dumps({"rate": value, "at": self.at if at is None else at}).encode())

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.begin(status, len(body), **headers)
        self._handler.wfile.write(body)

    def begin(self, status: int, length: int, **headers: str) -> None:
        self._handler.send_response(status)
        for name, value in headers.items():
            self._handler.send_header(name, value)
        self._handler.send_header("Content-Length", str(length))
        self._handler.end_headers()

    def send_chunked(self, *pieces: bytes) -> None:
        """Without saying how long it will be."""
        self._handler.protocol_version = "HTTP/1.1"
        self._handler.send_response(200)
        self._handler.send_header("Transfer-Encoding", "chunked")
        self._handler.send_header("Connection", "close")
        self._handler.end_headers()
        for piece in (*pieces, b""):
            self._handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def drip(self, body: bytes, pause_s: float) -> None:
        """A byte at a time."""
        self.begin(200, len(body))
        for byte in body:
            self._handler.wfile.write(bytes([byte]))
            self._handler.wfile.flush()
            time.sleep(pause_s)


def fixed(value: str) -> Answer:
    """Always the same rate, of the time asked for."""
    return lambda exchange: exchange.rate(value)


class RateServer:
    """Answers by `answer`. `hold()` has requests wait until `release()`."""

    def __init__(self) -> None:
        self.answer: Answer = fixed("0.15")
        self.asked: Counter[str] = Counter()
        """How often each time's rate was asked for."""
        self._open = threading.Event()
        self._open.set()
        self._counting = threading.Lock()
        self._ending = False
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/rate"

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def close(self) -> None:
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.serve(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
                """Nothing: a test's output is for what failed."""

        return Handler

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        at = parse_qs(urlsplit(handler.path).query).get("at", [""])[0]
        with self._counting:
            self.asked[at] += 1
            number = self.asked[at]
        self._open.wait()
        try:
            self.answer(Exchange(handler, number))
        except (BrokenPipeError, ConnectionResetError):
            return  # who asked was killed, or had enough


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def rate_server() -> Iterator[RateServer]:
    server = RateServer()
    try:
        yield server
    finally:
        server.close()
