"""What is away, held, full or dead: who is concerned is told so and may come again; no other notices."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Settings
from local.redis import Redis as RedisServer
from portal import create_app
from portal.services import clients
from tests.concurrency.programs import eventually, programs_for
from tests.concurrency.watch import Watch
from tests.concurrency.web import count_of, win_body
from tests.factories import Books, Breaking

LOCK_OWNER = "SELECT 1 FROM ledger.owners WHERE owner_id = :owner FOR NO KEY UPDATE"
CLAIM = """
INSERT INTO ledger.payment_claims (provider, reference, owner_id, key_hash, claimed_at)
VALUES ('default', :reference, 0, gen_random_uuid(), now())
"""
ENTRIES_OF = "SELECT count(*) FROM ledger.entries WHERE owner_id = :owner"


class Games:
    """A game server that calls the app in this process, from as many threads as it likes."""

    def __init__(self, app: Flask, at: datetime) -> None:
        self.app = app
        self.at = at
        with app.app_context():
            key = clients.create_key("games", list(clients.SCOPES))
        self._headers = {"Authorization": f"Bearer {key}"}

    def win(self, user: int, key: str = "k") -> Any:
        return self.call("POST", f"/api/v1/users/{user}/wins", win_body(self.at), key)

    def batch(self, users: list[int]) -> Any:
        items = [{"user_id": str(u), "idempotency_key": "k"} | win_body(self.at) for u in users]
        return self.call("POST", "/api/v1/wins/batch", {"wins": items})

    def call(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        return self.app.test_client().open(path, method=method, json=body, headers=headers)

    def later(self, *request: Any) -> "Later":
        return Later(lambda: self.win(*request))


class Later:
    """An answer that is being waited for in a thread of its own."""

    def __init__(self, ask: Any) -> None:
        self.answer: Any = None
        self._ask = ask
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self.answer = self._ask()

    def wait(self) -> Any:
        self._thread.join(30)
        assert self.answer is not None, "no answer"
        return self.answer


@pytest.fixture
def games(app: Flask, books: Books) -> Games:
    return Games(app, books.now())


def assert_unavailable(answer: Any) -> None:
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"] == "unavailable"
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_user_locked_elsewhere_keeps_no_other_waiting(
    books: Books, games: Games, watch: Watch
) -> None:
    locked, others = books.owner(), [books.owner() for _ in range(20)]
    with watch.hold(LOCK_OWNER, owner=locked) as held:
        waiting = games.later(locked)
        eventually("the win waits for its user", held.blocked)
        for other in others:
            assert games.win(other).status_code == 201
        together = [games.later(other, "k2") for other in others]
        assert {each.wait().status_code for each in together} == {201}
        assert waiting.answer is None
        assert held.blocked(), "the lock was held all the while"
    answer = waiting.wait()
    assert answer.status_code == 201
    assert answer.json["win"]["entry_id"] == f"{locked}-1"


def test_a_user_locked_for_a_moment_does_not_wait_for_one_that_is_locked_for_long(
    books: Books, games: Games, watch: Watch
) -> None:
    long, short = books.owner(), books.owner()
    with watch.hold(LOCK_OWNER, owner=long) as held:
        first = games.later(long)
        eventually("the first waits for its user", held.blocked)
        with watch.hold(LOCK_OWNER, owner=short):
            second = games.later(short)
            poster = games.app.extensions["dreamland"].poster
            eventually("the second is put aside", lambda: poster._lanes[1].size() >= 1)
        eventually("the second is answered", lambda: second.answer, seconds=5)
        assert second.answer.status_code == 201
        assert held.blocked(), "the lock was held all the while"
    assert first.wait().status_code == 201


def test_a_user_locked_for_long_takes_no_more_than_a_few_threads(
    books: Books, games: Games, watch: Watch
) -> None:
    locked, other = books.owner(), books.owner()
    with watch.hold(LOCK_OWNER, owner=locked) as held:
        waiting = [games.later(locked, f"k{n}") for n in range(40)]
        eventually("the others are refused", lambda: sum(bool(w.answer) for w in waiting) >= 20)
        assert held.blocked(), "the lock was held all the while"
        for refused in [each for each in waiting if each.answer]:
            assert_unavailable(refused.wait())
        assert games.win(other).status_code == 201
    statuses = count_of(each.wait().status_code for each in waiting)
    assert set(statuses) == {201, 503}
    assert statuses[201] <= 20
    assert watch.value(ENTRIES_OF, owner=locked) == statuses[201]
    assert games.win(locked, "k-last").status_code == 201, "and is served again at once"


def test_a_batch_books_all_others_while_one_of_its_users_is_locked_elsewhere(
    books: Books, games: Games, watch: Watch
) -> None:
    locked, other = books.owner(), books.owner()
    with watch.hold(LOCK_OWNER, owner=locked) as held:
        waiting = Later(lambda: games.batch([locked, other]))
        eventually("the batch waits for that user", held.blocked)
        assert watch.value(ENTRIES_OF, owner=other) == 1
        assert watch.value(ENTRIES_OF, owner=locked) == 0
    answer = waiting.wait()
    assert (answer.status_code, answer.json["posted"]) == (200, 2)
    assert [r["win"]["user_id"] for r in answer.json["results"]] == [str(locked), str(other)]


def test_a_win_that_can_not_be_booked_in_time_is_unavailable_and_the_same_key_books_it_once(
    books: Books, settings: Settings, watch: Watch
) -> None:
    patient = create_app(settings)
    patient.extensions["dreamland"].engine.dispose()
    games = Games(patient, books.now())
    locked = books.owner()
    with watch.hold(LOCK_OWNER, owner=locked) as held:
        waiting = games.later(locked)
        eventually("the win waits for its user", held.blocked)
        watch.run(
            "SELECT pg_cancel_backend(:pid)", pid=held.blocked()[0].pid
        )  # as a timeout does, without the wait for it
        assert_unavailable(waiting.wait())
    assert watch.value(ENTRIES_OF, owner=locked) == 0
    assert games.win(locked).status_code == 201
    assert games.win(locked).status_code == 200
    assert watch.value(ENTRIES_OF, owner=locked) == 1
    patient.extensions["dreamland"].engine.dispose()


@pytest.fixture
def narrow(settings: Settings) -> Iterator[Flask]:
    """An app with room for three entries that wait."""
    made = create_app(replace(settings, queue_limit=3))
    yield made
    made.extensions["dreamland"].engine.dispose()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a user stays where it is for as long as a test looks."""
    monkeypatch.setattr("portal.ledger.poster.LONGEST_WAIT", "30s")


