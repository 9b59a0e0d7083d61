"""Jobs as staff look after them, with a real Redis, real workers, jobs that fail really and are run again."""

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from rq.registry import StartedJobRegistry
from rq_scheduler import Scheduler
from sqlalchemy import Engine, text

from config import Settings
from jobs import conversions, mails, office, schedule
from jobs.failures import DIED
from jobs.queue import LATER, QUEUE, WEBHOOKS, connection, enqueue, queue
from portal.ledger.errors import NotFound
from portal.services import audit_log
from portal.services import jobs as service
from portal.services.audit_log import Event, Filters
from portal.services.jobs import Failed, JobsAway
from tests.concurrency.programs import Program, Programs, eventually
from tests.concurrency.watch import Watch
from tests.concurrency.web import at_once

pytestmark = [
    pytest.mark.usefixtures("context", "redis"),
    pytest.mark.filterwarnings("ignore:Version 0.22.0:FutureWarning"),
]
SCHEDULED = "rq:scheduler:scheduled_jobs"
LOCK = "LOCK TABLE mails IN ACCESS EXCLUSIVE MODE"


def back(owner_engine: Engine) -> None:
    with owner_engine.begin() as database:
        database.execute(text("ALTER TABLE IF EXISTS mails_away RENAME TO mails"))


def start(programs: Programs) -> Program:
    """A worker that waits for work, having done what it does first."""
    started = programs.start("-m", "jobs.worker")
    eventually("the worker waits", lambda: [w for w in service.look().workers if w.state == "idle"])
    eventually("nothing waits", lambda: not any(each.waiting for each in service.look().queues))
    return started


@pytest.fixture
def broken(context: None, programs: Programs, owner_engine: Engine) -> Iterator[None]:
    """A worker runs, to which the table of mails is away: to send them fails until it is `back`."""
    assert context is None
    start(programs)
    with owner_engine.begin() as database:
        database.execute(text("ALTER TABLE mails RENAME TO mails_away"))
    yield
    back(owner_engine)


def fail(settings: Settings, job_id: str = "mails-1") -> Failed:
    """Have a job run that fails, and wait until it has."""
    enqueue(queue(settings.redis_url), mails.send_due, job_id=job_id)
    return eventually(f"{job_id} failed", lambda: failure(job_id))  # type: ignore[return-value]


def failure(job_id: str) -> Failed | None:
    return next((each for each in service.failed(None, 50) if each.id == job_id), None)


def counts(name: str = QUEUE) -> service.Queue:
    return next(each for each in service.look().queues if each.name == name)


def told(action: str) -> list[Event]:
    return audit_log.page(Filters(action=action), None, 10)


@pytest.mark.usefixtures("broken")
def test_a_job_that_failed_tells_why_and_run_again_does_its_work(
    settings: Settings, owner_engine: Engine
) -> None:
    failed = fail(settings)
    assert failed.call == "mails.send_due()"
    assert failed.queue == QUEUE
    assert failed.reason.startswith("sqlalchemy.exc.ProgrammingError: (psycopg2.errors.Undefined")
    assert "SQL" not in failed.reason + failed.trace
    assert "jobs/mails.py" in failed.trace
    assert abs(failed.failed_at - office.now()) < timedelta(minutes=1)
    assert counts().failed == 1
    back(owner_engine)
    assert service.retry(failed.id) == failed
    eventually("it was run", lambda: counts().waiting == counts().running == 0)
    assert service.failed(None, 50) == []
    assert counts().failed == 0
    [event] = told("job.retried")
    assert (event.target, event.target_id) == ("job", "mails-1")
    assert event.after
    assert event.after["call"] == "mails.send_due()"
    with pytest.raises(NotFound):
        service.retry(failed.id)
    assert len(told("job.retried")) == 1


@pytest.mark.usefixtures("broken")
def test_a_job_that_fails_again_is_there_again(settings: Settings) -> None:
    first = fail(settings)
    service.retry(first.id)

    def again() -> bool:
        found = failure(first.id)
        return found is not None and found.failed_at > first.failed_at

    eventually("it failed again", again)


def test_of_several_who_retry_a_job_at_once_one_does(
    app: Flask, programs: Programs, settings: Settings
) -> None:
    program = start(programs)
    enqueue(queue(settings.redis_url), conversions.convert_chunk, "nonsense", 1, job_id="chunk-1")
    eventually("it failed", lambda: failure("chunk-1"))
    program.kill()  # before it could fail once more

    def retry() -> bool:
        with app.app_context():
            try:
                service.retry("chunk-1")
            except NotFound:
                return False
            return True

    assert sorted(at_once(*[retry] * 6)) == [False] * 5 + [True]
    assert [each.target_id for each in told("job.retried")] == ["chunk-1"]


@pytest.mark.usefixtures("broken")
def test_a_discarded_job_is_gone(settings: Settings, redis: "Redis[Any]") -> None:
    fail(settings)
    service.discard("mails-1")
    assert service.failed(None, 50) == []
    assert not redis.exists("rq:job:mails-1")
    assert [each.target_id for each in told("job.discarded")] == ["mails-1"]
    for act in (service.discard, service.retry):
        with pytest.raises(NotFound):
            act("mails-1")
    assert len(told("job.discarded")) == 1


