"""Jobs of webhooks, on a queue and a worker of their own: a receiver that hangs holds up nothing else."""

import logging
import threading
import time

from redis.exceptions import RedisError
from rq import Queue

from jobs import replays
from jobs.context import in_app
from jobs.queue import KEEP_S, WEBHOOKS, enqueue, queue
from portal.runtime import runtime
from portal.services.webhooks import delivery

log = logging.getLogger(__name__)

TIMEOUT_S = 240
"""Of a turn, and of the pages that were under way at its end."""
TURN_S = 55
stopping = threading.Event()
"""Set when the worker was told to end: it then ends between two messages, not two pages."""


@in_app
def deliver() -> None:
    """Deliver to all endpoints for about a minute. Safe to run twice at once."""
    end = time.monotonic() + TURN_S
    with replays.Replays() as again:
        delivery.deliver(lambda: time.monotonic() > end, stopping.is_set, again.step)


def enqueue_delivery() -> None:
    """Have a worker deliver at once. Without Redis it does so a minute after that is back.

    A turn that is under way sees by itself what has changed, and one that waits will: one is enough.
    """
    try:
        jobs = _queue()
        if not jobs.count:
            enqueue(jobs, deliver, timeout_s=TIMEOUT_S, keep_failed_s=KEEP_S)
    except RedisError as error:
        log.warning("webhooks are delivered later, Redis is away: %s", type(error).__name__)


def send_again(client_id: int, endpoint_id: int, owner_id: int, seq: int) -> bool:
    """Have a worker send an event once more; False where too many of the client's wait for that."""
    is_taken = replays.ask(client_id, endpoint_id, owner_id, seq)
    if is_taken:
        enqueue_delivery()
    return is_taken


def _queue() -> Queue:
    return queue(runtime().settings.redis_url, WEBHOOKS)
