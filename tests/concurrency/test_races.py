"""Many at once: at the cap, with one key, across an hour's end, beside a poisonous entry."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from psycopg2.errors import Error
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from portal import ledger
from portal.ledger.clock import HOUR
from portal.ledger.posting import Entry, Outcome
from portal.services import clients
from tests.concurrency.programs import eventually
from tests.concurrency.watch import Watch
from tests.concurrency.web import Web, at_once, count_of, win_body
from tests.factories import WINDOW, Books

TOKEN = 10**18
CAP = 5 * TOKEN

WON = """
SELECT coalesce(sum(p.amount), 0) FROM ledger.postings p
JOIN ledger.accounts a ON a.id = p.credit_account_id AND a.code = 'TOKENS_EARNED'
WHERE p.owner_id = :owner
"""
USED = "SELECT sum(used) FROM ledger.daily_balances WHERE owner_id = :owner"
LOCK_RUNNING_HOUR = "SELECT pg_advisory_xact_lock(1, ledger.hour_lock(ledger.clock()))"


def posting(poster: ledger.Poster, entries: list[Entry]) -> Callable[[], list[Outcome]]:
    """One request after the other, as one game server sends them."""
    return lambda: [poster.post(entry) for entry in entries]


def in_batches(books: Books, entries: list[Entry], size: int) -> Callable[[], list[Outcome]]:
    return lambda: [
        outcome
        for first in range(0, len(entries), size)
        for outcome in books.post(*entries[first : first + size])
    ]


def racers(
    books: Books, posters: list[ledger.Poster], make: Callable[[], list[Entry]]
) -> tuple[list[Entry], list[Outcome]]:
    """Eight callers over two posters and two senders of batches, all at once."""
    work, entries = [], []
    for number in range(10):
        mine = make()
        entries += mine
        if number < 8:
            work.append(posting(posters[number % 2], mine))
        else:
            work.append(in_batches(books, mine, 3))
    return entries, [outcome for outcomes in at_once(*work) for outcome in outcomes]


def test_racing_wins_are_accepted_up_to_exactly_the_cap(
    books: Books, posters: list[ledger.Poster], watch: Watch
) -> None:
    owners = [books.owner() for _ in range(3)]
    now = books.now()

    def make() -> list[Entry]:
        return [books.entry("win", owner, "0.5", at=now) for _ in range(3) for owner in owners]

    entries, outcomes = racers(books, posters, make)
    for owner in owners:
        mine = [o for e, o in zip(entries, outcomes, strict=True) if e.owner_id == owner]
        assert count_of((o.status, o.code) for o in mine) == {
            ("posted", None): 10,
            ("rejected", "daily_limit_exceeded"): 20,
        }
        posted = [o for o in mine if o.status == "posted"]
        assert sorted(o.seq for o in posted if o.seq) == list(range(1, 11))
        assert sorted(o.used for o in posted if o.used) == [n * TOKEN // 2 for n in range(1, 11)]
        assert {(o.used, o.day_limit) for o in mine if o.status == "rejected"} == {(CAP, CAP)}
        assert watch.value(WON, owner=owner) == watch.value(USED, owner=owner) == CAP


def test_of_racing_wins_of_all_sizes_none_is_refused_that_would_have_fitted(
    books: Books, posters: list[ledger.Poster], watch: Watch
) -> None:
    owner = books.owner()
    now = books.now()
    sizes = ("2.000000000000000001", "1.3", "0.7", "0.31", "0.000000000000000001", "0.11")

    def make() -> list[Entry]:
        return [books.entry("win", owner, size, at=now) for size in sizes]

    entries, outcomes = racers(books, posters, make)
    pairs = list(zip(entries, outcomes, strict=True))
    accepted = sum(e.amount or 0 for e, o in pairs if o.status == "posted")
    assert accepted == watch.value(WON, owner=owner) == watch.value(USED, owner=owner)
    assert accepted <= CAP
    for entry, outcome in pairs:
        assert entry.amount is not None
        assert outcome.used is not None
        if outcome.status == "rejected":
            assert outcome.code == "daily_limit_exceeded"
            assert outcome.used + entry.amount > CAP
        else:
            assert outcome.used <= CAP


def test_the_same_key_from_16_threads_makes_one_entry(
    books: Books, posters: list[ledger.Poster], watch: Watch
) -> None:
    owner = books.owner()
    now = books.now()
    for number in range(1, 11):
        entry = books.entry("win", owner, "0.1", at=now, key=f"k{number}")
        work = [partial(posters[n % 2].post, entry) for n in range(14)]
        work += [lambda entry=entry: books.post(entry)[0]] * 2
        outcomes = at_once(*work)
        assert count_of(o.status for o in outcomes) == {"posted": 1, "replayed": 15}
        assert {(o.seq, o.day) for o in outcomes} == {(number, outcomes[0].day)}
        assert len({o.booked_at for o in outcomes}) == 1
    assert watch.value("SELECT count(*) FROM ledger.entries") == 10


def test_the_same_key_from_16_callers_of_two_web_workers_makes_one_entry(
    books: Books, web: Web, watch: Watch
) -> None:
    owner = books.owner()
    body = win_body(books.now())
    callers = [web.caller() for _ in range(16)]
    for number in range(1, 11):
        answers = at_once(*(partial(each.win, owner, f"k{number}", body) for each in callers))
        assert count_of(a.status for a in answers) == {201: 1, 200: 15}
        assert {a.body["win"]["entry_id"] for a in answers} == {f"{owner}-{number}"}
        assert len({str(a.body["win"]) for a in answers}) == 1
        replayed = [a.headers.get("idempotent-replayed") for a in answers if a.status == 200]
        assert replayed == ["true"] * 15
        assert [a.headers.get("idempotent-replayed") for a in answers if a.status == 201] == [None]
    assert watch.value("SELECT count(*) FROM ledger.entries") == 10


def test_one_key_for_two_requests_is_one_entry_and_refusals(
    books: Books, posters: list[ledger.Poster], watch: Watch
) -> None:
    owner = books.owner()
    now = books.now()
    entries = [books.entry("win", owner, f"0.{n % 2 + 1}", at=now, key="k") for n in range(16)]
    outcomes = at_once(*(partial(posters[n % 4 // 2].post, e) for n, e in enumerate(entries)))
    assert count_of(o.status for o in outcomes) == {"posted": 1, "replayed": 7, "rejected": 8}
    assert {o.code for o in outcomes} == {None, "idempotency_key_reused"}
    assert watch.value("SELECT count(*) FROM ledger.entries") == 1


CLOSED = """
SELECT a.id, coalesce(t.debits, 0) AS debits, coalesce(t.credits, 0) AS credits
FROM ledger.accounts a LEFT JOIN ledger.closed_totals t ON t.account_id = a.id AND t.hour = :hour
ORDER BY a.id
"""
BOOKED = """
SELECT a.id, coalesce(sum(p.amount) FILTER (WHERE p.debit_account_id = a.id), 0) AS debits,
       coalesce(sum(p.amount) FILTER (WHERE p.credit_account_id = a.id), 0) AS credits
