"""The job that verifies the books: in a worker, one at a time, killed and seen to be."""

from typing import Any

from flask import Flask
from redis import Redis

from jobs import verification as jobs
from portal.services import verifications
from tests.concurrency.programs import Programs, eventually
from tests.concurrency.watch import Watch
from tests.factories import Books

STATES = "SELECT state FROM verifications ORDER BY id"


def states(watch: Watch) -> list[str]:
    return [row.state for row in watch.rows(STATES)]


def test_a_worker_verifies_the_books_once_however_often_that_is_asked_for(
    app: Flask, books: Books, programs: Programs, watch: Watch, redis: "Redis[Any]"
) -> None:
    books.win(books.owner())
    with app.app_context():
        assert jobs.enqueue_one() is True
        assert jobs.enqueue_one() is False
    assert redis.llen("rq:queue:dreamland-later") == 1
    programs.start("-m", "jobs.worker")
    eventually("the books are verified", lambda: states(watch) == ["clean"])


def test_one_that_is_killed_is_seen_as_such_and_the_next_goes_through(
    app: Flask, books: Books, programs: Programs, watch: Watch, redis: "Redis[Any]"
) -> None:
    books.win(books.owner())
    with app.app_context():
        jobs.enqueue_one()
    with watch.hold("LOCK TABLE ledger.holds IN ACCESS EXCLUSIVE MODE") as held:
        worker = programs.start("-m", "jobs.worker")
        eventually("it reads", held.blocked)
        assert states(watch) == ["running"]
        worker.kill()
    with app.app_context():

        def is_seen() -> bool:
            _, found = verifications.newest()
            return found is not None and found.state == "failed"

        eventually("it is seen to be killed", is_seen)
        assert jobs.verify() == 0
    assert states(watch) == ["failed", "clean"]
    assert redis.ping()
