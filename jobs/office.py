"""Jobs as staff look after them, read from rq's own registries and the scheduler's set. Reading changes nothing."""

import inspect
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, Worker
from rq.exceptions import DeserializationError, InvalidJobOperation, NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import decode_redis_hash, utcparse

from jobs import failures
from jobs.queue import LATER, QUEUE, WEBHOOKS, JsonJob
from portal.services import jobs as office

if TYPE_CHECKING:
    from jobs.schedule import Recurring

QUEUES = (QUEUE, LATER, WEBHOOKS)
TIMEOUT_S = 2
MOST = 1000
"""Failed jobs of a queue that are looked at, those that are kept longest first."""
LATE = timedelta(minutes=1)
SCHEDULED = "rq:scheduler:scheduled_jobs"
MOMENTS = ("ended_at", "started_at", "enqueued_at", "created_at")
"""Of a job; the first that there is tells when it failed."""
GONE = "gone"


def now() -> datetime:
    """The clock of this machine, which rq goes by."""
    return datetime.now(UTC)


@contextmanager
def asking() -> Iterator[None]:
    """Raises JobsAway where Redis gives no answer."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise office.JobsAway("Redis is away: nothing is known of jobs") from error


class Office:
    """What the app is given to look at jobs."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url

    @cached_property
    def _redis(self) -> Redis:
        """Of its own: who looks at a page does not wait long for one that hangs."""
        return Redis.from_url(
            self._redis_url,
            socket_connect_timeout=TIMEOUT_S,
            socket_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )

    def look(self) -> office.Office:
        """Queues, workers and the schedule."""
        with asking():
            return office.Office(
                [self._queue(each) for each in self._queues()],
                sorted(self._workers(), key=lambda each: each.name),
                [self._recurring(each) for each in _schedule()],
            )

    def failed(self, after: str | None, limit: int) -> list[office.Failed]:
        """Failed jobs, the latest first, from the one behind that id on."""
        with asking():
            named = sorted(
                ((at, name) for each in self._queues() for name, at in self._failed_ids(each)),
                reverse=True,
            )
            ids = [name for _, name in named]
            begin = ids.index(after) + 1 if after in ids else 0
            found = (self._failure(name) for name in ids[begin : begin + limit])
            return [each for each in found if each]

    def failures(self) -> int:
        """How many jobs failed, and were not run again since."""
        with asking():
            return sum(len(self._failed_ids(each)) for each in self._queues())

    def find(self, job_id: str) -> office.Failed | None:
        """A failed job."""
        with asking():
            return self._failure(job_id)

    def retry(self, job_id: str) -> bool:
        """Have a worker run it again; False where it is no failed one any more."""
        with asking():
            job = self._job(job_id)
            if job is None or job.get_status(refresh=False) != JobStatus.FAILED:
                return False
            try:
                self._named(str(job.origin)).failed_job_registry.requeue(job_id)
            except InvalidJobOperation:  # somebody else was faster
                return False
            return True

    def discard(self, job_id: str) -> bool:
        """Forget that it failed; False as in `retry`. One that recurs stays on the schedule."""
        with asking():
            job = self._job(job_id)
            if job is None or not self._named(str(job.origin)).failed_job_registry.remove(job_id):
                return False
            if job_id not in {each.id for each in _schedule()}:
                job.delete()
            return True

    def _queues(self) -> list[Queue]:
        """Ours, and any other that jobs were ever put into."""
        there = {each.name for each in Queue.all(connection=self._redis)}
        return [self._named(name) for name in (*QUEUES, *sorted(there - set(QUEUES)))]

    def _named(self, name: str) -> Queue:
        return Queue(name, connection=self._redis, serializer=JSONSerializer, job_class=JsonJob)

    def _queue(self, queue: Queue) -> office.Queue:
        begun, at = queue.started_job_registry.key, now().timestamp()
        return office.Queue(
            name=queue.name,
            waiting=queue.count,
            running=self._redis.zcount(begun, at, "+inf"),
            lost=self._redis.zcount(begun, "-inf", f"({at}"),
            deferred=queue.deferred_job_registry.get_job_count(cleanup=False),
            scheduled=queue.scheduled_job_registry.get_job_count(cleanup=False),
            failed=len(self._failed_ids(queue)),
        )

    def _workers(self) -> Iterable[office.Worker]:
        """Those that are registered; not by rq's own class, which would set this connection's time limit."""
        for key in Worker.all_keys(connection=self._redis):
            known = decode_redis_hash(self._redis.hgetall(key), decode_values=True)
            job = self._job(known.get("current_job", ""))
            yield office.Worker(
                name=key.rpartition(":")[2],
                queues=known.get("queues", "").split(","),
                state=known.get("state", "starting") if known else GONE,
                host=known.get("hostname"),
                pid=known.get("pid"),
                born_at=_time(known.get("birth")),
                last_heartbeat_at=_time(known.get("last_heartbeat")),
                job=_call(job) if job else None,
                since=job.started_at if job else None,
            )

    def _recurring(self, row: "Recurring") -> office.Recurring:
        score, job = self._redis.zscore(SCHEDULED, row.id), self._job(row.id)
        next_at = None if score is None else datetime.fromtimestamp(score, UTC)
        ended_at = job.ended_at if job else None
        status = job.get_status(refresh=False) if job else None
        return office.Recurring(
            id=row.id,
            cron=row.cron,
            about=re.split("[.;]", inspect.getdoc(row.function) or "")[0],
            queue=row.queue,
            next_at=next_at,
            is_overdue=next_at is not None and next_at < now() - LATE,
            last_at=ended_at,
            last_state=status.value if ended_at and status else None,
        )

    def _failed_ids(self, queue: Queue) -> list[tuple[str, str]]:
        """Ids with when they failed. One that has been run again since is in rq's registry all the same."""
        ids = queue.failed_job_registry.get_job_ids(0, MOST - 1, desc=True, cleanup=False)
        with self._redis.pipeline(transaction=False) as asked:
            for name in ids:
                asked.hmget(Job.key_for(name), "status", *MOMENTS)
            answers = asked.execute()
        found = []
        for name, (status, *moments) in zip(ids, answers, strict=True):
            if status == b"failed":
                found.append((name, next(at.decode() for at in moments if at)))
        return found

    def _failure(self, job_id: str) -> office.Failed | None:
        job = self._job(job_id)
        if job is None or job.get_status(refresh=False) != JobStatus.FAILED:
            return None
        result = job.latest_result()
        said = failures.said(result.exc_string if result and result.exc_string else "")
        moments = (getattr(job, name) for name in MOMENTS)
        return office.Failed(
            id=job_id,
            queue=str(job.origin),
            call=_call(job),
            failed_at=next(at for at in moments if at),
            reason=said.reason,
            trace=said.trace,
        )

    def _job(self, job_id: str) -> Job | None:
        try:
            return JsonJob.fetch(job_id, connection=self._redis) if job_id else None
        except (NoSuchJobError, DeserializationError):
            return None


def _schedule() -> "tuple[Recurring, ...]":
    from jobs.schedule import TABLE  # noqa: PLC0415 - of all jobs, each of which imports the app

    return TABLE


def _call(job: Job) -> str:
    """The function with its arguments, less where it is: `conversions.convert_chunk('20261121T13', 2)`."""
    try:
        return str(job.get_call_string()).removeprefix("jobs.")
    except DeserializationError:
        return "a job that can't be read"


def _time(text: str | None) -> datetime | None:
    return utcparse(text) if text else None
