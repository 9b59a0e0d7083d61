"""Background jobs as staff look after them: what waits, who works, what failed and is done once more.

All of that is in Redis, which services know nothing of: the app is given what does, `jobs.office`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from portal.ledger.errors import NotFound, Unavailable
from portal.runtime import runtime
from portal.services import audit


class JobsAway(Unavailable):
    """Redis can't be asked: nothing is known of jobs, and none is lost by that."""


@dataclass(frozen=True, slots=True)
class Queue:
    """How many jobs of a queue are in each state."""

    name: str
    waiting: int
    running: int
    lost: int
    """Begun by a worker that gave no sign of life for so long that another will call them failed."""
    deferred: int
    scheduled: int
    failed: int


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that runs jobs."""

    name: str
    queues: Sequence[str]
    state: str
    """As rq calls it; `gone` where it is registered, and so long silent that Redis forgot the rest."""
    host: str | None
    pid: str | None
    born_at: datetime | None
    last_heartbeat_at: datetime | None
    job: str | None
    """What it runs, as a call."""
    since: datetime | None
    """When that began."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A job that failed and was not run again since."""

    id: str
    queue: str
    call: str
    """The function and its arguments."""
    failed_at: datetime
    reason: str
    trace: str
    """Where in the program. Of an error's text it has the first line only, as logs do."""


@dataclass(frozen=True, slots=True)
class Recurring:
    """A row of the schedule."""

    id: str
    cron: str
    about: str
    queue: str
    next_at: datetime | None
    """None: no scheduler has put it there."""
    is_overdue: bool
    last_at: datetime | None
    last_state: str | None


@dataclass(frozen=True, slots=True)
class Office:
    """All of it at one look, but for the failed jobs."""

    queues: Sequence[Queue]
    workers: Sequence[Worker]
    recurring: Sequence[Recurring]


class Jobs(Protocol):
    """What knows of jobs. Each raises JobsAway."""

    def look(self) -> Office:
        """Everything but failed jobs."""
        ...

    def failed(self, after: str | None, limit: int) -> list[Failed]:
        """Failed jobs, the latest first, from the one behind that id on."""
        ...

    def failures(self) -> int:
        """How many jobs failed, and were not run again since."""
        ...

    def find(self, job_id: str) -> Failed | None:
        """A failed job."""
        ...

    def retry(self, job_id: str) -> bool:
        """Have a worker run it again; False where it is no failed one any more."""
        ...

    def discard(self, job_id: str) -> bool:
        """Forget that it failed; False as in `retry`."""
        ...


def look() -> Office:
    """Queues, workers and the schedule. Raises JobsAway."""
    return _jobs().look()


def failed(after: str | None, limit: int) -> list[Failed]:
    """Failed jobs, the latest first, from the one behind that id on. Raises JobsAway."""
    return _jobs().failed(after, limit)


def failures() -> int | None:
    """How many jobs failed; None where Redis can't be asked."""
    try:
        return _jobs().failures()
    except JobsAway:
        return None


def retry(job_id: str) -> Failed:
    """Have a failed job run again; what it was. Raises NotFound('unknown_job') and JobsAway."""
    return _done("job.retried", job_id, _jobs().retry)


def discard(job_id: str) -> Failed:
    """Forget a failed job; what it was. Raises NotFound('unknown_job') and JobsAway."""
    return _done("job.discarded", job_id, _jobs().discard)


def _done(action: str, job_id: str, do: Callable[[str], bool]) -> Failed:
    """Recorded first, and for good only once it is done: of two who do it at once, one has done it."""
    found = _jobs().find(job_id)
    if found is None:
        raise _gone()
    with runtime().engine.begin() as connection:
        told = {"call": found.call, "queue": found.queue, "reason": found.reason}
        audit.record(connection, action, "job", job_id, after=told)
        if not do(job_id):
            raise _gone()
    return found


def _gone() -> NotFound:
    return NotFound("unknown_job", "this job is no failed one any more")


def _jobs() -> Jobs:
    return cast(Jobs, runtime().jobs)
