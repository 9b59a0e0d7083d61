"""Web processes killed with SIGKILL: whoever had no answer sends the same key again, and all is well."""

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from flask import Flask

from tests.concurrency.programs import Programs, eventually
from tests.concurrency.watch import Watch
from tests.concurrency.web import NO_ANSWER, Caller, Web, win_body
from tests.factories import Books

LOCK_RUNNING_HOUR = "SELECT pg_advisory_xact_lock(1, ledger.hour_lock(ledger.clock()))"
ENTRIES = "SELECT count(*) FROM ledger.entries"


@pytest.fixture
def web(programs: Programs, app: Flask) -> Iterator[Web]:
    with closing(Web(programs, app, "tests.concurrency.dying_wsgi:app")) as made:
        yield made


def again(caller: Caller, *request: Any, **headers: str) -> Any:
    """The answer to a request that is sent until there is one."""

    def ask() -> Any:
        try:
            return caller.ask(*request, **headers)
        except NO_ANSWER:
            return None

    return eventually("a web process answers", ask)


def test_a_process_killed_between_commit_and_answer_has_booked_the_win_once(
    books: Books, web: Web, watch: Watch
) -> None:
    owner = books.owner()
    caller = web.caller()
    body = win_body(books.now())
    for number in range(1, 4):
        with pytest.raises(NO_ANSWER):
            caller.win(owner, f"k{number}", body, X_Die="yes")
        [entry] = watch.rows("SELECT * FROM ledger.entries ORDER BY seq DESC LIMIT 1")
        assert (entry.owner_id, entry.seq) == (owner, number), "committed, and nobody was told"

        path = f"/api/v1/users/{owner}/wins"
        answer = again(caller, "POST", path, body, Idempotency_Key=f"k{number}")
        assert answer.status == 200
        assert answer.headers["idempotent-replayed"] == "true"
        assert answer.body["win"]["entry_id"] == f"{owner}-{number}"
        assert answer.body["today"]["won"] == f"0.00{number}"
        assert watch.value(ENTRIES) == number
        web.recovered(deaths=number)
    eventually("it is ready again", lambda: web.readiness() == 200)


def test_a_process_killed_between_commit_and_answer_has_booked_its_batch_once(
    books: Books, web: Web, watch: Watch
) -> None:
    owners = [books.owner() for _ in range(50)]
    now = books.now()
    items = [{"user_id": str(o), "idempotency_key": "k"} | win_body(now) for o in owners]
    caller = web.caller()
    with pytest.raises(NO_ANSWER):
        caller.ask("POST", "/api/v1/wins/batch", {"wins": items}, X_Die="yes")
    assert watch.value(ENTRIES) == 50
    answer = again(caller, "POST", "/api/v1/wins/batch", {"wins": items})
    assert (answer.body["posted"], answer.body["replayed"]) == (0, 50)
    assert watch.value(ENTRIES) == 50


def test_a_process_killed_while_its_win_is_in_the_database_books_it_at_most_once(
    books: Books, web: Web, watch: Watch
) -> None:
    owner = books.owner()
    caller = web.caller()
    body = win_body(books.now())
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            caller.win(owner, "k", body)
        except NO_ANSWER as error:
            failed.append(error)

    with watch.hold(LOCK_RUNNING_HOUR) as held:
        waiting = threading.Thread(target=ask)
        waiting.start()
        eventually("the win is on its way", held.blocked)
        for child in web.program.children():
            child.kill()
        waiting.join(30)
    assert len(failed) == 1
    eventually("nothing of it is under way", lambda: not _at_work(watch))
    before = watch.value(ENTRIES)
    path = f"/api/v1/users/{owner}/wins"
    answer = again(caller, "POST", path, body, Idempotency_Key="k")
    assert answer.status == (200 if before else 201)
    assert answer.body["win"]["entry_id"] == f"{owner}-1"
    assert watch.value(ENTRIES) == 1


def _at_work(watch: Watch) -> list[Any]:
    return watch.rows("""
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'dreamland' AND state = 'active'
    """)
