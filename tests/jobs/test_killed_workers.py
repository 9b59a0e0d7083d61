"""Workers killed with SIGKILL at every stage of an hour: it ends exactly right each time.

Each moment is made certain: a rate API that has not answered, a lock that the test holds and that
the worker is seen to wait for, or a worker that is seen to pause. Nothing is left to luck or sleep.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from rq import Worker
from rq.serializers import JSONSerializer
from rq.suspension import resume, suspend

from config import Settings
from jobs.queue import queue
from portal.ledger.clock import HOUR
from portal.services import conversions
from tests.concurrency.programs import Program, Programs, eventually
from tests.concurrency.watch import Hold, Watch
from tests.jobs.conftest import CHUNK_USERS
from tests.jobs.hours import Hours
from tests.jobs.rate_server import RateServer

CHUNKS = 3
SCHEDULER_S = 2.0
USERS = CHUNKS * CHUNK_USERS - 1

LOCK_OWNER = "SELECT 1 FROM ledger.owners WHERE owner_id = :owner FOR NO KEY UPDATE"
LOCK_RUN = "SELECT 1 FROM conversion_runs WHERE hour = :hour FOR UPDATE"
LOCK_RUNNING_HOUR = "SELECT pg_advisory_xact_lock(1, ledger.hour_lock(ledger.clock()))"
LOCK_WRITES = "LOCK TABLE {} IN SHARE MODE"  # lets others read and lock rows, not write


@dataclass
class Stage:
    """All that a situation needs to be brought about and seen."""

    hours: Hours
    rates: RateServer
    redis: "Redis[Any]"
    redis_url: str
    watch: Watch
    hour: datetime

    @property
    def at(self) -> str:
        """What the rate API is asked for."""
        return (self.hour + HOUR).isoformat()

    def owner(self, chunk: int) -> int:
        """A user in the middle of a chunk (1, 2, ...)."""
        return self.hours.owners[(chunk - 1) * CHUNK_USERS + 1]

    def finished(self) -> int:
        return sum(self.hours.chunks(self.hour))

    def wait_blocked(self, held: Hold, doing: str) -> None:
        """Until a session waits for the lock with a statement like `doing`, in a transaction."""

        def found() -> bool:
            waiting = held.blocked()
            return bool(waiting) and all(row.is_open and doing in row.query for row in waiting)

        eventually(f"a worker waits for the test's lock: {doing}", found)

    def pause(self) -> None:
        """Workers take no further job."""
        suspend(self.redis)

    def wait_paused(self) -> None:
        """Until every worker has ended its job and takes no other."""

        eventually("workers pause", lambda: set(states(self.redis)) == {"suspended"})


Situation = Callable[[Stage], Any]


@contextmanager
def before_the_rate(stage: Stage) -> Iterator[None]:
    """The API was asked and has not answered."""
    stage.rates.hold()
    stage.hours.resume()
    eventually("the rate is asked for", lambda: stage.rates.asked[stage.at])
    assert stage.hours.state(stage.hour) == "due"
    assert stage.hours.rate(stage.hour) is None
    yield
    assert stage.hours.rate(stage.hour) is None
    stage.rates.release()


@contextmanager
def before_the_rate_is_stored(stage: Stage) -> Iterator[None]:
    """The API answered; the answer is not in the books."""
    with stage.watch.hold(LOCK_WRITES.format("ledger.hour_rates")) as held:
        stage.hours.resume()
        stage.wait_blocked(held, "ledger.store_rate")
        assert stage.rates.asked[stage.at] == 1
        yield
        assert stage.hours.rate(stage.hour) is None


@contextmanager
def before_the_plan(stage: Stage) -> Iterator[None]:
    """The rate is stored; which chunks there are is not."""
    with stage.watch.hold(LOCK_WRITES.format("conversion_chunks")) as held:
        stage.hours.resume()
        stage.wait_blocked(held, "INSERT INTO conversion_chunks")
        assert stage.hours.rate(stage.hour) is not None
        yield
        assert stage.hours.state(stage.hour) == "due"
        assert stage.hours.chunks(stage.hour) == []


@contextmanager
def before_the_first_chunk(stage: Stage) -> Iterator[None]:
    """The chunks are planned and wait in Redis."""
    stage.rates.hold()
    stage.hours.resume()
    eventually("the rate is asked for", lambda: stage.rates.asked[stage.at])
    stage.pause()
    stage.rates.release()
    stage.wait_paused()
    assert stage.hours.chunks(stage.hour) == [False] * CHUNKS
    waiting = set(queue(stage.redis_url).job_ids)
    assert waiting >= {f"convert-{stage.hour:%Y%m%dT%H}-{n + 1}" for n in range(CHUNKS)}
    yield
    assert stage.finished() == 0
    resume(stage.redis)


@contextmanager
def between_chunks(stage: Stage) -> Iterator[None]:
    """One chunk is done; no worker has begun with another."""
    with stage.watch.hold(LOCK_OWNER, owner=stage.owner(1)) as held:
        stage.hours.resume()
        stage.wait_blocked(held, "ledger.convert")
        stage.pause()
        held.release()
        stage.wait_paused()
    assert stage.hours.chunks(stage.hour) == [True, False, False]
    yield
    assert stage.hours.chunks(stage.hour) == [True, False, False]
    resume(stage.redis)


@contextmanager
def inside_a_chunk_waiting_for_a_user(stage: Stage) -> Iterator[None]:
    """Some of the chunk's users are locked, one is not yet; nothing of it is written."""
    with stage.watch.hold(LOCK_OWNER, owner=stage.owner(2)) as held:
        stage.hours.resume()
        stage.wait_blocked(held, "ledger.convert")
        assert stage.hours.chunks(stage.hour) == [True, False, False]
        yield
        assert stage.hours.chunks(stage.hour) == [True, False, False]


