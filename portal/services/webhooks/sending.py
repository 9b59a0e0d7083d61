"""Sends one message over HTTP: to an address that was checked, once, within a time that is kept.

Connections stay open for the next message. No redirect is followed, no proxy of the environment used,
and of an answer no more is read than leaves its connection fit for the next.
"""

import http.client
import io
import socket
import ssl
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

import certifi

from portal.services.webhooks.addresses import (
    Lookup,
    NotAllowed,
    Rules,
    Target,
    addresses,
    parse,
    system_lookup,
)

LONGEST_LIFE_S = 60
"""Of a connection: then the name is looked up anew."""
HEAD_BYTES = 65536
"""Of an answer's head."""
READ_BYTES, READ_S = 4096, 1
"""Of an answer's body; one that is longer or slower costs its connection."""
STALE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)
"""What a connection says that the receiver closed while nothing was sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a message: `failure` is None where the receiver took it."""

    failure: str | None = None
    is_gone: bool = False
    retry_after: timedelta | None = None


class Sender:
    """Sends to one URL, from several threads at a time."""

    def __init__(
        self, url: str, rules: Rules, timeout_s: float, lookup: Lookup = system_lookup
    ) -> None:
        self._url, self._rules, self._timeout_s, self._lookup = url, rules, timeout_s, lookup
        self._idle: deque[_Connection] = deque()

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a message and wait for its answer, for `timeout_s` in all. Never raises for a receiver's sake."""
        deadline = time.monotonic() + self._timeout_s
        try:
            return self._post(body, headers, deadline)
        except NotAllowed as refused:
            return Answer(f"not allowed: {refused}")
        except TimeoutError:
            return Answer(f"no answer within {self._timeout_s:g} s")
        except ssl.SSLError as error:
            return Answer(f"TLS failed: {getattr(error, 'verify_message', '') or error.reason}")
        except (http.client.HTTPException, ValueError) as error:
            return Answer(f"not an answer in HTTP: {type(error).__name__}")
        except OSError as error:
            return Answer(f"no connection: {error.strerror or type(error).__name__}")

    def close(self) -> None:
        """Hang up."""
        while self._idle:
            self._idle.pop().close()

    def _post(self, body: bytes, headers: Mapping[str, str], deadline: float) -> Answer:
        kept = self._kept()
        if kept is not None:
            try:
                return self._exchange(kept, body, headers, deadline)
            except STALE:
                pass
        return self._exchange(self._connect(deadline), body, headers, deadline)

    def _exchange(
        self, connection: "_Connection", body: bytes, headers: Mapping[str, str], deadline: float
    ) -> Answer:
        try:
            answer, is_reusable = connection.exchange(body, headers, deadline)
        except BaseException:
            connection.close()
            raise
        if is_reusable:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def _kept(self) -> "_Connection | None":
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was quicker
                return None
            if time.monotonic() < connection.until:
                return connection
            connection.close()
        return None

    def _connect(self, deadline: float) -> "_Connection":
        target = parse(self._url, self._rules)
        problem: OSError = OSError("no address")
        for address in addresses(target, self._rules, self._lookup, _left(deadline)):
            try:
                return _Connection(target, address, deadline)
            except OSError as error:
                problem = error
        raise problem


class _Connection(http.client.HTTPConnection):
    """A connection to one address, which speaks for the target's name."""

    auto_open = 0

    def __init__(self, target: Target, address: str, deadline: float) -> None:
        super().__init__(target.host, target.port)
        self.default_port = 443 if target.is_https else 80
        self._target = target
        raw = socket.create_connection((address, target.port), timeout=_left(deadline))
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if target.is_https:
                raw.settimeout(_left(deadline))
                raw = _tls().wrap_socket(raw, server_hostname=target.host)
        except BaseException:
            raw.close()
            raise
        self._timed = _Timed(raw)
        self.sock: Any = self._timed
        self.until = time.monotonic() + LONGEST_LIFE_S

    def exchange(
        self, body: bytes, headers: Mapping[str, str], deadline: float
    ) -> tuple[Answer, bool]:
        """Send and read; whether another message may follow."""
        self._timed.deadline, self._timed.room = deadline, HEAD_BYTES
        self.request("POST", self._target.path, body, dict(headers))
        response = self.getresponse()
        if self.sock is None:  # the receiver said that it hangs up: http.client has closed it
            return answer_of(response), False
        self._timed.deadline = min(deadline, time.monotonic() + READ_S)
        self._timed.room = READ_BYTES
        try:
            response.read(READ_BYTES)
        except (OSError, http.client.HTTPException, ValueError):
            return answer_of(response), False
        return answer_of(response), response.isclosed()


class TooLong(http.client.HTTPException):
    """More came in than is read of an answer."""


class _Timed:
    """A socket whose every step ends at a deadline, however slowly the other side drips.

    It takes in no more than there is room for, whatever http.client makes of what the other side says
    of its lengths.

    What is to be sent goes at the first read, in one piece: http.client hands head and body over apart,
    which would cost two packets and wake the receiver twice.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._unsent = b""
        self.deadline = 0.0
        self.room = 0

    def sendall(self, data: bytes) -> None:
        self._unsent += data

    def receive(self, buffer: Any) -> int:
        self._socket.settimeout(_left(self.deadline))
        if self._unsent:
            unsent, self._unsent = self._unsent, b""
            self._socket.sendall(unsent)
            self._socket.settimeout(_left(self.deadline))
        if self.room <= 0:
            raise TooLong
        count = self._socket.recv_into(buffer)
        self.room -= count
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        self._socket.close()


class _Reader(io.RawIOBase):
    def __init__(self, timed: _Timed) -> None:
        super().__init__()
        self._timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._timed.receive(buffer)


def answer_of(response: http.client.HTTPResponse) -> Answer:
    """What a status means: 2xx is taken, anything else is not."""
    status = response.status
    if 200 <= status < 300:
        return Answer()
    failure = f"answered {status}"
    if 300 <= status < 400:
        failure += ": redirects are not followed"
    asked = response.headers.get("Retry-After", "") if status in (429, 503) else ""
    wait = timedelta(seconds=int(asked)) if asked.isdecimal() and len(asked) < 7 else None
    return Answer(failure, is_gone=status == 410, retry_after=wait)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
