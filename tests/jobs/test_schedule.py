"""The scheduler: Redis holds the table of what recurs, in JSON, whatever happens to its process."""

import base64
import json
import time
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis
from rq import Worker
from rq_scheduler import Scheduler

from config import Settings
from jobs import conversions as jobs
from jobs import holds, hours, imports, mails, schedule, sessions, verification, webhooks
from jobs.queue import LATER, QUEUE, TIMEOUT_S, WEBHOOKS, JsonJob, connection
from portal.ledger.clock import HOUR
from tests.concurrency.programs import Program, Programs, eventually
from tests.concurrency.watch import Watch
from tests.factories import Books
from tests.jobs.hours import Hours

SCHEDULED = "rq:scheduler:scheduled_jobs"
IDS = sorted(recurring.id for recurring in schedule.TABLE)
pytestmark = pytest.mark.filterwarnings(
    "ignore:Version 0.22.0:FutureWarning"  # crontab's, about local time: see jobs/scheduler.py
)
PICKLED = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))


@pytest.fixture
def scheduler(settings: Settings, redis: "Redis[Any]") -> Scheduler:
    """A scheduler on an emptied Redis."""
    assert redis.dbsize() == 0
    return schedule.scheduler(settings.redis_url, connection(settings.redis_url))


def times(redis: "Redis[Any]") -> dict[str, float]:
    """When each scheduled job is next due."""
    return {name.decode(): score for name, score in redis.zrange(SCHEDULED, 0, -1, withscores=True)}


def are_due_again(redis: "Redis[Any]", *names: str) -> bool:
    """Whether jobs that were due are on the schedule for later; while they are enqueued they are not."""
    due = times(redis)
    return all(due.get(name, 0) > time.time() - 1 for name in names)


def snapshot(redis: "Redis[Any]") -> dict[bytes, Any]:
    """All that Redis holds of jobs, but for when they were made."""
    moments = (b"created_at", b"enqueued_at")
    return {
        key: {name: value for name, value in redis.hgetall(key).items() if name not in moments}
        for key in redis.scan_iter("rq:job:*")
    }


def start_scheduler(programs: Programs, redis: "Redis[Any]", **more: str) -> Program:
    """A scheduler process that has polled at least once."""
    known = set(redis.scan_iter("rq:scheduler_instance:*"))
    started = programs.start("-m", "jobs.scheduler", **more)

    def is_up() -> bool:
        assert started.is_alive(), started.said()
        return bool(set(redis.scan_iter("rq:scheduler_instance:*")) - known)

    eventually("the scheduler is up", is_up)
    return started


FUNCTIONS = {
    "convert-hourly": "jobs.conversions.convert_due",
    "convert-resume": "jobs.conversions.convert_due",
    "close-hours": "jobs.hours.close_due",
    "expire-holds": "jobs.holds.expire_due",
    "resume-imports": "jobs.imports.resume_due",
    "forget-imports": "jobs.imports.forget_due",
    "send-mails": "jobs.mails.send_due",
    "forget-mails": "jobs.mails.forget_due",
    "forget-sessions": "jobs.sessions.forget_due",
    "verify-books": "jobs.verification.verify_due",
    "deliver-webhooks": "jobs.webhooks.deliver",
}
ELSEWHERE = {
    "verify-books": (LATER, verification.TIMEOUT_S),
    "deliver-webhooks": (WEBHOOKS, webhooks.TIMEOUT_S),
}
"""Queue and time limit of what is not in the one of all others."""


def test_the_table_has_every_job_that_recurs() -> None:
    assert [(recurring.id, recurring.cron, recurring.function) for recurring in schedule.TABLE] == [
        ("convert-hourly", "0 * * * *", jobs.convert_due),
        ("convert-resume", "* * * * *", jobs.convert_due),
        ("close-hours", "* * * * *", hours.close_due),
        ("expire-holds", "* * * * *", holds.expire_due),
        ("resume-imports", "* * * * *", imports.resume_due),
        ("forget-imports", "30 3 * * *", imports.forget_due),
        ("send-mails", "* * * * *", mails.send_due),
        ("forget-mails", "45 3 * * *", mails.forget_due),
        ("forget-sessions", "0 4 * * *", sessions.forget_due),
        ("verify-books", "15 4 * * *", verification.verify_due),
        ("deliver-webhooks", "* * * * *", webhooks.deliver),
    ]


