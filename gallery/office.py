"""What the pictures of clients, staff and jobs show: who works here, whose servers call, what ran and failed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from redis import Redis
from rq.job import JobStatus
from rq.results import Result
from rq.serializers import JSONSerializer
from rq.utils import utcformat

from gallery.weeks import NOW, Weeks
from jobs import conversions, imports, mails
from jobs.queue import LATER, QUEUE, WEBHOOKS, JsonJob
from jobs.schedule import TABLE
from portal import ledger
from portal.runtime import runtime
from portal.services import audit, clients
from portal.services.accounts import access, sessions, sign_ins
from portal.services.webhooks import endpoints

MEMBERS = (
    ("mei@dreamland.example", "approver", "Mei Tanaka", 3),
    ("lars@dreamland.example", "viewer", "Lars Holm", 190),
    ("petra@dreamland.example", "accountant", "Petra Novak", 900),
)
"""With how many minutes ago each was seen."""
TRACE = """Traceback (most recent call last):
  File "/app/jobs/context.py", line 29, in run
    return job(*args, **kwargs)
  File "/app/jobs/imports.py", line 23, in work
    following = importing.work(import_id, number)
  File "/app/portal/services/imports/work.py", line 61, in work
    with _content(import_id) as lines:
FileNotFoundError: [Errno 2] No such file or directory: '/var/lib/dreamland/imports/41'
"""
KEPT = "+inf"
MINUTE = timedelta(minutes=1)


def make(
    weeks: Weeks, hashed: str, browser: str, secure: Callable[[int, audit.Actor], None]
) -> dict[str, str]:
    """Members of staff and clients; the numbers of those that pictures are of.

    `secure` gives a sign-in a second factor.
    """
    for email, role, name, minutes in MEMBERS:
        weeks.set(NOW - minutes * MINUTE)
        member_id = _member(email, role, name, hashed)
        actor = audit.Actor("person", member_id, None, role, "198.51.100.9", browser)
        if role == "approver":
            mei = member_id
            secure(mei, actor)
        with audit.acting(actor):
            _seen(member_id)
        if role == "viewer":
            access.disable(email)
    weeks.set(NOW - 100 * MINUTE)
    clients.create_key("sandbox", ["read"])
    arcade = clients.named("arcade")
    clients.rotate(clients.list_keys("arcade")[0].id, overlap=timedelta(hours=72))
    clients.set_limits("arcade", networks=["192.0.2.0/24", "2001:db8:7::/48"])
    endpoints.make(arcade, "http://127.0.0.1:9999/dreamland?key=arcade", None, None, None)
    key = clients.list_keys("arcade")[-1].id
    return {
        "arcade": f"{arcade}",
        "arcade_key": f"{key}",
        "mei": f"{mei}",
        "sandbox": f"{clients.find('sandbox')}",
    }


def _member(email: str, role: str, name: str, hashed: str) -> int:
    with runtime().engine.begin() as connection:
        return sign_ins.add(connection, email, hashed, role=role, name=name)


def _seen(member_id: int) -> None:
    with runtime().engine.begin() as connection:
        sessions.start(connection, member_id, second_factor=True)


def forget_counts(redis: "Redis[Any]") -> None:
    """Nobody is asked to wait because of what was tried before; what there is of jobs stays."""
    for key in redis.scan_iter():
        if not key.startswith(b"rq:"):
            redis.delete(key)


def jobs(redis: "Redis[Any]") -> None:
    """A job that failed, one that runs, some that wait, two workers, and a day of the schedule."""
    failed = _job(redis, imports.work, (41, 7), LATER, JobStatus.FAILED, NOW - 48 * MINUTE)
    Result.create_failure(failed, ttl=None, exc_string=TRACE)
    redis.zadd(f"rq:failed:{LATER}", {failed.id: KEPT})
    hour = (NOW - ledger.HOUR).strftime(conversions.HOUR_FORMAT)
    running = _job(redis, conversions.convert_chunk, (hour, 3), QUEUE, JobStatus.STARTED, NOW)
    redis.zadd(f"rq:wip:{QUEUE}", {f"{running.id}:1": KEPT})
    for number in (4, 5):
        waits = _job(redis, conversions.convert_chunk, (hour, number), QUEUE, JobStatus.QUEUED, NOW)
        redis.rpush(f"rq:queue:{QUEUE}", waits.id)
    for name, queue, job in (("a7", f"{QUEUE},{LATER}", running.id), ("c2", WEBHOOKS, "")):
        _worker(redis, name, queue, job)
    for row in TABLE:
        _recurring(redis, row.id, row.cron)


def _job(
    redis: "Redis[Any]", function: Any, args: tuple[Any, ...], queue: str, status: Any, at: datetime
) -> JsonJob:
    name = f"{function.__name__}-{'-'.join(map(str, args))}"
    return _kept(
        redis, JsonJob.create(function, args, id=name, connection=redis), queue, status, at
    )


def _kept(redis: "Redis[Any]", job: Any, queue: str, status: Any, at: datetime) -> Any:
    job.origin, job.created_at, job.enqueued_at = queue, at, at
    job.started_at = job.ended_at = at
    job.set_status(status)
    job.save()
    redis.sadd("rq:queues", f"rq:queue:{queue}")
    assert job.serializer is JSONSerializer
    return job


def _worker(redis: "Redis[Any]", name: str, queues: str, job: str) -> None:
    """A process that began this morning."""
    known = {
        "birth": utcformat(NOW - 380 * MINUTE),
        "last_heartbeat": utcformat(NOW),
        "queues": queues,
        "pid": 7 if job else 8,
        "hostname": f"worker-{name}",
        "state": "busy" if job else "idle",
        "current_job": job,
    }
    key = f"rq:worker:{name}0c4d5e6f"
    redis.hset(key, mapping=known)
    redis.sadd("rq:workers", key)


def _recurring(redis: "Redis[Any]", name: str, cron: str) -> None:
    """It ran when it was due last, and will when it is due next."""
    minute = NOW.replace(second=0, microsecond=0)
    begin, step = minute, MINUTE
    if cron.startswith("0 *"):
        begin, step = minute.replace(minute=0), ledger.HOUR
    elif not cron.startswith("*"):
        at, hour = map(int, cron.split()[:2])
        begin, step = minute.replace(hour=hour, minute=at), 24 * ledger.HOUR
    job = JsonJob.create(mails.send_due, id=name, connection=redis)
    _kept(redis, job, QUEUE, JobStatus.FINISHED, begin)
    redis.zadd("rq:scheduler:scheduled_jobs", {name: (begin + step).timestamp()})
