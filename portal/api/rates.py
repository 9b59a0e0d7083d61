"""Rate limits: how many requests a client may send in a minute, over all web processes.

The count is in Redis. A process leases some requests of a minute at once and counts them itself, so
that a win needs no trip to Redis: one at a time, and twice as many as before whenever a lease is spent
within LEASE_S, up to a fiftieth of the limit. A client is never let through above its limit; it may be
refused early by what other processes have leased and not spent. While Redis is away each process
counts by itself, a thread of its own looks after Redis, and no request waits for it.

The windows are Redis' own (the first request of a minute begins it), so no machine's clock counts.
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from hashlib import sha256
from math import ceil

from flask import Flask, Response, current_app, g
from limits.storage import MemoryStorage, RedisStorage, Storage
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from config import Settings
from portal.api.problems import Problem
from portal.services.clients import Caller

log = logging.getLogger(__name__)

WINDOW_S = 60
LEASE_S = 0.5
SHARE = 50
"""The largest lease is the limit by this."""
TIMEOUT_S = 0.25
"""For Redis to answer. One request at most waits that long: then Redis is taken to be away."""
LOOK_S = 2.0
ROUNDING_S = 1.0
NAME = "rate-limits"


@dataclass(slots=True)
class Budget:
    """What a process knows of a client's minute; times are `time.monotonic`'s."""

    limit: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    storage: object = None
    until: float = 0.0
    leased: int = 0
    size: int = 0
    leased_at: float = 0.0
    others: int = 0
    """What was left for everybody after the last lease."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a client stands after a request: what remains, and the seconds until its minute ends."""

    limit: int
    remaining: int
    reset_s: int
    is_allowed: bool


class Limiter:
    """Counts requests by client; nothing is sent before the first one."""

    def __init__(self, redis_url: str, name: str) -> None:
        self._name = name
        self._shared = RedisStorage(
            redis_url.replace("unix://", "redis+unix://", 1),
            socket_connect_timeout=TIMEOUT_S,
            socket_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
        )
        self._own = MemoryStorage()
        self._away = threading.Event()
        self._losing = threading.Lock()
        self._budgets: dict[tuple[int, int], Budget] = {}

    def spend(self, client_id: int, limit: int) -> Standing:
        """Count a request of a client that may send `limit` a minute."""
        budget = self._budgets.get((client_id, limit))
        if budget is None:
            budget = self._budgets.setdefault((client_id, limit), Budget(limit))
        with budget.lock:
            now = time.monotonic()
            if now >= budget.until or (budget.leased == 0 and budget.others > 0):
                self._lease(f"{self._name}:{client_id}:{limit}", budget, now)
            allowed = budget.leased > 0
            budget.leased -= allowed
            left = min(WINDOW_S, max(1, ceil(budget.until - now + ROUNDING_S)))
            return Standing(limit, budget.leased + budget.others, left, allowed)

    def is_shared(self) -> bool:
        """Whether the count is in Redis, as far as is known."""
        return not self._away.is_set()

    def _lease(self, key: str, budget: Budget, now: float) -> None:
        # One where the minute may have turned: else its last half second would spend all in leases.
        is_over = now >= budget.until
        budget.size = 1 if is_over else _size(budget, now - budget.leased_at)
        budget.leased_at = now
        if not self._away.is_set():
            try:
                self._take(self._shared, key, budget, now)
            except (RedisError, OSError) as error:
                self._lose(error)
            else:
                return
        self._take(self._own, key, budget, now)

    @staticmethod
    def _take(storage: Storage, key: str, budget: Budget, now: float) -> None:
        taken = storage.incr(key, WINDOW_S, amount=budget.size)
        if storage is not budget.storage or now >= budget.until:
            # Redis tells whole seconds, rounded: early rather than late, it is asked again then.
            ends_in = storage.get_expiry(key) - time.time() - ROUNDING_S / 2
            budget.until = now + min(max(ends_in, 0), WINDOW_S)
        budget.storage = storage
        budget.leased = min(budget.size, max(0, budget.limit - (taken - budget.size)))
        budget.others = max(0, budget.limit - taken)

    def _lose(self, error: Exception) -> None:
        """Redis is away: have a thread look after it."""
        with self._losing:
            if self._away.is_set():
                return
            self._away.set()
        log.warning("rate limits are counted in this process: %s", type(error).__name__)
        threading.Thread(target=self._look, name=NAME, daemon=True).start()

    def _look(self) -> None:
        time.sleep(LOOK_S)
        while not self._counts():
            time.sleep(LOOK_S)
        self._away.clear()
        log.warning("rate limits are counted in Redis again")

    def _counts(self) -> bool:
        """Whether Redis takes a count: one that is full, or a replica, answers a ping all the same."""
        try:
            self._shared.incr(f"{self._name}:look", 1)
        except (RedisError, OSError):
            return False
        return True


def _size(budget: Budget, lasted_s: float) -> int:
    """How many requests to lease, after the last lease lasted so long."""
    most = max(1, budget.limit // SHARE)
    if lasted_s < LEASE_S:
        return min(2 * budget.size, most) or 1
    return max(1, budget.size // 2) if lasted_s < 2 * LEASE_S else 1


def register(app: Flask, settings: Settings) -> None:
    """Give the app its limiter. Two databases that share a Redis share no count."""
    books = sha256(settings.database_url.encode()).hexdigest()[:12]
    app.extensions[NAME] = Limiter(settings.redis_url, books)


def spend(caller: Caller) -> None:
    """Count this request. Raises Problem('rate_limited')."""
    limit = caller.rate_limit
    if limit is None:
        limit = current_app.config["SETTINGS"].rate_limit_per_minute
    if limit == 0:
        return
    limiter: Limiter = current_app.extensions[NAME]
    standing = g.standing = limiter.spend(caller.client_id, limit)
    if not standing.is_allowed:
        detail = f"the client may send {limit} requests a minute: try again after Retry-After"
        raise Problem("rate_limited", detail, limit=str(limit), remaining="0")


def tell(response: Response, standing: Standing) -> None:
    """The headers of a limited client: what it may send, what is left of it, and until when."""
    headers = response.headers
    headers.add("RateLimit-Policy", f'"default";q={standing.limit};w={WINDOW_S}')
    headers.add("RateLimit", f'"default";r={standing.remaining};t={standing.reset_s}')
    if not standing.is_allowed:
        headers["Retry-After"] = str(standing.reset_s)
