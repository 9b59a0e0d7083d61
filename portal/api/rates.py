"""Rate limits: how many requests a client may send in a minute, over all web processes.

The count is in Redis. A process leases some requests of a minute at once and counts them itself, so
that a win needs no trip to Redis: one at a time, and twice as many as before whenever a lease is spent
within LEASE_S, up to a fiftieth of the limit. A client is never let through above its limit; it may be
refused early by what other processes have leased and not spent.
"""

import threading
import time
from dataclasses import dataclass, field
from math import ceil

from flask import Flask, Response, current_app, g
from limits.storage import Storage

from portal.api.problems import Problem
from portal.counts import Counts
from portal.runtime import runtime
from portal.services.clients import Caller

WINDOW_S = 60
LEASE_S = 0.5
SHARE = 50
"""The largest lease is the limit by this."""
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

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._budgets: dict[tuple[int, int], Budget] = {}

    def spend(self, client_id: int, limit: int) -> Standing:
        """Count a request of a client that may send `limit` a minute."""
        budget = self._budgets.get((client_id, limit))
        if budget is None:
            budget = self._budgets.setdefault((client_id, limit), Budget(limit))
        with budget.lock:
            now = time.monotonic()
            if now >= budget.until or (budget.leased == 0 and budget.others > 0):
                self._lease(f"{self._counts.books}:{client_id}:{limit}", budget, now)
            allowed = budget.leased > 0
            budget.leased -= allowed
            left = min(WINDOW_S, max(1, ceil(budget.until - now + ROUNDING_S)))
            return Standing(limit, budget.leased + budget.others, left, allowed)

    def _lease(self, key: str, budget: Budget, now: float) -> None:
        # One where the minute may have turned: else its last half second would spend all in leases.
        is_over = now >= budget.until
        budget.size = 1 if is_over else _size(budget, now - budget.leased_at)
        budget.leased_at = now
        self._counts.use(lambda storage: self._take(storage, key, budget, now))

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


def _size(budget: Budget, lasted_s: float) -> int:
    """How many requests to lease, after the last lease lasted so long."""
    most = max(1, budget.limit // SHARE)
    if lasted_s < LEASE_S:
        return min(2 * budget.size, most) or 1
    return max(1, budget.size // 2) if lasted_s < 2 * LEASE_S else 1


def register(app: Flask) -> None:
    """Give the app its limiter."""
    with app.app_context():
        app.extensions[NAME] = Limiter(runtime().counts)


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
