"""Jobs of mails: each calls one service and is safe to run twice."""

import logging
from uuid import uuid4

from redis.exceptions import RedisError

from jobs.context import in_app
from jobs.queue import enqueue, queue
from portal.runtime import runtime
from portal.services import mails

log = logging.getLogger(__name__)

PREFIX = "mails-"


@in_app
def send_due() -> int:
    """Send the mails that are due. Returns how many went out. Safe to run twice at once."""
    return mails.send_due()


@in_app
def forget_due() -> int:
    """Forget old mails and links. Returns how many. Safe to run twice."""
    return mails.forget_due()


def enqueue_due() -> None:
    """Have a worker send what is due. Without Redis it does so a minute after that is back.

    A job that waits will see all that is due: one is enough.
    """
    try:
        jobs = queue(runtime().settings.redis_url)
        if not any(job_id.startswith(PREFIX) for job_id in jobs.job_ids):
            enqueue(jobs, send_due, job_id=f"{PREFIX}{uuid4()}")
    except RedisError as error:
        log.warning("mails are sent later, Redis is away: %s", type(error).__name__)