@pytest.mark.usefixtures("broken")
def test_what_recurs_stays_on_the_schedule_though_its_failure_is_discarded(
    settings: Settings, redis: "Redis[Any]"
) -> None:
    scheduler: Scheduler = schedule.scheduler(settings.redis_url, connection(settings.redis_url))
    schedule.apply(scheduler)
    rows = {row.id: row for row in service.look().recurring}
    assert list(rows) == [each.id for each in schedule.TABLE]
    mailing = rows["send-mails"]
    assert (mailing.last_at, mailing.last_state, mailing.is_overdue) == (None, None, False)
    assert mailing.next_at
    assert office.now() < mailing.next_at <= office.now() + timedelta(minutes=1)
    assert mailing.about == "Send the mails that are due"
    redis.zadd(SCHEDULED, {"send-mails": time.time() - 90})
    assert {each.id for each in service.look().recurring if each.is_overdue} == {"send-mails"}
    scheduler.enqueue_jobs()
    eventually("it failed", lambda: failure("send-mails"))
    mailing = {row.id: row for row in service.look().recurring}["send-mails"]
    assert mailing.last_state == "failed"
    assert mailing.last_at
    service.discard("send-mails")
    assert service.failed(None, 50) == []
    assert "send-mails" in {job.id for job in scheduler.get_jobs()}


@pytest.mark.usefixtures("broken")
def test_what_has_been_run_again_since_by_the_scheduler_has_not_failed(
    settings: Settings, owner_engine: Engine, redis: "Redis[Any]"
) -> None:
    """rq leaves it in the registry of failed jobs."""
    scheduler: Scheduler = schedule.scheduler(settings.redis_url, connection(settings.redis_url))
    schedule.apply(scheduler)
    redis.zadd(SCHEDULED, {"send-mails": 0})
    scheduler.enqueue_jobs()
    eventually("it failed", lambda: failure("send-mails"))
    back(owner_engine)
    redis.zadd(SCHEDULED, {"send-mails": 0})
    scheduler.enqueue_jobs()

    def is_well() -> bool:
        row = {row.id: row for row in service.look().recurring}["send-mails"]
        return row.last_state == "finished"

    eventually("it went well", is_well)
    assert redis.zcard(f"rq:failed:{QUEUE}") == 1
    assert service.failed(None, 50) == []
    assert counts().failed == 0


def test_a_worker_shows_what_it_does_and_that_it_died(
    programs: Programs, settings: Settings, watch: Watch, redis: "Redis[Any]"
) -> None:
    program = start(programs)
    [idle] = service.look().workers
    assert (idle.state, idle.job, idle.queues) == ("idle", None, [QUEUE, LATER])
    assert idle.pid == str(program.pid)
    assert idle.born_at
    with watch.hold(LOCK) as held:
        enqueue(queue(settings.redis_url), mails.send_due, job_id="mails-1")
        enqueue(queue(settings.redis_url), conversions.convert_chunk, "20261121T13", 2)
        eventually("the job waits for the test's lock", held.blocked)
        [busy] = service.look().workers
        assert (busy.state, busy.job) == ("busy", "mails.send_due()")
        assert busy.since
        assert abs(busy.since - office.now()) < timedelta(minutes=1)
        now = counts()
        assert (now.waiting, now.running, now.lost) == (1, 1, 0)
        program.kill()
        # Until Redis forgets it, nobody knows: what it said last is told, and when.
        [silent] = service.look().workers
        assert (silent.job, silent.last_heartbeat_at) == (busy.job, busy.last_heartbeat_at)
    [key] = redis.smembers("rq:workers")
    redis.delete(key)  # as Redis does, when no sign of life came for some minutes
    [gone] = service.look().workers
    assert (gone.state, gone.job, gone.last_heartbeat_at) == ("gone", None, None)
    [(entry, _)] = redis.zrange(f"rq:wip:{QUEUE}", 0, -1, withscores=True)
    redis.zadd(f"rq:wip:{QUEUE}", {entry: time.time() - 1})
    assert (counts().running, counts().lost) == (0, 1)
    logging.getLogger("rq").setLevel("ERROR")
    StartedJobRegistry(queue=queue(settings.redis_url)).cleanup()  # as the next worker does
    assert (counts().lost, counts().failed) == (0, 1)
    [failed] = service.failed(None, 50)
    assert failed.reason == DIED
    assert failed.call == "mails.send_due()"


@pytest.mark.usefixtures("broken")
def test_failed_jobs_of_every_queue_are_read_page_by_page_latest_first(settings: Settings) -> None:
    for number in range(3):
        fail(settings, f"mails-{number}")
    every = service.failed(None, 50)
    assert [each.id for each in every] == ["mails-2", "mails-1", "mails-0"]
    assert service.failed("mails-2", 1) == every[1:2]
    assert service.failed("mails-0", 5) == []
    assert service.failed("no-such-job", 5) == every


def test_a_job_that_can_not_be_read_breaks_nothing(settings: Settings, redis: "Redis[Any]") -> None:
    redis.sadd("rq:queues", "rq:queue:elsewhere")
    for name in ("", ":failed"):
        redis.hset(f"rq:job:odd{name}", mapping={"status": "failed", "data": "no data"})
    for name in ("odd", "not-there"):
        redis.zadd("rq:failed:elsewhere", {name: time.time() + 900})
    redis.hset("rq:job:odd", "created_at", "2026-11-21T13:00:00.000000Z")
    seen = {each.name: each for each in service.look().queues}
    assert list(seen) == [QUEUE, LATER, WEBHOOKS, "elsewhere"]
    assert seen["elsewhere"].failed == 1
    assert [each.call for each in service.failed(None, 5)] in ([], ["a job that can't be read"])
    assert settings


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis://nowhere.invalid:6379/0"])
def test_with_redis_away_that_is_said(app: Flask, settings: Settings, url: str) -> None:
    gone = office.Office(replace(settings, redis_url=url).redis_url)
    asks = (gone.look, lambda: gone.failed(None, 5), lambda: gone.find("x"))
    acts = (lambda: gone.retry("x"), lambda: gone.discard("x"))
    for each in (*asks, *acts):
        began = time.monotonic()
        with pytest.raises(JobsAway):
            each()
        assert time.monotonic() - began < 5
    assert app
