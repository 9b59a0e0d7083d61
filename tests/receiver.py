"""A receiver of webhooks on this machine, over real HTTP: it verifies, remembers, and answers as told."""

import json
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


@dataclass(frozen=True)
class Message:
    """One request as it came in. `number` is 1 where its event comes for the first time."""

    id: str
    event: dict[str, Any]
    headers: dict[str, str]
    body: bytes
    number: int
    handler: BaseHTTPRequestHandler

    @property
    def user(self) -> int:
        return int(self.id.partition("-")[0])

    @property
    def seq(self) -> int:
        return int(self.id.partition("-")[2])


Answer = Callable[[Message], int | None]
"""The status to answer with; None where it was answered, or never is."""


def fine(_: Message) -> int:
    return 204


class Receiver:
    """Answers by `answer`. What it verified is in `seen`, what it took (2xx) in `taken`, in order."""

    def __init__(self) -> None:
        self.answer: Answer = fine
        self.secrets: list[str] = []
        self.seen: list[Message] = []
        self.taken: list[Message] = []
        self.unverified: list[Message] = []
        self.is_down = False
        self.connections = 0
        self.release = threading.Event()
        """What `hang` waits for."""
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = defaultdict(int)
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?of=dreamland"

    def hang(self, _: Message) -> None:
        """Never answer."""
        self.release.wait()

    def close(self) -> None:
        self.release.set()
        self.is_down = True
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def seqs(self, user: int) -> list[int]:
        """What was taken of a user, in order of the first time."""
        found = [message.seq for message in self.taken if message.user == user]
        return list(dict.fromkeys(found))

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if self.is_down:
            handler.close_connection = True
            return
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self._lock:
            number = self._numbers[headers["webhook-id"]] = self._numbers[headers["webhook-id"]] + 1
        message = Message(headers["webhook-id"], json.loads(body), headers, body, number, handler)
        if not self._verifies(message):
            self.unverified.append(message)
        with self._lock:
            self.seen.append(message)
        status = self.answer(message)
        if status is None:
            handler.close_connection = True
            return
        if 200 <= status < 300:
            with self._lock:
                self.taken.append(message)
        handler.send_response(status)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def _verifies(self, message: Message) -> bool:
        for secret in self.secrets:
            try:
                Webhook(secret).verify(message.body, message.headers)
            except WebhookVerificationError:
                continue
            return True
        return False

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                receiver.connections += 1
                super().setup()

            def do_POST(self) -> None:
                try:
                    receiver.serve(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (TimeoutError, BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
                """Nothing: a test's output is for what failed."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