@pytest.mark.usefixtures("patient")
def test_a_full_queue_is_unavailable_and_takes_wins_again_when_it_has_room(
    books: Books, narrow: Flask, watch: Watch
) -> None:
    games = Games(narrow, books.now())
    locked, other = books.owner(), books.owner()
    poster = narrow.extensions["dreamland"].poster
    with watch.hold(LOCK_OWNER, owner=locked) as held:
        waiting = [games.later(locked, "k0")]
        eventually("the first waits for its user", held.blocked)
        for number in range(1, 4):
            waiting.append(games.later(locked, f"k{number}"))
            eventually("it is put aside", lambda n=number: poster._lanes[1].size() == n)
        assert_unavailable(games.win(other))
        assert watch.value(ENTRIES_OF, owner=other) == 0
        assert narrow.test_client().get("/readyz").status_code == 200
    assert {each.wait().status_code for each in waiting} == {201}
    assert games.win(other).status_code == 201


@pytest.mark.parametrize("lane", [0, 1], ids=["fast", "slow"])
def test_a_dead_poster_is_not_ready_and_lets_nobody_wait(
    books: Books, games: Games, client: FlaskClient, lane: int
) -> None:
    owner = books.owner()
    assert games.win(owner).status_code == 201
    assert client.get("/readyz").status_code == 200
    poster = games.app.extensions["dreamland"].poster
    poster._lanes[lane].put([Breaking()])
    eventually("it is not ready", lambda: client.get("/readyz").status_code == 503)
    assert client.get("/readyz").json["poster"] == "failed"
    assert client.get("/healthz").status_code == 200
    began = time.monotonic()
    assert_unavailable(games.win(owner, "k2"))
    assert time.monotonic() - began < 5


