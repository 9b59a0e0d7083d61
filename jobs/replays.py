"""Events that are to be sent once more, by hand: they wait in Redis, and are sent beside a turn's pages.

They are no jobs: one whose receiver hangs would hold the queue, and with it what every client is sent.
Here a client has one thread of a few, none of which delivers pages, and only so many of its events wait.
"""

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Self, cast

from redis import Redis
from redis.exceptions import RedisError

from jobs.queue import connection
from portal.logs import trace
from portal.runtime import runtime
from portal.services.webhooks import delivery

log = logging.getLogger(__name__)

WAITING = "webhooks-again"
"""A sorted set of `client-endpoint-owner-seq`, the longest waiting first: an event is in it once."""
MOST = 5
"""Of a client's events, that wait at a time."""
THREADS = 4
SPARE_S = 15
"""Longer than a message may take, one belongs to the worker that took it: if that dies, the next takes it."""


def ask(client_id: int, endpoint_id: int, owner_id: int, seq: int) -> bool:
    """Have an event sent once more; False where as many of the client's wait as may."""
    redis, name = _redis(), f"{client_id}-{endpoint_id}-{owner_id}-{seq}"
    own = [each for each in waiting(redis) if _client(each) == client_id]
    if len(own) >= MOST and name not in own:
        return False
    redis.zadd(WAITING, {name: time.time()}, nx=True)
    return True


def waiting(redis: Redis) -> list[str]:
    """What is to be sent, the longest waiting first."""
    return [name.decode() for name in cast(list[bytes], redis.zrange(WAITING, 0, -1))]


def _client(name: str) -> int:
    return int(name.partition("-")[0])


def _lease(name: str) -> str:
    return f"{WAITING}:{name}"


def _redis() -> Redis:
    return connection(runtime().settings.redis_url)


class Replays:
    """Sends what waits, one of a client's at a time, while a turn lasts."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="again")
        self._busy: dict[int, Future[None]] = {}

    def step(self) -> bool:
        """Begin what may be sent now; whether any waits or is under way."""
        try:
            self._busy = {client: each for client, each in self._busy.items() if not each.done()}
            names = waiting(_redis())
            for name in names:
                client = _client(name)
                if client not in self._busy and len(self._busy) < THREADS and self._take(name):
                    run = copy_context().run
                    self._busy[client] = self._threads.submit(run, self._send, name)
        except RedisError as error:
            log.warning("events are sent again later, Redis is away: %s", type(error).__name__)
            return False
        return bool(names)

    @staticmethod
    def _take(name: str) -> bool:
        lasts = int(runtime().settings.webhook_timeout_s) + SPARE_S
        return bool(_redis().set(_lease(name), "", nx=True, ex=lasts))

    @staticmethod
    def _send(name: str) -> None:
        try:
            delivery.send_again(*map(int, name.split("-")[1:]))
        except Exception as error:  # noqa: BLE001 - it has one attempt, whatever becomes of it
            log.error("an event was not sent again: %s\n%s", name, trace(error))  # noqa: TRY400
        _redis().zrem(WAITING, name)
        _redis().delete(_lease(name))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown()
