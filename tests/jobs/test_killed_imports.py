"""Imports whose workers are killed, meet each other, or wait: nothing is lost or counted twice.

Moments are made certain by locks that the test holds and that a worker is seen to wait for.
"""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from rq import Worker
from rq.serializers import JSONSerializer

from config import Settings
from jobs import imports as jobs
from jobs.queue import LATER, QUEUE, queue
from portal.services import clients
from portal.services.imports import work
from tests.concurrency.programs import Programs, eventually
from tests.concurrency.watch import Watch
from tests.factories import Books
from tests.jobs.sender import HEADER, Sender, lines

CHUNK_LINES, CHUNKS = 20, 3
LINES = CHUNKS * CHUNK_LINES - 1
"""The header's line is the first of a chunk."""
BAD = LINES // CHUNK_LINES
LOCK_OWNER = "SELECT 1 FROM ledger.owners WHERE owner_id = :owner FOR NO KEY UPDATE"
LOCK_WRITES = "LOCK TABLE {} IN SHARE MODE"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, import_chunk_lines=CHUNK_LINES)


@pytest.fixture
def sender(app: Flask, watch: Watch) -> Sender:
    with app.app_context():
        return Sender(app, clients.create_key("studio", ["imports:write"]), watch)


@pytest.fixture
def owners(books: Books) -> list[int]:
    return [books.owner() for _ in range(5)]


def file(owners: list[int], books: Books, name: str = "k", count: int = LINES) -> str:
    return HEADER + "".join(lines(owners, count, books.now(), name, bad=CHUNK_LINES))


def forget_workers(redis: "Redis[Any]") -> None:
    """Drop what Redis keeps of killed workers for minutes."""
    for worker in Worker.all(connection=redis, serializer=JSONSerializer):
        redis.srem("rq:workers", worker.key)
        redis.delete(worker.key)


MOMENTS = [
    ("imports", "UPDATE imports SET state"),
    ("users", "ledger.post"),
    ("import_refusals", "INSERT INTO import_refusals"),
    ("import_chunks", "UPDATE import_chunks"),
]


def test_workers_killed_at_every_moment_of_a_chunk_lose_nothing_and_count_nothing_twice(
    sender: Sender, books: Books, owners: list[int], programs: Programs, redis: "Redis[Any]"
) -> None:
    for n, (table, doing) in enumerate(MOMENTS, start=1):
        number = sender.send(file(owners, books, f"{table}-"), table)
        lock = LOCK_OWNER if table == "users" else LOCK_WRITES.format(table)
        values = {"owner": owners[2]} if table == "users" else {}
        with sender.watch.hold(lock, **values) as held:
            worker = programs.start("-m", "jobs.worker")
            eventually(
                f"a worker waits: {doing}",
                lambda: any(doing in each.query for each in held.blocked()),  # noqa: B023
            )
            worker.kill()
        forget_workers(redis)
        rescuer = programs.start("-m", "jobs.worker")
        sender.ends(number)
        assert sender.counts(number) == (LINES - BAD, 0, BAD), table
        assert sender.wins() == n * (LINES - BAD)
        rescuer.kill()
        forget_workers(redis)


@pytest.mark.usefixtures("context")
def test_a_worker_leaves_an_import_that_another_has_or_that_has_gone_on(
    sender: Sender, books: Books, owners: list[int]
) -> None:
    number = int(sender.send(file(owners, books), "k"))
    with work._alone(number) as alone:
        assert alone
        assert work.work(number, 1) is None
        assert sender.counts(str(number)) == (0, 0, 0)
    assert work.work(number, 2) is None
    assert sender.counts(str(number)) == (0, 0, 0)
    assert work.work(number, 1) is None
    assert sender.progress(str(number))["state"] == "done"
    assert work.work(number, 1) is None
    assert sender.counts(str(number)) == (LINES - BAD, 0, BAD)


@pytest.mark.usefixtures("context")
def test_a_user_locked_for_long_holds_up_nobody_and_the_chunk_is_done_later(
    sender: Sender, books: Books, owners: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "LONGEST_WAIT", "50ms")
    number = int(sender.send(file(owners, books), "k"))
    with (
        sender.watch.hold(LOCK_OWNER, owner=owners[2]),
        pytest.raises(work.ledger.Unavailable),
    ):
        work.work(number, 1)
    assert (sender.counts(str(number)), sender.wins()) == ((0, 0, 0), 0)
    assert work.due() == [(number, 1)]
    assert work.work(number, 1) is None
    assert sender.counts(str(number)) == (LINES - BAD, 0, BAD)
    assert work.due() == []


@pytest.mark.usefixtures("context")
def test_imports_take_turns_by_slices_and_their_jobs_never_multiply(
    sender: Sender,
    books: Books,
    owners: list[int],
    settings: Settings,
    redis: "Redis[Any]",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work, "SLICE_S", 0)
    redis.flushdb()
    numbers = [int(sender.send(file(owners, books, name), name)) for name in ("a", "b")]
    for _ in range(3):  # as the scheduler does
        jobs.resume_due()
    waiting, order = queue(settings.redis_url, LATER), []
    assert waiting.job_ids == [f"import-{number}-1" for number in numbers]
    while (job := next(iter(waiting.get_jobs()), None)) is not None:
        waiting.pop_job_id()
        assert len(order) < 100, "jobs without end"
        order.append(job.args[0])
        jobs.work(*job.args)
        assert len(waiting) <= 2 * 4
    assert order[:2] == numbers
    assert len(order) <= 2 * 4 + 2 * CHUNKS
    for number in numbers:
        assert sender.counts(str(number)) == (LINES - BAD, 0, BAD)
    assert not queue(settings.redis_url, QUEUE).job_ids


@pytest.mark.usefixtures("context")
def test_a_file_sent_while_redis_is_away_is_taken_and_begun_within_a_minute_of_its_return(
    sender: Sender, books: Books, owners: list[int], settings: Settings, redis: "Redis[Any]"
) -> None:
    runtime = sender.app.extensions["dreamland"]
    away = replace(settings, redis_url="redis://127.0.0.1:1/0")
    sender.app.extensions["dreamland"] = replace(runtime, settings=away)
    number = int(sender.send(file(owners, books), "k"))
    sender.app.extensions["dreamland"] = runtime
    assert redis.dbsize() == 0
    assert jobs.resume_due() == 1
    assert queue(settings.redis_url, LATER).job_ids == [f"import-{number}-1"]