@pytest.mark.usefixtures("patient")
def test_a_win_that_was_on_its_way_when_the_poster_died_is_told_at_once(
    books: Books, games: Games, watch: Watch
) -> None:
    locked = books.owner()
    with watch.hold(LOCK_OWNER, owner=locked) as held:
        first = games.later(locked, "k1")
        eventually("the first waits for its user", held.blocked)
        poster = games.app.extensions["dreamland"].poster
        second = games.later(locked, "k2")
        eventually("the second is put aside", lambda: poster._lanes[1].size() == 1)
        poster._lanes[1].put([Breaking()])
        third = games.later(locked, "k3")
        eventually("the third is put aside", lambda: poster._lanes[1].size() == 3)
    assert first.wait().status_code == 201
    began = time.monotonic()
    assert_unavailable(second.wait())
    assert_unavailable(third.wait())
    assert time.monotonic() - began < 5


def test_a_top_up_whose_claim_is_cut_off_may_be_sent_again(
    books: Books, games: Games, watch: Watch
) -> None:
    owner = books.owner()
    path = f"/api/v1/users/{owner}/wallets/GOLD_COIN/top-ups"
    body = {"amount": "5", "reference": "pay-1"}
    with watch.hold(CLAIM, reference="pay-1") as held:
        first = Later(lambda: games.call("POST", path, body, "k"))
        eventually("the claim waits", held.blocked)
        watch.run("SELECT pg_terminate_backend(:pid, 5000)", pid=held.blocked()[0].pid)
        assert_unavailable(first.wait())
    assert games.call("POST", path, body, "k").status_code == 201
    assert games.call("POST", path, body, "k").status_code == 200
    assert watch.value(ENTRIES_OF, owner=owner) == 1


@pytest.mark.parametrize(
    "lost", [psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.DatabaseError]
)
def test_a_connection_that_is_lost_as_it_is_given_back_is_unavailable(
    app: Flask, lost: type[Exception]
) -> None:
    """SQLAlchemy lets the driver's own error through there: after an immediate restart, now and then."""

    def view() -> None:
        raise lost("server closed the connection unexpectedly")

    app.add_url_rule("/lost", "lost", view)
    assert_unavailable(app.test_client().get("/lost"))


def test_without_redis_wins_are_taken_and_conversions_are_unavailable(
    books: Books, settings: Settings, tmp_path: Path, watch: Watch
) -> None:
    redis = RedisServer(tmp_path / "redis")
    without = replace(settings, redis_url=redis.url)
    app = create_app(without)
    games = Games(app, books.now())
    owner = books.owner()
    assert games.win(owner).status_code == 201
    hour = books.next_hour()
    body = {"hour": hour.isoformat()}
    began = time.monotonic()
    assert_unavailable(games.call("POST", "/api/v1/conversions", body))
    assert time.monotonic() - began < 5, "nobody waits long for it"
    assert app.test_client().get("/readyz").status_code == 200
    assert games.win(owner, "k2").status_code == 201

    state = "SELECT state FROM conversion_runs WHERE hour = :hour"
    with redis, programs_for(without, tmp_path) as programs:
        answer = games.call("POST", "/api/v1/conversions", body)
        assert (answer.status_code, answer.json["conversion"]["state"]) == (202, "due")
        programs.start("-m", "jobs.worker")
        eventually("the hour is done", lambda: watch.value(state, hour=hour) == "done")
        assert games.call("POST", "/api/v1/conversions", body).status_code == 200
        redis.restart(immediate=True)
        late = games.call("POST", "/api/v1/conversions", {"hour": books.next_hour().isoformat()})
        assert late.status_code == 202, "a connection from before is no obstacle"
    app.extensions["dreamland"].engine.dispose()