@contextmanager
def inside_a_chunk_waiting_for_the_clock(stage: Stage) -> Iterator[None]:
    """All of the chunk's users are locked and their amounts known; nothing of it is written."""
    with stage.watch.hold(LOCK_RUNNING_HOUR) as held:
        stage.hours.resume()
        stage.wait_blocked(held, "ledger.convert")
        assert stage.hours.chunks(stage.hour) == [False] * CHUNKS
        yield
        assert stage.hours.chunks(stage.hour) == [False] * CHUNKS


@contextmanager
def inside_a_chunk_all_written(stage: Stage) -> Iterator[None]:
    """Every entry of the chunk is written, none is committed."""
    with (
        stage.watch.hold(LOCK_OWNER, owner=stage.owner(3)) as first,
    ):
        stage.hours.resume()
        stage.wait_blocked(first, "ledger.convert")
        with stage.watch.hold(LOCK_WRITES.format("conversion_chunks")) as held:
            first.release()
            stage.wait_blocked(held, "UPDATE conversion_chunks")
            assert stage.hours.chunks(stage.hour) == [True, True, False]
            yield
            assert stage.hours.chunks(stage.hour) == [True, True, False]


@contextmanager
def after_the_last_chunk(stage: Stage) -> Iterator[None]:
    """Every chunk is committed; the run does not say so."""
    with stage.watch.hold(LOCK_OWNER, owner=stage.owner(3)) as first:
        stage.hours.resume()
        stage.wait_blocked(first, "ledger.convert")
        with stage.watch.hold(LOCK_RUN, hour=stage.hour) as held:
            first.release()
            stage.wait_blocked(held, "UPDATE conversion_runs")
            assert stage.hours.chunks(stage.hour) == [True] * CHUNKS
            yield
            assert stage.hours.state(stage.hour) == "running"


@contextmanager
def after_the_hour_was_done(stage: Stage) -> Iterator[None]:
    """The run is done; its worker has not told Redis."""
    with stage.watch.hold(LOCK_OWNER, owner=stage.owner(3)) as first:
        stage.hours.resume()
        stage.wait_blocked(first, "ledger.convert")
        with stage.watch.hold(LOCK_RUN, hour=stage.hour) as held:
            first.release()
            stage.wait_blocked(held, "UPDATE conversion_runs")
            stage.redis.client_pause(20_000, all=False)  # writes to Redis wait
            held.release()
            eventually("the hour is done", lambda: stage.hours.state(stage.hour) == "done")
    job = queue(stage.redis_url).fetch_job(f"convert-{stage.hour:%Y%m%dT%H}-{CHUNKS}")
    assert job is not None
    assert job.get_status() == "started"
    yield


