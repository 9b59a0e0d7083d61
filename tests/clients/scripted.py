"""A server of raw sockets that answers, hangs, cuts or drips as a test says, one step a request."""

import json
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

DRIP_S = 0.05


@dataclass(frozen=True)
class Asked:
    """A request as it came; the names of its headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Step = Callable[["Scripted", socket.socket, Asked], bool]
"""Deals with a request; whether the connection stays."""


class Scripted:
    """`steps` are done in turn, the last of them for ever; `asked` are the requests so far."""

    def __init__(self) -> None:
        self.steps: deque[Step] = deque()
        self.asked: list[Asked] = []
        self.connections = 0
        self.over = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.base = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def will(self, *steps: Step) -> None:
        """What it does from now on."""
        with self._lock:
            self.steps = deque(steps)

    def close(self) -> None:
        if self.over.is_set():
            return
        self.over.set()
        # Only this wakes the thread that waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                connection.close()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            while (asked := _read(connection)) is not None:
                with self._lock:
                    self.asked.append(asked)
                    step = self.steps[0] if len(self.steps) == 1 else self.steps.popleft()
                if not step(self, connection, asked):
                    return
        except OSError:
            return
        finally:
            connection.close()


def _read(connection: socket.socket) -> Asked | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        piece = connection.recv(65536)
        if not piece:
            return None
        body += piece
    method, path, _ = first.split(" ")
    return Asked(method, path, headers, body)


def raw(status: int, body: bytes, length: int | None = None, **headers: str) -> bytes:
    """A response as it goes over the wire; `length` is what it claims to have."""
    named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status} X\r\nContent-Length: {size}\r\n{named}\r\n".encode() + body


def says(status: int, body: object = None, **headers: str) -> Step:
    """Answer with JSON, or with bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()

    def step(_: Scripted, connection: socket.socket, __: Asked) -> bool:
        connection.sendall(raw(status, content, **headers))
        return True

    return step


def refuses(status: int, code: str, headers: dict[str, str] | None = None, **more: Any) -> Step:
    """Answer with a problem."""
    return says(status, {"code": code, "detail": "no", "request_id": "r1"} | more, **headers or {})


def hangs(server: Scripted, _: socket.socket, __: Asked) -> bool:
    """Never answer."""
    server.over.wait(60)
    return False


def closes(_: Scripted, __: socket.socket, ___: Asked) -> bool:
    """Close without a word."""
    return False


def cuts(_: Scripted, connection: socket.socket, __: Asked) -> bool:
    """Close in the middle of an answer."""
    connection.sendall(raw(201, b'{"win": {"entry_id"', length=500))
    return False


def drips(server: Scripted, connection: socket.socket, _: Asked) -> bool:
    """Answer a byte at a time, each sooner than any timeout of a socket."""
    connection.sendall(raw(200, b"{", length=100_000))
    while not server.over.wait(DRIP_S):
        connection.sendall(b" ")
    return False