def test_applying_the_table_makes_redis_hold_exactly_it(
    scheduler: Scheduler, redis: "Redis[Any]"
) -> None:
    schedule.apply(scheduler)
    assert sorted(times(redis)) == IDS
    for recurring in schedule.TABLE:
        job = JsonJob.fetch(recurring.id, connection=redis)
        assert job.func_name == FUNCTIONS[recurring.id]
        assert (list(job.args), job.kwargs) == ([], {})
        assert job.meta["cron_string"] == recurring.cron
        assert (job.origin, job.timeout) == ELSEWHERE.get(recurring.id, (QUEUE, TIMEOUT_S))
        assert redis.ttl(job.key) == -1


def test_applying_the_table_twice_changes_nothing(
    scheduler: Scheduler, redis: "Redis[Any]"
) -> None:
    schedule.apply(scheduler)
    first = snapshot(redis)
    schedule.apply(scheduler)
    assert snapshot(redis) == first
    assert sorted(times(redis)) == IDS


def test_applying_the_table_removes_what_it_no_longer_names(
    scheduler: Scheduler, redis: "Redis[Any]"
) -> None:
    scheduler.cron("5 4 * * *", jobs.convert_due, id="of-last-year", queue_name=QUEUE)
    schedule.apply(scheduler)
    assert sorted(times(redis)) == IDS
    assert not redis.exists("rq:job:of-last-year")


def test_applying_the_table_replaces_a_job_that_says_something_else(
    scheduler: Scheduler, redis: "Redis[Any]"
) -> None:
    scheduler.cron(
        "5 4 * * *", jobs.convert_chunk, args=["x", 1], id="convert-hourly", queue_name="elsewhere"
    )
    schedule.apply(scheduler)
    job = JsonJob.fetch("convert-hourly", connection=redis)
    assert (job.meta["cron_string"], job.origin) == ("0 * * * *", QUEUE)
    assert (job.func_name, list(job.args)) == ("jobs.conversions.convert_due", [])


def test_hours_are_those_of_utc_wherever_the_scheduler_runs(
    programs: Programs, redis: "Redis[Any]"
) -> None:
    start_scheduler(programs, redis, TZ="Asia/Kolkata")
    now = time.time()
    due = times(redis)
    assert due["convert-hourly"] % 3600 == 0
    assert now - 1 < due["convert-hourly"] <= now + 3600
    assert due["convert-resume"] % 60 == 0
    assert now - 1 < due["convert-resume"] <= now + 60


def test_what_is_due_is_done_and_stays_on_the_schedule(
    hours: Hours, programs: Programs, redis: "Redis[Any]"
) -> None:
    programs.start("-m", "jobs.worker")
    start_scheduler(programs, redis)
    eventually("the worker waits for work", lambda: Worker.count(connection=redis) == 1)
    hours.open_users(3)
    hour = hours.play()
    assert hours.state(hour) is None
    redis.zadd(SCHEDULED, {"convert-resume": 0})
    eventually("the hour is done", lambda: hours.state(hour) == "done")
    hours.assert_exact(hour)
    eventually("the job is due again", lambda: are_due_again(redis, "convert-resume"))
    assert sorted(times(redis)) == IDS
    for name in IDS:
        assert redis.ttl(f"rq:job:{name}") == -1
    assert not list(pickles(redis))


def test_a_hold_whose_time_is_over_is_released_by_a_worker_and_no_other_is(
    books: Books, watch: Watch, programs: Programs, redis: "Redis[Any]"
) -> None:
    owner = books.owner()
    books.top_up(owner, "GOLD_COIN", "100")
    due = books.hold(owner, "GOLD_COIN", "10", books.now() + HOUR)
    books.hold(owner, "GOLD_COIN", "20", books.now() + 3 * HOUR)
    books.set_clock(books.now() + 2 * HOUR)
    programs.start("-m", "jobs.worker")
    start_scheduler(programs, redis)
    eventually("the worker waits for work", lambda: Worker.count(connection=redis) == 1)
    redis.zadd(SCHEDULED, {"expire-holds": 0})
    ended = "SELECT seq, ended_seq FROM ledger.holds WHERE ended_seq IS NOT NULL"
    eventually("the hold is released", lambda: watch.rows(ended))
    eventually("the job is due again", lambda: are_due_again(redis, "expire-holds"))
    assert [tuple(row) for row in watch.rows(ended)] == [(due, 4)]
    reason = "SELECT reason FROM ledger.entries WHERE owner_id = :owner AND seq = 4"
    assert watch.value(reason, owner=owner) == "expired"