TWENTY: tuple[Situation, ...] = (
    before_the_rate,
    before_the_rate,
    before_the_rate,
    before_the_rate_is_stored,
    before_the_plan,
    before_the_plan,
    before_the_first_chunk,
    before_the_first_chunk,
    between_chunks,
    between_chunks,
    between_chunks,
    inside_a_chunk_waiting_for_a_user,
    inside_a_chunk_waiting_for_a_user,
    inside_a_chunk_waiting_for_the_clock,
    inside_a_chunk_all_written,
    inside_a_chunk_all_written,
    after_the_last_chunk,
    after_the_last_chunk,
    after_the_last_chunk,
    after_the_hour_was_done,
)


def a_new_rate_each_time(rates: RateServer) -> None:
    """Whoever asks twice is told two rates, so that none can be asked again unseen."""
    numbers = count(1)
    rates.answer = lambda exchange: exchange.rate(f"0.15{next(numbers):04d}000000000007")


def forget_workers(redis: "Redis[Any]") -> None:
    """Drop what Redis keeps of killed workers for minutes, which is for people to look at."""
    redis.client_unpause()
    for worker in Worker.all(connection=redis, serializer=JSONSerializer):
        redis.srem("rq:workers", worker.key)
        redis.srem("rq:workers:dreamland", worker.key)
        redis.delete(worker.key)
    redis.delete("rq:queue:dreamland:intermediate")


def states(redis: "Redis[Any]") -> list[str]:
    """What each worker does."""
    return sorted(str(worker.get_state()) for worker in Worker.all(connection=redis))


def quiet(redis: "Redis[Any]", workers: int = 1) -> None:
    """Until so many workers are there with nothing left to do: the next hour then starts when told."""

    def found() -> bool:
        waiting = redis.llen("rq:queue:dreamland") or redis.llen("rq:queue:dreamland:intermediate")
        return not waiting and states(redis) == ["idle"] * workers

    eventually("the workers have nothing to do", found)


def ends(hours: Hours, hour: datetime) -> None:
    """The hour ends, with no more help than the scheduler's, which comes a little more often here."""
    helped = time.monotonic()

    def found() -> bool:
        nonlocal helped
        if time.monotonic() - helped > SCHEDULER_S:
            hours.resume()
            helped = time.monotonic()
        return hours.state(hour) == "done"

    eventually(f"{hour} is done", found)


def start(programs: Programs) -> Program:
    return programs.start("-m", "jobs.worker")


@pytest.fixture
def stages(
    hours: Hours, rates: RateServer, redis: "Redis[Any]", settings: Settings, watch: Watch
) -> Callable[..., Stage]:
    """Makes an hour to be converted."""
    a_new_rate_each_time(rates)
    hours.open_users(USERS)

    def make(workers: int = 1) -> Stage:
        quiet(redis, workers)
        return Stage(hours, rates, redis, settings.redis_url, watch, hours.play())

    return make


def test_workers_are_killed_twenty_times_and_every_hour_ends_exactly_right(
    stages: Callable[..., Stage], programs: Programs, app: Flask
) -> None:
    worker = start(programs)
    rates: dict[datetime, Any] = {}
    for situation in TWENTY:
        stage = stages()
        with situation(stage):
            rates[stage.hour] = stage.hours.rate(stage.hour)
            worker.kill()
            assert not worker.is_alive()
            forget_workers(stage.redis)
            worker = start(programs)
        ends(stage.hours, stage.hour)
        stage.hours.assert_exact(stage.hour)
        if rates[stage.hour] is not None:
            assert stage.hours.rate(stage.hour) == rates[stage.hour]
            assert stage.rates.asked[stage.at] == 1
        else:
            assert stage.rates.asked[stage.at] == 2
    assert len(rates) == 20

    worker.kill()
    before = stage.hours.everything()
    with app.app_context():
        assert conversions.convert_due(lambda *_: None) == []
        for hour in rates:
            assert conversions.advance(hour, lambda *_: None)
            for number in range(1, CHUNKS + 1):
                assert not conversions.convert_chunk(hour, number)
    assert stage.hours.everything() == before
    assert sum(stage.rates.asked.values()) == 24


