"""What recurs and when, in UTC. The scheduler is made to match this table at every start.

Each job is "do what is due", guarded in the database: a missed or a doubled run does no harm.
"""

from dataclasses import dataclass

from redis import Redis
from rq_scheduler import Scheduler

from jobs import conversions, holds, hours, imports, mails, sessions, verification, webhooks
from jobs.queue import LATER, QUEUE, TIMEOUT_S, WEBHOOKS, JsonJob, queue


@dataclass(frozen=True, slots=True)
class Recurring:
    """A job with when it runs, as cron writes it."""

    id: str
    cron: str
    function: object
    queue: str = QUEUE
    timeout_s: int = TIMEOUT_S


TABLE = (
    Recurring("convert-hourly", "0 * * * *", conversions.convert_due),
    # An hour that waits for its rate, or whose worker was killed, goes on within a minute.
    Recurring("convert-resume", "* * * * *", conversions.convert_due),
    # Also while an hour before waits for its rate: trial balances add up what is not closed.
    Recurring("close-hours", "* * * * *", hours.close_due),
    Recurring("expire-holds", "* * * * *", holds.expire_due),
    # A file whose worker was killed, or that was sent while Redis was away, goes on within a minute.
    Recurring("resume-imports", "* * * * *", imports.resume_due),
    Recurring("forget-imports", "30 3 * * *", imports.forget_due),
    # A mail that could not be sent, or whose worker was killed, is sent again once its time has come.
    Recurring("send-mails", "* * * * *", mails.send_due),
    Recurring("forget-mails", "45 3 * * *", mails.forget_due),
    Recurring("forget-sessions", "0 4 * * *", sessions.forget_due),
    # Not where it was done today already: by hand, or by a job of the machine's own.
    Recurring("verify-books", "15 4 * * *", verification.verify_due, LATER, verification.TIMEOUT_S),
    Recurring("deliver-webhooks", "* * * * *", webhooks.deliver, WEBHOOKS, webhooks.TIMEOUT_S),
)
KEEP = -1
"""The job itself must outlive its run, or the scheduler forgets it; its id is always the same one."""
POLL_S = 5


def apply(scheduler: Scheduler) -> None:
    """Add, replace and remove until the scheduler holds the table and nothing else."""
    wanted = {recurring.id for recurring in TABLE}
    for job in scheduler.get_jobs():
        if job.id not in wanted:
            scheduler.cancel(job)
            job.delete()
    for recurring in TABLE:
        scheduler.cron(
            recurring.cron,
            func=recurring.function,
            id=recurring.id,
            queue_name=recurring.queue,
            use_local_timezone=False,
            result_ttl=KEEP,
            timeout=recurring.timeout_s,
        )


def scheduler(redis_url: str, connection: Redis) -> Scheduler:
    """The scheduler of all queues: a job names its own."""
    return Scheduler(
        queue=queue(redis_url), connection=connection, interval=POLL_S, job_class=JsonJob
    )
