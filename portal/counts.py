"""Counts of what was tried or sent lately, which end by themselves: those of all processes are in Redis.

While Redis is away each process counts by itself, a thread of its own looks after Redis, and nobody
waits for it. The windows are Redis' own (the first of a window begins it), so no machine's clock counts.
"""

import logging
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from math import ceil
from typing import TypeVar

from limits.storage import MemoryStorage, RedisStorage, Storage
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from config import Settings

log = logging.getLogger(__name__)

TIMEOUT_S = 0.25
"""For Redis to answer. One request at most waits that long: then Redis is taken to be away."""
LOOK_S = 2.0
THREAD = "counts"

T = TypeVar("T")


class Counts:
    """The counts of one database's books; nothing is sent before the first one."""

    def __init__(self, redis_url: str, books: str) -> None:
        self.books = books
        """What their names begin with: two databases that share a Redis share no count."""
        self._shared = RedisStorage(
            redis_url.replace("unix://", "redis+unix://", 1),
            socket_connect_timeout=TIMEOUT_S,
            socket_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
        )
        self._own = MemoryStorage()
        self._away = threading.Event()
        self._losing = threading.Lock()

    @classmethod
    def of(cls, settings: Settings) -> "Counts":
        """Those of the settings' database, in the settings' Redis."""
        books = sha256(settings.database_url.encode()).hexdigest()[:12]
        return cls(settings.redis_url, books)

    def add(self, name: str, amount: int, window_s: int) -> tuple[int, int]:
        """Add to a count; what it comes to, and the seconds until it ends."""
        key = f"{self.books}:{name}"

        def added(storage: Storage) -> tuple[int, int]:
            count = storage.incr(key, window_s, amount=amount)
            left = ceil(storage.get_expiry(key) - time.time())
            return count, min(max(left, 1), window_s)

        return self.use(added)

    def take_back(self, name: str, window_s: int) -> None:
        """Take one away of a count that may have been begun anew meanwhile: it is never below zero."""
        count, _ = self.add(name, -1, window_s)
        if count < 0:
            self.clear(name)

    def clear(self, name: str) -> None:
        """Begin a count anew."""
        self.use(lambda storage: storage.clear(f"{self.books}:{name}"))

    def use(self, work: Callable[[Storage], T]) -> T:
        """Work on the counts in Redis, or on this process's own while that is away."""
        if not self._away.is_set():
            try:
                return work(self._shared)
            except (RedisError, OSError) as error:
                self._lose(error)
        return work(self._own)

    def is_shared(self) -> bool:
        """Whether the counts are in Redis, as far as is known."""
        return not self._away.is_set()

    def _lose(self, error: Exception) -> None:
        """Redis is away: have a thread look after it."""
        with self._losing:
            if self._away.is_set():
                return
            self._away.set()
        log.warning("limits are counted in this process: %s", type(error).__name__)
        threading.Thread(target=self._look, name=THREAD, daemon=True).start()

    def _look(self) -> None:
        time.sleep(LOOK_S)
        while not self._counts():
            time.sleep(LOOK_S)
        self._away.clear()
        log.warning("limits are counted in Redis again")

    def _counts(self) -> bool:
        """Whether Redis takes a count: one that is full, or a replica, answers a ping all the same."""
        try:
            self._shared.incr(f"{self.books}:look", 1)
        except (RedisError, OSError):
            return False
        return True