def test_a_worker_whose_connections_were_cut_does_its_next_job(
    stages: Callable[..., Stage], programs: Programs
) -> None:
    worker = start(programs)
    stage = stages()
    stage.hours.resume()
    ends(stage.hours, stage.hour)
    stage.watch.run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'dreamland' AND state = 'idle'"
    )
    stage = stages()
    stage.hours.resume()
    ends(stage.hours, stage.hour)
    stage.hours.assert_exact(stage.hour)
    assert worker.is_alive()


def test_two_workers_convert_at_the_same_time_and_are_killed_together(
    stages: Callable[..., Stage], programs: Programs
) -> None:
    workers = [start(programs), start(programs)]
    stage = stages(workers=2)
    with (
        stage.watch.hold(LOCK_OWNER, owner=stage.owner(1)) as first,
        stage.watch.hold(LOCK_OWNER, owner=stage.owner(2)) as second,
    ):
        stage.hours.resume()
        stage.wait_blocked(first, "ledger.convert")
        stage.wait_blocked(second, "ledger.convert")
        for worker in workers:
            worker.kill()
        forget_workers(stage.redis)
    start(programs)
    ends(stage.hours, stage.hour)
    stage.hours.assert_exact(stage.hour)


def test_a_worker_that_waits_for_the_rate_keeps_no_other_from_its_work(
    stages: Callable[..., Stage], programs: Programs
) -> None:
    start(programs)
    start(programs)
    stage = stages(workers=2)
    finished = queue(stage.redis_url).finished_job_registry
    before = finished.count
    with before_the_rate(stage):
        stage.hours.resume()
        eventually("the other worker has done with the job", lambda: finished.count == before + 1)
        assert stage.rates.asked[stage.at] == 1
    ends(stage.hours, stage.hour)
    stage.hours.assert_exact(stage.hour)


def test_what_redis_keeps_of_a_killed_job_does_no_harm_when_it_is_cleared_away(
    stages: Callable[..., Stage], programs: Programs
) -> None:
    worker = start(programs)
    stage = stages()
    with inside_a_chunk_waiting_for_a_user(stage):
        worker.kill()
    forget_workers(stage.redis)
    start(programs)
    ends(stage.hours, stage.hour)
    quiet(stage.redis)
    before = stage.hours.everything()

    abandoned = queue(stage.redis_url).started_job_registry
    assert abandoned.get_job_ids(cleanup=False) == [f"convert-{stage.hour:%Y%m%dT%H}-2"]
    abandoned.cleanup(timestamp=time.time() + 86_400)
    assert abandoned.get_job_ids(cleanup=False) == []
    stage.hours.resume()
    quiet(stage.redis)
    assert stage.hours.everything() == before


def test_hours_missed_while_no_worker_ran_are_made_up_oldest_first_each_with_its_own_rate(
    hours: Hours, rates: RateServer, programs: Programs, redis: "Redis[Any]"
) -> None:
    a_new_rate_each_time(rates)
    order: list[str] = []
    answer = rates.answer
    rates.answer = lambda exchange: (order.append(exchange.at), answer(exchange))[1]
    hours.open_users(USERS)
    missed = [hours.play() for _ in range(6)]
    for _ in range(5):  # the scheduler went on meanwhile
        hours.resume()

    worker = start(programs)
    eventually("some hours are made up", lambda: hours.state(missed[1]) == "done")
    worker.kill()
    forget_workers(redis)
    worker = start(programs)
    ends(hours, missed[-1])
    quiet(redis)
    for hour in missed:
        hours.assert_exact(hour)
    assert len({hours.rate(hour) for hour in missed}) == len(missed)
    assert list(dict.fromkeys(order)) == [(hour + HOUR).isoformat() for hour in missed]
    finished = [hours.run(hour).finished_at for hour in missed]
    assert finished == sorted(finished)


def test_jobs_do_not_multiply_while_hours_are_made_up(
    hours: Hours, rates: RateServer, programs: Programs, redis: "Redis[Any]"
) -> None:
    a_new_rate_each_time(rates)
    hours.open_users(USERS)
    missed = [hours.play() for _ in range(8)]
    resumed = 4
    for _ in range(resumed):
        hours.resume()
    start(programs)
    ends(hours, missed[-1])
    quiet(redis)
    [worker] = Worker.all(connection=redis, serializer=JSONSerializer)
    # Each request to resume may enqueue an hour's chunks once more; more than that is a storm.
    assert worker.successful_job_count <= len(missed) * (CHUNKS + 1) * (resumed + 3)
