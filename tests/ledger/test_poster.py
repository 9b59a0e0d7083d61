"""Group commit: many threads, one batch; what is slow or poisonous stalls nobody else."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import URL, Engine, text

from portal.ledger.errors import Unavailable
from portal.ledger.poster import Poster
from portal.ledger.posting import Entry, Outcome
from tests.factories import WINDOW, Books, Breaking


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture
def poster(engine: Engine) -> Poster:
    return Poster(engine, WINDOW, batch_limit=50, queue_limit=500)


@contextmanager
def locked(owner_engine: Engine, owner: int) -> Iterator[None]:
    """The owner is busy elsewhere, as with a conversion's chunk."""
    with owner_engine.connect() as connection:
        lock = text("SELECT FROM ledger.owners WHERE owner_id = :o FOR UPDATE")
        connection.execute(lock, {"o": owner})
        yield


def at_once(poster: Poster, entries: list[Entry]) -> list[Outcome]:
    """Post each entry from a thread of its own, all at the same moment."""
    barrier = threading.Barrier(len(entries))

    def post(entry: Entry) -> Outcome:
        barrier.wait()
        return poster.post(entry)

    with ThreadPoolExecutor(len(entries)) as pool:
        return list(pool.map(post, entries))


def test_a_lone_entry_is_posted_at_once(poster: Poster, books: Books) -> None:
    owner = books.owner()
    poster.post(books.entry("win", owner, "0.1", at=books.now()))
    began = time.monotonic()
    assert poster.post(books.entry("win", owner, "0.1", at=books.now())).status == "posted"
    assert time.monotonic() - began < 1


def test_entries_of_many_threads_are_all_posted_and_committed(poster: Poster, books: Books) -> None:
    owners = [books.owner() for _ in range(8)]
    at = books.now()
    outcomes = at_once(
        poster, [books.entry("win", owners[n % 8], "0.01", at=at) for n in range(64)]
    )
    assert {outcome.status for outcome in outcomes} == {"posted"}
    with books.engine.connect() as connection:
        count = text("SELECT last_seq FROM ledger.owners WHERE owner_id = ANY(:o)")
        assert connection.scalars(count, {"o": owners}).all() == [8] * 8


def test_the_same_key_from_many_threads_posts_once(poster: Poster, books: Books) -> None:
    entry = books.entry("win", books.owner(), "1", at=books.now())
    statuses = [outcome.status for outcome in at_once(poster, [entry] * 16)]
    assert sorted(statuses) == ["posted", *["replayed"] * 15]


def test_racing_wins_stop_exactly_at_the_cap(poster: Poster, books: Books) -> None:
    owner = books.owner()
    at = books.now()
    outcomes = at_once(poster, [books.entry("win", owner, "0.7", at=at) for _ in range(24)])
    assert sum(outcome.status == "posted" for outcome in outcomes) == 7
    assert {o.code for o in outcomes if o.status != "posted"} == {"daily_limit_exceeded"}


def test_a_poisonous_entry_fails_alone_among_its_neighbours(poster: Poster, books: Books) -> None:
    at = books.now()
    entries = [books.entry("win", books.owner(), "1", at=at) for _ in range(30)]
    entries[13] = replace(entries[13], game="\x00")
    outcomes = at_once(poster, entries)
    assert [n for n, o in enumerate(outcomes) if o.status != "posted"] == [13]
    assert outcomes[13].code == "internal_error"


def test_an_owner_that_is_busy_elsewhere_stalls_nobody_else(
    poster: Poster, books: Books, owner_engine: Engine
) -> None:
    busy, free = books.owner(), books.owner()
    at = books.now()
    with ThreadPoolExecutor(1) as pool:
        with locked(owner_engine, busy):
            waiting = pool.submit(poster.post, books.entry("win", busy, "1", at=at))
            for _ in range(5):
                assert poster.post(books.entry("win", free, "0.1", at=at)).status == "posted"
            with pytest.raises(NotYet):
                waiting.result(timeout=0.1)
        assert waiting.result(timeout=10).status == "posted"


def test_a_full_queue_refuses_and_the_same_key_may_come_again(
    engine: Engine, books: Books, owner_engine: Engine
) -> None:
    owner = books.owner()
    poster = Poster(engine, WINDOW, batch_limit=1, queue_limit=1)
    entries = [books.entry("win", owner, "1", at=books.now()) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        with locked(owner_engine, owner):
            sent = []
            for entry in entries[:3]:
                sent.append(pool.submit(poster.post, entry))
                time.sleep(0.2)
            with pytest.raises(Unavailable):
                poster.post(entries[3])
        done = [future.exception(timeout=15) or future.result() for future in sent]
    assert [o.status for o in done if isinstance(o, Outcome)][:2] == ["posted", "posted"]
    assert poster.post(entries[3]).status == "posted"


def test_who_waits_too_long_is_told_and_finds_the_entry_later(
    poster: Poster, books: Books, owner_engine: Engine
) -> None:
    owner = books.owner()
    entry = books.entry("win", owner, "1", at=books.now())
    with locked(owner_engine, owner), pytest.raises(Unavailable, match="same key"):
        poster.post(entry, timeout_s=0.2)
    heads = text("SELECT last_seq FROM ledger.owners WHERE owner_id = :o")
    with owner_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.scalar(heads, {"o": owner}) == 0:
            time.sleep(0.01)
    assert poster.post(entry).status == "replayed"


def test_who_gave_up_is_forgotten_once_its_lock_was_waited_for(
    poster: Poster, books: Books, owner_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.ledger.poster.LONGEST_WAIT", "50ms")
    owner, free = books.owner(), books.owner()
    entry = books.entry("win", owner, "1", at=books.now())
    with locked(owner_engine, owner):
        with pytest.raises(Unavailable, match="same key"):
            poster.post(entry, timeout_s=0.5)
        time.sleep(0.5)
    assert poster.post(books.entry("win", free, "1", at=books.now())).status == "posted"
    assert poster.post(entry).status == "posted"


def test_a_lost_connection_is_told_and_made_again(
    poster: Poster, books: Books, owner_engine: Engine
) -> None:
    owner = books.owner()
    at = books.now()
    entries = [books.entry("win", owner, "0.1", at=at) for _ in range(3)]
    assert poster.post(entries[0]).status == "posted"
    kill = text(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'dreamland'"
    )
    with owner_engine.connect() as connection:
        connection.execute(kill)
    with pytest.raises(Unavailable):
        poster.post(entries[1])
    assert poster.post(entries[1]).status == "posted"
    assert poster.post(entries[2]).seq == 3


def test_a_dead_poster_is_not_ready_and_refuses(app: Flask, books: Books) -> None:
    """What kills a lane is a bug: here, something in its queue that is no entry."""
    poster = app.extensions["dreamland"].poster
    entry = books.entry("win", books.owner(), "1", at=books.now())
    assert poster.post(entry).status == "posted"
    client = app.test_client()
    assert client.get("/readyz").status_code == 200
    poster._lanes[0].put([Breaking()])
    poster._lanes[0]._thread.join(5)
    assert not poster.is_healthy()
    assert client.get("/readyz").json["poster"] == "failed"
    assert client.get("/readyz").status_code == 503
    with pytest.raises(Unavailable):
        poster.post(entry)
