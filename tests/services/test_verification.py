"""Verifications that are kept: one at a time, each with what it found, the killed ones seen as such."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import Engine, text

from portal.ledger.clock import HOUR
from portal.services import locks, verification, verifications
from portal.services.verifications import Stored
from tests.concurrency.watch import Watch
from tests.factories import Books, convert_due

LOCK = f"SELECT pg_advisory_xact_lock({locks.VERIFICATION}, 0)"
RUNNING = "INSERT INTO verifications (state, started_at) VALUES ('running', now())"
RAISE = "UPDATE ledger.account_balances SET debits = debits + :n, credits = credits + :n WHERE owner_id = :o"

pytestmark = pytest.mark.usefixtures("context")


def last() -> Stored:
    _, found = verifications.newest()
    assert found is not None
    return found


def test_what_was_read_and_found_is_kept(books: Books) -> None:
    books.win(books.owner())
    hour = books.next_hour()
    convert_due()
    report = verification.verify()
    kept = last()
    assert (kept.state, kept.found, kept.problem) == ("clean", 0, None)
    assert (kept.postings, kept.entries, kept.owners) == (report.postings, 2, 2)
    assert kept.last_closed_hour == hour
    assert kept.duration is not None
    assert timedelta(0) <= kept.duration < timedelta(minutes=1)


def test_differences_are_kept_with_their_entries(books: Books, watch: Watch) -> None:
    owner = books.owner()
    books.win(owner)
    watch.run(RAISE, n=1, o=owner)
    report = verification.verify()
    kept = verifications.of(last().id)
    assert kept
    assert (kept.state, kept.found) == ("differs", report.found)
    assert kept.differences == report.differences
    assert {each.owner_id for each in kept.differences} == {owner}
    assert last().differences == [], "lists do without"
    assert "sums of their postings" in verifications.meaning(kept.differences[0])


def test_one_that_fails_is_kept_with_why(books: Books, watch: Watch) -> None:
    books.win(books.owner())
    watch.run("ALTER TABLE ledger.holds RENAME TO held")
    with pytest.raises(Exception, match="holds"):
        verification.verify()
    kept = last()
    assert (kept.state, kept.problem) == ("failed", "ProgrammingError")
    assert kept.finished_at is not None


def test_one_whose_process_was_killed_is_seen_at_once_and_written_down_by_the_next(
    watch: Watch,
) -> None:
    with watch.hold(LOCK):
        watch.run(RUNNING)
        assert last().state == "running"
    killed = last()
    assert (killed.state, killed.problem) == ("failed", "its process was killed")
    verification.verify()
    assert [each.state for each in verifications.page(None, 10)] == ["clean", "failed"]
    assert watch.value("SELECT state FROM verifications ORDER BY id LIMIT 1") == "failed"


def test_two_do_not_read_at_once(app: Flask, watch: Watch) -> None:
    asked: list[str] = []

    def start() -> bool:
        asked.append("start")
        return True

    with watch.hold(LOCK):
        assert verification.verify_unless_running() is None
        assert verification.request(start) is False
        assert asked == []
        assert verifications.newest()[1] is None
    assert verification.request(start) is True
    assert asked == ["start"]
    assert verification.verify_unless_running() == 0
    assert app


def test_of_many_who_ask_at_once_one_is_heard(app: Flask, engine: Engine) -> None:
    waiting: list[str] = []
    together = Barrier(4)

    def start() -> bool:
        if waiting:
            return False
        time.sleep(0.1)
        waiting.append("verify")
        return True

    def ask(_: int) -> bool:
        with app.app_context():
            together.wait()
            return verification.request(start)

    with ThreadPoolExecutor(4) as people:
        assert sorted(people.map(ask, range(4))) == [False, False, False, True]
    with engine.connect() as connection:
        found = connection.scalars(text("SELECT action FROM audit_events")).all()
    assert found == ["verification.asked"]


def test_who_asks_is_in_the_log_unless_it_came_to_nothing(engine: Engine) -> None:
    def fail() -> bool:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        verification.request(fail)
    assert verification.request(lambda: False) is False
    assert verification.request(lambda: True) is True
    with engine.connect() as connection:
        found = connection.scalars(text("SELECT action FROM audit_events")).all()
    assert found == ["verification.asked"]


def test_the_nightly_one_is_left_out_where_it_was_done_today(books: Books) -> None:
    books.set_clock(books.now().replace(hour=2, minute=0) + timedelta(days=1))
    assert verification.verify_due() == 0
    assert verification.verify_due() is None
    books.set_clock(books.now() + 22 * HOUR)
    assert verification.verify_due() == 0
    assert len(verifications.page(None, 10)) == 2
