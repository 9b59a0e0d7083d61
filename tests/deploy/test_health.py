"""Whether a web process, a worker and a scheduler do their work, and whether the database is ready."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import URL, create_engine

from config import Settings
from deploy import migrated
from jobs import schedule
from jobs.queue import WEBHOOKS, queue
from tests.concurrency.programs import Programs, eventually, programs_for
from tests.deploy.conftest import plain, statement

Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def ask(server: URL) -> Ask:
    def run(name: str, **environment: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "deploy.healthy", name],
            env=os.environ | {"DATABASE_URL": plain(server)} | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr.strip()

    return run


def test_a_worker_of_this_machine_is_healthy_while_it_says_so(ask: Ask, redis: Redis) -> None:
    status, said = ask("worker")
    assert (status, said.count("\n")) == (1, 0)
    assert "no worker of " in said
    jobs = queue(os.environ["REDIS_URL"])
    worker = SimpleWorker([jobs], connection=redis, serializer=JSONSerializer)
    worker.register_birth()
    assert ask("worker") == (0, "")
    redis.hset(worker.key, "hostname", "another machine")
    assert ask("worker")[0] == 1
    worker.register_death()
    assert ask("worker")[0] == 1


def test_a_worker_of_webhooks_is_no_worker_of_other_jobs(ask: Ask, redis: Redis) -> None:
    jobs = queue(os.environ["REDIS_URL"], WEBHOOKS)
    worker = SimpleWorker([jobs], connection=redis, serializer=JSONSerializer)
    worker.register_birth()
    assert ask("webhooks") == (0, "")
    assert ask("worker")[0] == 1
    worker.register_death()
    assert ask("webhooks")[0] == 1


def test_a_scheduler_is_healthy_while_it_says_so(ask: Ask, redis: Redis) -> None:
    assert ask("scheduler") == (1, "no scheduler has said lately that it lives")
    scheduler = schedule.scheduler(os.environ["REDIS_URL"], redis)
    scheduler.register_birth()
    assert ask("scheduler") == (0, "")
    assert 0 < redis.ttl(scheduler.key) < 60
    scheduler.register_death()
    assert ask("scheduler")[0] == 1


@pytest.mark.parametrize("name", ["worker", "webhooks", "scheduler"])
def test_a_redis_that_is_away_is_not_their_fault(ask: Ask, name: str) -> None:
    assert ask(name, REDIS_URL="redis://127.0.0.1:1/0") == (0, "")


def test_a_web_process_that_does_not_answer_is_named(ask: Ask) -> None:
    status, said = ask("web", PORT="1")
    assert status == 1
    assert said.startswith("http://127.0.0.1:1/readyz: ")


@pytest.fixture
def programs(settings: Settings, tmp_path: Path) -> object:
    with programs_for(settings, tmp_path) as made:
        yield made


def test_a_pod_waits_until_the_database_is_there_and_migrated(
    server: URL, database: URL, missing_database: URL, programs: Programs
) -> None:
    waiting = programs.start("-m", "deploy.migrated", DATABASE_URL=plain(missing_database))
    eventually("it waits", lambda: "waiting for the database" in waiting.said())
    assert waiting.is_alive()
    statement(
        server, f'CREATE DATABASE "{missing_database.database}" TEMPLATE "{database.database}"'
    )
    eventually("it goes on", lambda: not waiting.is_alive())
    assert waiting.stop() == 0


def test_what_it_waits_for_is_its_own_version_or_a_later_one(
    server: URL, missing_database: URL
) -> None:
    statement(server, f'CREATE DATABASE "{missing_database.database}"')
    engine = create_engine(missing_database)
    assert migrated.missing(engine) == "waiting for the migration: nothing is there"
    statement(missing_database, "CREATE TABLE alembic_version (version_num text)")
    assert migrated.missing(engine) == "waiting for the migration: nothing is there"
    statement(missing_database, "INSERT INTO alembic_version VALUES ('a later one')")
    assert migrated.missing(engine) is None
    head = migrated.scripts().get_current_head()
    statement(missing_database, f"UPDATE alembic_version SET version_num = '{head}'")
    assert migrated.missing(engine) is None
    engine.dispose()