def test_a_scheduler_that_is_killed_and_started_again_has_the_whole_schedule_once(
    programs: Programs, redis: "Redis[Any]"
) -> None:
    first = start_scheduler(programs, redis)
    assert sorted(times(redis)) == IDS
    first.kill()
    # Between taking a due job off and putting it back, which a kill may part.
    redis.zrem(SCHEDULED, "convert-resume")
    start_scheduler(programs, redis)
    assert sorted(times(redis)) == IDS
    assert sorted(key.decode() for key in redis.scan_iter("rq:job:*")) == [
        f"rq:job:{name}" for name in IDS
    ]


def test_two_schedulers_at_once_do_no_harm(
    hours: Hours, programs: Programs, redis: "Redis[Any]"
) -> None:
    programs.start("-m", "jobs.worker")
    for _ in range(2):
        start_scheduler(programs, redis)
    eventually("the worker waits for work", lambda: Worker.count(connection=redis) == 1)
    hours.open_users(3)
    hour = hours.play()
    redis.zadd(SCHEDULED, dict.fromkeys(IDS, 0))
    eventually("the hour is done", lambda: hours.state(hour) == "done")
    eventually("all are due again", lambda: are_due_again(redis, *IDS))
    hours.assert_exact(hour)
    assert sorted(times(redis)) == IDS


def values(redis: "Redis[Any]") -> Iterator[tuple[str, bytes]]:
    """Every value in Redis, with the key it is under."""
    for key in redis.scan_iter("*"):
        kind = redis.type(key)
        if kind == b"hash":
            found = list(redis.hgetall(key).values())
        elif kind == b"list":
            found = redis.lrange(key, 0, -1)
        elif kind == b"set":
            found = list(redis.smembers(key))
        elif kind == b"zset":
            found = redis.zrange(key, 0, -1)
        elif kind == b"stream":
            found = [value for _, fields in redis.xrange(key) for value in fields.values()]
        else:
            found = [redis.get(key)]
        for value in found:
            if value is not None:  # else the key expired meanwhile
                yield key.decode(), value


def unwrapped(value: bytes) -> Iterator[bytes]:
    """A value as it is, and as what it may be once unpacked."""
    yield value
    for unpack in (zlib.decompress, lambda packed: base64.b64decode(packed, validate=True)):
        try:
            yield unpack(value)
        except (zlib.error, ValueError):
            continue


def pickles(redis: "Redis[Any]") -> Iterator[str]:
    """The keys of all that looks like a pickled object."""
    for key, value in values(redis):
        if any(each.startswith(PICKLED) for each in unwrapped(value)):
            yield key


def test_jobs_wait_in_redis_as_json_with_ids_only(
    scheduler: Scheduler, hours: Hours, programs: Programs, redis: "Redis[Any]"
) -> None:
    schedule.apply(scheduler)
    hours.open_users(6)
    hour = hours.play()
    worker = programs.start("-m", "jobs.worker")
    eventually("the hour is done", lambda: hours.state(hour) == "done")
    eventually("its jobs have left results", lambda: len(list(redis.scan_iter("rq:results:*"))) > 3)
    worker.kill()

    hours.book([hours.owners[0]])
    hours.end()
    hours.resume()  # one more that still waits
    kept = list(redis.scan_iter("rq:job:*"))
    assert len(kept) >= 4
    for key in kept:
        function, _, arguments, options = json.loads(zlib.decompress(redis.hget(key, "data")))
        names = (
            "conversions",
            "holds",
            "hours",
            "imports",
            "mails",
            "sessions",
            "verification",
            "webhooks",
        )
        known = tuple(f"jobs.{name}." for name in names)
        assert function.startswith(known)
        assert all(isinstance(argument, str | int) for argument in arguments)
        assert options == {}
    assert list(pickles(redis)) == []