FROM ledger.accounts a
LEFT JOIN ledger.postings p ON p.booked_at < :end AND a.id IN (p.debit_account_id, p.credit_account_id)
GROUP BY a.id ORDER BY a.id
"""
WON_BY = """
SELECT count(*) AS entries, coalesce(sum(p.amount), 0) AS tokens
FROM ledger.postings p JOIN ledger.entries e ON e.owner_id = p.owner_id AND e.seq = p.seq
JOIN ledger.entry_kinds k ON k.id = e.kind_id AND k.code = 'win'
WHERE p.line = 1 AND p.booked_at >= :start AND p.booked_at < :end
"""


NOT_OVER = "DL002"


def close_when_over(engine: Engine, hour: datetime) -> None:
    """Close an hour as soon as the ledger says that it is over."""
    while True:
        try:
            with engine.connect() as connection:
                assert ledger.close_hour(connection, hour)
            return
        except DBAPIError as error:
            if not isinstance(error.orig, Error) or error.orig.pgcode != NOT_OVER:
                raise


def assert_closed_totals_are_whole(watch: Watch, hour: datetime) -> None:
    """What the closed hour says is the sum of what was booked up to its end."""
    assert watch.rows(CLOSED, hour=hour) == watch.rows(BOOKED, end=hour + HOUR)


def test_an_hour_that_closes_while_wins_arrive_has_all_of_its_own_and_none_of_the_next(
    books: Books, posters: list[ledger.Poster], engine: Engine, watch: Watch, soon: timedelta
) -> None:
    owners = [books.owner() for _ in range(16)]
    hour = books.now().replace(minute=0, second=0, microsecond=0)
    books.set_clock(hour + HOUR - soon)
    closed = threading.Event()
    counts: list[int] = []

    def play(number: int) -> int:
        """Post until some while after the hour was closed."""
        posted = after = 0
        while after < 5:
            entries = [books.entry("win", owner, "0.0001", at=hour) for owner in owners[number::8]]
            outcomes = (
                books.post(*entries)
                if number == 0
                else [posters[number % 2].post(entry) for entry in entries]
            )
            assert {outcome.status for outcome in outcomes} == {"posted"}
            posted += len(outcomes)
            after += closed.is_set()
        return posted

    def close() -> int:
        close_when_over(engine, hour)
        closed.set()
        return 0

    counts = at_once(*(partial(play, number) for number in range(8)), close)
    before, since = (
        watch.rows(WON_BY, start=hour + n * HOUR, end=hour + (n + 1) * HOUR)[0] for n in range(2)
    )
    assert before.entries + since.entries == sum(counts)
    assert before.entries > 20
    assert since.entries > 20
    assert_closed_totals_are_whole(watch, hour)

    converted = books.convert(hour)
    assert (converted.users, converted.tokens) == (16, before.tokens)
    books.next_hour()
    assert books.convert(hour + HOUR).tokens == since.tokens
    assert_closed_totals_are_whole(watch, hour + HOUR)


@pytest.mark.parametrize("ending", ["COMMIT", "ROLLBACK"])
def test_an_hour_is_not_closed_before_each_of_its_wins_has_ended(
    books: Books, engine: Engine, watch: Watch, ending: str
) -> None:
    owner, other = books.owner(), books.owner()
    books.win(other, "1")
    hour = books.now().replace(minute=0, second=0, microsecond=0)
    books.set_clock(hour + HOUR - timedelta(seconds=0.5))
    entry = books.entry("win", owner, "2", at=hour)
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        [outcome] = ledger.posting.post(cursor, [entry], WINDOW, wait=True)
        assert outcome.status == "posted"
        assert outcome.booked_at is not None
        assert outcome.booked_at < hour + HOUR
        eventually("the hour is over", lambda: books.now() >= hour + HOUR)

        closer = threading.Thread(target=close_when_over, args=(engine, hour))
        closer.start()
        waiting = "SELECT query FROM pg_stat_activity WHERE wait_event = 'advisory'"
        eventually("closing waits", lambda: "ledger.close_hour" in str(watch.value(waiting)))
        late = books.win(other, "1")  # the next hour is open to all meanwhile
        assert late == 2
        assert watch.value("SELECT count(*) FROM ledger.closed_hours") == 0
        connection.exec_driver_sql(ending)
        closer.join(30)
    assert not closer.is_alive()
    assert_closed_totals_are_whole(watch, hour)
    assert books.convert(hour).tokens == (3 if ending == "COMMIT" else 1) * TOKEN


POISON = """
ALTER TABLE ledger.entries ADD CONSTRAINT poison CHECK (reference IS DISTINCT FROM 'poison')
"""
MANY = 200
CULPRIT = 123


@pytest.fixture
def headers(app: Flask) -> dict[str, str]:
    with app.app_context():
        key = clients.create_key("games", list(clients.SCOPES))
    return {"Authorization": f"Bearer {key}"}


def assert_all_but_one(watch: Watch, owners: list[int]) -> None:
    """Each owner's win was booked once, but for the culprit's."""
    rows = watch.rows("SELECT owner_id, count(*) FROM ledger.entries GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in rows] == [
        (owner, 1) for n, owner in enumerate(owners) if n != CULPRIT
    ]


def test_one_poisonous_entry_among_200_in_the_group_commit_alone_fails(
    books: Books,
    app: Flask,
    watch: Watch,
    headers: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    owners = [books.owner() for _ in range(MANY)]
    now = books.now()
    watch.run(POISON)

    def request(number: int) -> Any:
        reference = "poison" if number == CULPRIT else "r"
        return app.test_client().post(
            f"/api/v1/users/{owners[number]}/wins",
            json=win_body(now, reference=reference),
            headers=headers | {"Idempotency-Key": "k"},
        )

    answers: list[Any] = [None] * MANY

    def ask(number: int) -> None:
        answers[number] = request(number)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(MANY)]
    with watch.hold(LOCK_RUNNING_HOUR) as held, caplog.at_level(logging.WARNING):
        threads[0].start()
        eventually("the first is on its way", held.blocked)
        poster = app.extensions["dreamland"].poster
        for thread in threads[1:]:
            thread.start()
        eventually("all others wait", lambda: poster._lanes[0].size() == MANY - 1)
        held.release()
        for thread in threads:
            thread.join(30)
    assert f"halving a batch of {MANY - 1} entries" in caplog.text
    assert count_of(answer.status_code for answer in answers) == {201: MANY - 1, 500: 1}
    assert answers[CULPRIT].json["code"] == "internal_error"
    assert_all_but_one(watch, owners)

    again = [request(n) for n in (0, CULPRIT, CULPRIT + 1)]
    assert [answer.status_code for answer in again] == [200, 500, 200]
    watch.run("ALTER TABLE ledger.entries DROP CONSTRAINT poison")
    assert request(CULPRIT).status_code == 201, "nothing of it was kept"
    assert watch.value("SELECT count(*) FROM ledger.entries") == MANY


def test_one_poisonous_item_among_200_in_a_batch_alone_fails(
    books: Books, app: Flask, watch: Watch, headers: dict[str, str]
) -> None:
    owners = [books.owner() for _ in range(MANY)]
    now = books.now()
    watch.run(POISON)
    items = [
        {"user_id": str(owner), "idempotency_key": "k"}
        | win_body(now, reference="poison" if n == CULPRIT else "r")
        for n, owner in enumerate(owners)
    ]
    for status in ("posted", "replayed"):
        answer = app.test_client().post("/api/v1/wins/batch", json={"wins": items}, headers=headers)
        assert answer.status_code == 200
        assert (answer.json[status], answer.json["rejected"]) == (MANY - 1, 1)
        for n, result in enumerate(answer.json["results"]):
            assert result["index"] == n
            if n == CULPRIT:
                assert result["status"] == "rejected"
                assert result["error"]["code"] == "internal_error"
            else:
                assert result["status"] == status
                assert result["win"]["entry_id"] == f"{owners[n]}-1"
        assert_all_but_one(watch, owners)


def test_two_posters_that_share_all_their_users_never_deadlock(
    books: Books, posters: list[ledger.Poster], engine: Engine, watch: Watch
) -> None:
    owners = [books.owner() for _ in range(20)]
    now = books.now()

    def play(number: int) -> None:
        for _ in range(10):
            mixed = owners[number:] + owners[:number]
            entries = [books.entry("win", owner, "0.001", at=now) for owner in mixed]
            if number % 3:
                assert {o.status for o in books.post(*entries)} == {"posted"}
            else:
                for entry in entries:
                    assert posters[number % 2].post(entry).status == "posted"

    at_once(*(partial(play, number) for number in range(8)))
    assert watch.value("SELECT count(*) FROM ledger.entries") == 8 * 10 * 20
    gaps = "SELECT count(*) FROM (SELECT owner_id FROM ledger.entries GROUP BY 1 HAVING max(seq) <> 80) x"
    assert watch.value(gaps) == 0
    with engine.connect() as connection:
        assert (
            connection.scalar(
                text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            )
            == 0
        )
