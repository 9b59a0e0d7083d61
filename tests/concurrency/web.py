"""Web processes as in production, granian with two workers, and callers that speak HTTP to them."""

import http.client
import json
import socket
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from threading import Barrier
from typing import Any, TypeVar

from flask import Flask

from portal.api.problems import CODES
from portal.services import clients
from tests.concurrency.programs import Program, Programs, eventually

T = TypeVar("T")
START_S = 120
"""Until a worker serves: on a machine that is busy with others, it reads all its modules slowly."""


@dataclass(frozen=True)
class Answer:
    """A response: its status, its JSON, its headers in lower case."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


class Caller:
    """One caller with a connection of its own, kept open. Not for two threads at once."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._key = key

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Raises OSError or HTTPException where no answer comes; the next call connects anew."""
        payload = None if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"} | named
        try:
            self._connection.request(method, path, payload, given)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        known = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, json.loads(content), known)
        if known.get("content-type") == "application/problem+json":
            assert answer.body["code"] in CODES, answer
        return answer

    def win(self, user: int, key: str, body: dict[str, str], **headers: str) -> Answer:
        path = f"/api/v1/users/{user}/wins"
        return self.ask("POST", path, body, Idempotency_Key=key, **headers)

    def close(self) -> None:
        self._connection.close()


NO_ANSWER = (OSError, http.client.HTTPException)
"""What a caller sees when the process it speaks to dies."""


def win_body(at: datetime, amount: str = "0.001", reference: str = "r") -> dict[str, str]:
    """A win's body."""
    return {
        "amount": amount,
        "occurred_at": at.isoformat(),
        "game": "maze",
        "reference": reference,
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Web:
    """A running granian; `caller()` makes one more client of it. `close` closes them all."""

    def __init__(
        self, programs: Programs, app: Flask, target: str = "wsgi:app", **environment: str
    ) -> None:
        self.port = free_port()
        self._callers: list[Caller] = []
        with app.app_context():
            self.key = clients.create_key("games", list(clients.SCOPES))
        self.programs = programs
        self._target = target
        self._environment = environment
        self.start()
        assert self.readiness() == 200

    def start(self) -> None:
        """Start the server, on the port that it always has."""
        self.program: Program = self.programs.start(
            *("-m", "granian", "--interface", "wsgi", self._target, "--port", str(self.port)),
            *("--workers", "2", "--blocking-threads", "32", "--backlog", "2048", "--no-ws"),
            *("--http", "1", "--respawn-failed-workers", "--respawn-interval", "0.5"),
            **self._environment,
        )
        eventually("both workers serve", self._serves, START_S)

    def _serves(self) -> bool:
        assert self.program.is_alive(), self.program.said()
        said = self.program.said()
        return all(f"Started worker-{number}" in said for number in (1, 2))

    def recovered(self, deaths: int) -> None:
        """Wait until every dead worker was made anew and lives for longer than the respawn interval.

        One that dies sooner is to granian a crash loop, and it ends.
        """
        started = 2 + deaths
        eventually(
            "all workers are back", lambda: self.program.said().count("Started w") == started
        )
        time.sleep(1)

    def caller(self) -> Caller:
        made = Caller(self.port, self.key)
        self._callers.append(made)
        return made

    def close(self) -> None:
        for caller in self._callers:
            caller.close()

    def readiness(self) -> int | None:
        """The status of /readyz, None without an answer."""
        caller = Caller(self.port, self.key)
        try:
            return caller.ask("GET", "/readyz").status
        except NO_ANSWER:
            assert self.program.is_alive(), self.program.said()
            return None
        finally:
            caller.close()


def at_once(*work: Any) -> list[Any]:
    """Call each of the functions in a thread of its own, all at the same moment; their results."""
    barrier = Barrier(len(work))

    def start(each: Any) -> Any:
        barrier.wait()
        return each()

    with ThreadPoolExecutor(len(work)) as threads:
        return list(threads.map(start, work))


def count_of(values: Iterable[T]) -> dict[T, int]:
    """How often each value is there."""
    counts: dict[T, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts
