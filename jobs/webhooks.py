"""Jobs of webhooks, on a queue and a worker of their own: a receiver that hangs holds up nothing else."""

import logging
import threading
import time

from redis.exceptions import RedisError
from rq import Queue

from jobs.context import in_app
from jobs.queue import WEBHOOKS, queue
from portal.runtime import runtime
from portal.services.webhooks import delivery

log = logging.getLogger(__name__)

TIMEOUT_S = 150
"""Of a turn, and of the message that was under way at its end."""
TURN_S = 55
LOOK_S = 0.5
KEEP_S = 3600
stopping = threading.Event()
"""Set when the worker was told to end: it then ends between two messages."""


class Turn:
    """A delivering job's time: until it is over, another job waits, or the worker is to end."""

    def __init__(self) -> None:
        self._end = time.monotonic() + TURN_S
        self._look = time.monotonic() + LOOK_S
        self._jobs = _queue()
        self._is_over = False

    def is_over(self) -> bool:
        """Asked by every thread, before each message."""
        now = time.monotonic()
        if not self._is_over and now > self._look:
            self._look = now + LOOK_S
            self._is_over = now > self._end or self._is_awaited()
        return self._is_over or stopping.is_set()

    def _is_awaited(self) -> bool:
        try:
            return self._jobs.count > 0
        except RedisError:  # it may be back before the turn is over
            return False


@in_app
def deliver() -> None:
    """Deliver to all endpoints for about a minute. Safe to run twice at once."""
    delivery.deliver(Turn().is_over)


@in_app
def send_again(endpoint_id: int, owner_id: int, seq: int) -> str | None:
    """Send one event once more; why it was not taken, if it was not."""
    return delivery.send_again(endpoint_id, owner_id, seq)


def enqueue_delivery() -> None:
    """Have a worker deliver at once. Without Redis it does so a minute after that is back."""
    try:
        _queue().enqueue_call(deliver, timeout=TIMEOUT_S, result_ttl=KEEP_S, failure_ttl=KEEP_S)
    except RedisError as error:
        log.warning("webhooks are delivered later, Redis is away: %s", type(error).__name__)


def enqueue_again(endpoint_id: int, owner_id: int, seq: int) -> None:
    """Have a worker send an event once more."""
    arguments = (endpoint_id, owner_id, seq)
    _queue().enqueue_call(
        send_again, args=arguments, timeout=TIMEOUT_S, result_ttl=KEEP_S, failure_ttl=KEEP_S
    )


def _queue() -> Queue:
    return queue(runtime().settings.redis_url, WEBHOOKS)
