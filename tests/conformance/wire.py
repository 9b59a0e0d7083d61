"""Requests as raw bytes, for what no HTTP client would send; and what comes back."""

import json
import socket
from dataclasses import dataclass
from typing import Any

TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Reply:
    """What a server sent until it closed: None where that was nothing."""

    status: int | None
    headers: dict[str, str]
    content: bytes

    @property
    def code(self) -> str | None:
        """The problem's code, if it is one of ours."""
        if self.headers.get("content-type") != "application/problem+json":
            return None
        body: dict[str, Any] = json.loads(self.content)
        return str(body["code"])


def exchange(port: int, request: bytes) -> Reply:
    """Send bytes, which should ask for the connection to be closed, and read all that comes."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        try:
            connection.sendall(request)
            while part := connection.recv(65536):
                received += part
        except (ConnectionResetError, BrokenPipeError):
            pass  # it refused in the middle; what it said before counts
    head, _, content = received.partition(b"\r\n\r\n")
    if not head:
        return Reply(None, {}, b"")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return Reply(int(first.split()[1]), headers, content)
