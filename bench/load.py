"""A light HTTP client: one process, one thread, non-blocking sockets, requests ready to be sent.

As light as Python allows, since it runs beside the servers it measures: it reads no header but the
length, parses no body, and sends a connection's next request as soon as the last one is answered.
"""

import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bench.machine import watched

DRAIN_SECONDS = 30
READ = 65536
SEND = 256 * 1024
"""A batch of 500 wins must fit into a socket's buffer."""
END = b"\r\n\r\n"
LENGTH = b"content-length:"


@dataclass(slots=True)
class Load:
    """What was answered: by status, all of it; the rate, the latencies and the CPU after warm-up."""

    statuses: Counter[bytes] = field(default_factory=Counter)
    rate: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    cpu_us: float = 0.0
    """This process's CPU time for a request."""
    others: float = 0.0
    """The part of the machine that programs other than the bench had meanwhile."""

    def latency_ms(self, share: float) -> float:
        """What that share of the requests took at most."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Connection:
    """A socket with one request on its way. The server must keep it alive."""

    __slots__ = ("_buffer", "_socket", "_whole", "sent_at")

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND)
        self._socket.setblocking(False)  # noqa: FBT003 - the standard library's
        self._buffer = b""
        self._whole = 0
        self.sent_at = 0.0

    def fileno(self) -> int:
        """What epoll knows the connection by."""
        return self._socket.fileno()

    def send(self, request: bytes) -> None:
        """Requests are smaller than a socket's buffer: they go at once."""
        if self._socket.send(request) != len(request):
            raise ConnectionError("a request did not fit the socket's buffer")

    def receive(self) -> bytes | None:
        """The status of the answer, once all of it is here."""
        data = self._socket.recv(READ)
        if not data:
            raise ConnectionError("the server closed a connection")
        if self._buffer:
            data = self._buffer + data
        if not self._whole:
            self._whole = whole(data)
        if not self._whole or len(data) < self._whole:
            self._buffer = data
            return None
        self._buffer, self._whole = b"", 0
        return data[9:12]

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def whole(data: bytes) -> int:
    """How long an answer is in all; 0 while its headers are not complete."""
    end = data.find(END)
    if end < 0:
        return 0
    head = data[:end].lower()
    at = head.find(LENGTH)
    if at < 0:
        raise ConnectionError("an answer without Content-Length")
    return end + len(END) + int(head[at + len(LENGTH) :].split(b"\r", 1)[0])


def drive(
    address: tuple[str, int],
    requests: Iterator[bytes],
    connections: int,
    seconds: float,
    warm_up: float,
) -> Load:
    """Keep every connection busy for that long; every request sent is waited for."""
    load = Load()
    open_ones = [Connection(address) for _ in range(connections)]
    try:
        poll = select.epoll()
        by_file = {each.fileno(): each for each in open_ones}
        for each in open_ones:
            poll.register(each.fileno(), select.EPOLLIN)
            _send(each, next(requests))
        turn = _Turn(poll, by_file, requests, load)
        turn.until(time.monotonic() + warm_up)
        load.latencies_ms.clear()
        began, cpu = time.monotonic(), time.process_time()
        with watched() as share:
            turn.until(began + seconds)
        load.others = share.others
        took, count = time.monotonic() - began, len(load.latencies_ms)
        load.rate = count / took
        load.cpu_us = (time.process_time() - cpu) / max(count, 1) * 1e6
        turn.drain()
    finally:
        for each in open_ones:
            each.close()
    return load


def _send(connection: Connection, request: bytes) -> None:
    connection.sent_at = time.monotonic()
    connection.send(request)


@dataclass(slots=True)
class _Turn:
    """The loop: what is answered is counted, and what is free gets its next request."""

    poll: select.epoll
    by_file: dict[int, Connection]
    requests: Iterator[bytes]
    load: Load

    def until(self, end: float) -> None:
        """Go on until a time of `time.monotonic`."""
        while time.monotonic() < end:
            self._step(0.1, self._again)

    def drain(self) -> None:
        """Wait for what is under way and send nothing more."""
        end = time.monotonic() + DRAIN_SECONDS
        while self.by_file:
            if time.monotonic() > end:
                raise TimeoutError(f"{len(self.by_file)} requests were never answered")
            self._step(0.1, self._leave)

    def _step(self, timeout: float, then: Callable[[int, Connection], None]) -> None:
        now = time.monotonic
        for number, _ in self.poll.poll(timeout):
            connection = self.by_file[number]
            status = connection.receive()
            if status is not None:
                self.load.statuses[status] += 1
                self.load.latencies_ms.append((now() - connection.sent_at) * 1000)
                then(number, connection)

    def _again(self, _: int, connection: Connection) -> None:
        _send(connection, next(self.requests))

    def _leave(self, number: int, _: Connection) -> None:
        self.poll.unregister(number)
        del self.by_file[number]
