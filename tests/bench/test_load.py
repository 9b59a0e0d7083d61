"""The load generator counts every answer, whole or in pieces, and leaves none on its way."""

import itertools
import socket
import threading
from collections.abc import Iterator

import pytest

from bench.load import drive, whole

ANSWER = b"HTTP/1.1 201 CREATED\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Answers every request of every connection, in pieces."""

    def __init__(self) -> None:
        self.answered = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while connection.recv(1000):
                with self._lock:
                    self.answered += 1
                for piece in (ANSWER[:5], ANSWER[5:40], ANSWER[40:]):
                    connection.sendall(piece)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def test_all_that_was_answered_is_counted(server: Server) -> None:
    load = drive(server.address, itertools.repeat(b"x"), connections=3, seconds=0.2, warm_up=0.1)
    assert load.statuses.total() == load.statuses[b"201"] == server.answered > 0
    assert load.rate > 0
    assert 0 < load.latency_ms(0.5) <= load.latency_ms(0.99)


def test_the_length_of_an_answer_is_known_once_its_headers_are_complete() -> None:
    assert whole(ANSWER[:40]) == 0
    assert whole(ANSWER[:45]) == len(ANSWER)
    with pytest.raises(ConnectionError, match="without Content-Length"):
        whole(b"HTTP/1.1 200 OK\r\n\r\n")
