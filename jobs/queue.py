"""The queue: where jobs wait in Redis, as ids and JSON only, never pickled objects."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

QUEUE = "dreamland"
LATER = "dreamland-later"
"""What may wait until nothing else does."""
WEBHOOKS = "webhooks"
CONNECT_TIMEOUT_S = 2
TIMEOUT_S = 600
"""For a job; then its worker gives it up."""
KEEP_S = 3600
"""For which a job's result is kept."""


@lru_cache(maxsize=4)
def connection(redis_url: str) -> Redis:
    """A connection pool for a Redis; nothing is sent before the first command."""
    return Redis.from_url(redis_url, socket_connect_timeout=CONNECT_TIMEOUT_S)


class JsonJob(Job):
    """A job in JSON, also where rq-scheduler makes or fetches it: that library names no serializer."""

    @classmethod
    def create(cls, *args: Any, **options: Any) -> "JsonJob":
        """Make a job, as Job.create does."""
        return cast(JsonJob, super().create(*args, **{"serializer": JSONSerializer, **options}))

    @classmethod
    def fetch(cls, *args: Any, **options: Any) -> "JsonJob":
        """Read a job, as Job.fetch does."""
        return cast(JsonJob, super().fetch(*args, **{"serializer": JSONSerializer, **options}))


def queue(redis_url: str, name: str = QUEUE) -> Queue:
    """The queue of all jobs but webhooks and those of LATER, or the one of that name."""
    return Queue(name, connection=connection(redis_url), serializer=JSONSerializer)


def enqueue(
    jobs: Queue,
    function: Callable[..., object],
    *args: str | int,
    job_id: str | None = None,
    timeout_s: int = TIMEOUT_S,
    keep_failed_s: int = 24 * KEEP_S,
) -> None:
    """Have a worker of a queue run a function. One that fails is kept for a day to be looked at."""
    jobs.enqueue_call(
        function,
        args=args,
        job_id=job_id,
        timeout=timeout_s,
        result_ttl=KEEP_S,
        failure_ttl=keep_failed_s,
    )
