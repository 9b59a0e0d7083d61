"""PostgreSQL killed and restarted under load: nothing acknowledged is lost, nothing is there twice."""

import threading
import time
from contextlib import suppress

from flask import Flask
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from local.postgres import Postgres
from portal import ledger
from tests.concurrency.programs import eventually
from tests.concurrency.watch import Watch
from tests.concurrency.web import NO_ANSWER, Caller, Web, count_of, win_body
from tests.factories import Books

WRITERS = 8
READERS = 2
AMOUNT = "0.000001"
UNITS = 10**12
LOCK_RUNNING_HOUR = "SELECT pg_advisory_xact_lock(1, ledger.hour_lock(ledger.clock()))"
AGAIN_S = 0.01
"""How long a caller pauses before it sends the same again: less than Retry-After, to press harder."""


class Load:
    """Callers that send wins, each again with its key until it is acknowledged, and readers."""

    def __init__(self, web: Web, owners: list[int], body: dict[str, str]) -> None:
        self._web = web
        self._owners = owners
        self._body = body
        self._over = threading.Event()
        self.acknowledged: dict[tuple[int, str], str] = {}
        """Entry id by user and key."""
        self.seen: list[tuple[str, int | None, str | None]] = []
        """Method, status (None: no answer) and Retry-After of every call."""
        self.repeated = 0
        self._threads = [
            threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)
        ] + [threading.Thread(target=self._read, args=(number,)) for number in range(READERS)]
        for thread in self._threads:
            thread.start()

    def _write(self, number: int) -> None:
        caller = self._web.caller()
        key = 0
        while not self._over.is_set():
            owner = self._owners[(number * 7 + key) % len(self._owners)]
            name = f"{number}-{key}"
            while not self._send(caller, owner, name):
                self.repeated += 1
                time.sleep(AGAIN_S)
            key += 1

    def _send(self, caller: Caller, owner: int, key: str) -> bool:
        try:
            answer = caller.win(owner, key, self._body)
        except NO_ANSWER:
            self.seen.append(("POST", None, None))
            return False
        self.seen.append(("POST", answer.status, answer.headers.get("retry-after")))
        if answer.status in (200, 201):
            self.acknowledged[owner, key] = answer.body["win"]["entry_id"]
            return True
        return False

    def _read(self, number: int) -> None:
        caller = self._web.caller()
        while not self._over.is_set():
            path = f"/api/v1/users/{self._owners[number]}/stats"
            try:
                answer = caller.ask("GET", path)
            except NO_ANSWER:
                self.seen.append(("GET", None, None))
            else:
                self.seen.append(("GET", answer.status, answer.headers.get("retry-after")))
            time.sleep(AGAIN_S)

    def wait_for_more(self, number: int) -> None:
        """Until so many more wins are acknowledged."""
        goal = len(self.acknowledged) + number
        eventually("wins are acknowledged", lambda: len(self.acknowledged) >= goal)

    def wait_for_refusals(self) -> None:
        """Until writers and readers have noticed."""
        known = len(self.seen)

        def noticed() -> bool:
            new = {(method, status) for method, status, _ in self.seen[known:]}
            return {("POST", 503), ("GET", 503)} <= new

        eventually("all notice that the database is away", noticed)

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()


def test_what_was_acknowledged_is_there_once_whatever_becomes_of_the_database(
    postgres: Postgres, app: Flask, web: Web, database: URL
) -> None:
    books = Books(app.extensions["dreamland"].engine)
    owners = [books.owner() for _ in range(20)]
    load = Load(web, owners, win_body(books.now(), AMOUNT))
    load.wait_for_more(200)

    postgres.kill()
    load.wait_for_refusals()
    assert web.readiness() == 503
    postgres.start()
    load.wait_for_more(200)

    postgres.restart(immediate=True)
    load.wait_for_more(200)

    postgres.restart()
    load.wait_for_more(200)
    load.end()
    eventually("it is ready", lambda: web.readiness() == 200)

    statuses = count_of((method, status) for method, status, _ in load.seen)
    # A refusal may come before the body was read: the rest of it then finds the connection closed.
    assert {status for _, status in statuses} <= {200, 201, 503, None}, statuses
    assert ("GET", None) not in statuses, "and no process died"
    assert load.repeated > 0
    assert {after for _, status, after in load.seen if status == 503} == {"1"}

    watch = Watch(database)
    entries = watch.rows("""
        SELECT e.owner_id || '-' || e.seq AS id, count(p.*) AS lines, min(p.amount) FILTER (WHERE p.line = 1) AS amount
        FROM ledger.entries e JOIN ledger.postings p ON p.owner_id = e.owner_id AND p.seq = e.seq
        GROUP BY e.owner_id, e.seq
    """)
    assert sorted(row.id for row in entries) == sorted(load.acknowledged.values())
    assert {(row.lines, row.amount) for row in entries} == {(2, UNITS)}
    held = "SELECT sum(debits) FROM ledger.account_balances b JOIN ledger.accounts a ON a.id = b.account_id AND a.code = 'TOKENS_INVENTORY'"
    assert watch.value(held) == UNITS * len(load.acknowledged)
    watch.dispose()


def status(caller: Caller, owner: int, key: str, body: dict[str, str]) -> int | None:
    """What a caller is told; None where the connection was closed on it."""
    try:
        return caller.win(owner, key, body).status
    except NO_ANSWER:
        return None


def test_a_win_that_is_in_the_database_when_that_is_killed_may_be_sent_again(
    postgres: Postgres, app: Flask, database: URL
) -> None:
    books = Books(app.extensions["dreamland"].engine)
    owner = books.owner()
    entry = books.entry("win", owner, "1", at=books.now())
    poster = app.extensions["dreamland"].poster
    watch = Watch(database)
    refused: list[ledger.Unavailable] = []

    def post() -> None:
        try:
            poster.post(entry)
        except ledger.Unavailable as error:
            refused.append(error)

    waiting = threading.Thread(target=post)
    with suppress(DBAPIError), watch.hold(LOCK_RUNNING_HOUR) as held:
        waiting.start()
        eventually("the win is on its way", held.blocked)
        postgres.kill()
        waiting.join(30)
    assert len(refused) == 1, "not an internal error, which says that nothing was written"
    watch.dispose()
    postgres.start()
    for _ in range(3):  # who finds a connection of before is told to come again, once
        post()
    assert poster.post(entry).status == "replayed"
    assert watch.value("SELECT count(*) FROM ledger.entries") == 1
    watch.dispose()


def test_a_process_finds_a_database_that_was_away_again_by_itself(
    postgres: Postgres, app: Flask, web: Web
) -> None:
    books = Books(app.extensions["dreamland"].engine)
    owner = books.owner()
    body = win_body(books.now())
    caller = web.caller()
    assert caller.win(owner, "k", body).status == 201
    for number in range(3):
        postgres.kill()
        assert status(caller, owner, f"k{number}", body) in (503, None)
        refused = caller.ask("GET", f"/api/v1/users/{owner}/stats")
        assert (refused.status, refused.body["code"]) == (503, "unavailable")
        assert caller.ask("GET", "/healthz").status == 200
        postgres.start()
        eventually(
            "the win is booked", lambda n=number: status(caller, owner, f"k{n}", body) in (200, 201)
        )
        eventually("it is ready", lambda: web.readiness() == 200)
    stats = caller.ask("GET", f"/api/v1/users/{owner}/stats")
    assert stats.body["tokens_today"] == "0.004"
