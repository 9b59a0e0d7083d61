"""The feed has every entry once and in order, whoever posts meanwhile and however long a commit takes."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from portal import ledger
from portal.ledger import events as feed_module
from portal.ledger.events import START, Feed, FeedEntry, Position
from portal.ledger.posting import post_isolating
from portal.services import conversions
from tests.concurrency.programs import eventually
from tests.concurrency.watch import Watch
from tests.concurrency.web import Web, win_body
from tests.factories import WINDOW, Books

HAMMER_S = 6.0
IDS = "SELECT owner_id, seq FROM ledger.entries"


@pytest.fixture
def feed(engine: Engine) -> Feed:
    return Feed(engine)


def ids(entries: list[FeedEntry]) -> list[tuple[int, int]]:
    return [(entry.owner_id, entry.seq) for entry in entries]


def read_all(feed: Feed, after: Position = START) -> list[FeedEntry]:
    found: list[FeedEntry] = []
    while page := feed.read(found[-1].position if found else after, 7):
        found += page
    return found


class Reader(threading.Thread):
    """Pages the feed until told to end, then as long as there is something."""

    def __init__(self, feed: Feed) -> None:
        super().__init__(daemon=True)
        self._feed = feed
        self.seen: list[FeedEntry] = []
        self.is_over = threading.Event()

    def run(self) -> None:
        while True:
            is_last = self.is_over.is_set()
            page = self._feed.read(self.seen[-1].position if self.seen else START, 50)
            self.seen += page
            if not page and is_last:
                return


@contextmanager
def uncommitted(engine: Engine, books: Books, owner: int) -> Iterator[Connection]:
    """A posting whose call has come back and whose transaction has not ended."""
    with engine.connect() as connection:
        entry = books.entry("bonus", owner, "1", asset="GOLD_COIN")
        connection.execute(text("SELECT 1"))  # so that it knows of the transaction
        cursor = connection.connection.cursor()
        [outcome] = post_isolating(cursor, [entry], WINDOW, wait=True)
        assert outcome.status == "posted"
        yield connection


def test_the_feed_ends_before_a_posting_that_is_not_committed_and_has_it_after(
    books: Books, engine: Engine, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "LONGEST_WAIT_S", 0.3)
    slow, quick = books.owner(), books.owner()
    books.bonus(quick, "GOLD_COIN", "1")
    assert ids(eventually("what is committed is there", lambda: read_all(feed))) == [(quick, 1)]
    with uncommitted(engine, books, slow) as connection:
        books.bonus(quick, "GOLD_COIN", "2")
        reached = read_all(feed)[-1].position
        assert ids(read_all(feed)) == [(quick, 1)]
        time.sleep(2 * feed_module.FRESH_S)
        assert feed.read(reached, 50) == []
        connection.commit()
    found = eventually("both are there", lambda: feed.read(reached, 50))
    assert ids(found) == [(slow, 1), (quick, 2)]


def test_a_posting_that_is_rolled_back_holds_the_feed_up_no_longer(
    books: Books, engine: Engine, feed: Feed
) -> None:
    slow, quick = books.owner(), books.owner()
    with uncommitted(engine, books, slow) as connection:
        books.bonus(quick, "GOLD_COIN", "2")
        connection.rollback()
    assert ids(eventually("the other is there", lambda: read_all(feed))) == [(quick, 1)]


def test_a_reader_waits_for_a_posting_that_is_about_to_be_committed(
    books: Books, engine: Engine, feed: Feed
) -> None:
    owner = books.owner()
    with uncommitted(engine, books, owner) as connection:
        threading.Timer(0.2, connection.commit).start()
        assert ids(feed.read(START, 50)) == [(owner, 1)]


def test_without_anything_settled_the_feed_is_empty_rather_than_wrong(
    books: Books, engine: Engine, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "LONGEST_WAIT_S", 0.05)
    books.bonus(books.owner(), "GOLD_COIN", "1")
    with uncommitted(engine, books, books.owner()):
        assert feed.read(START, 50) == []


def test_a_slow_posting_is_waited_for_once_however_many_readers_there_are(
    books: Books, engine: Engine, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each holds a connection meanwhile: one after the other, they would take all there are."""
    monkeypatch.setattr(feed_module, "LONGEST_WAIT_S", 2.0)
    slow, readers, ready = books.owner(), 8, threading.Barrier(8)

    def read(_: int) -> tuple[list[FeedEntry], float]:
        ready.wait()
        began = time.monotonic()
        return feed.read(START, 50), time.monotonic() - began

    with uncommitted(engine, books, slow) as connection, ThreadPoolExecutor(readers) as threads:
        first = list(threads.map(read, range(readers)))
        again = list(threads.map(read, range(readers)))
        assert [found for found, _ in first + again] == [[]] * 2 * readers
        assert sum(took_s > 1.5 for _, took_s in first) == 1
        assert max(took_s for _, took_s in first) < 3.5
        assert max(took_s for _, took_s in again) < 1.5
        connection.commit()
    assert ids(feed.read(START, 50)) == [(slow, 1)]


def test_a_page_before_what_is_settled_is_read_while_somebody_posts(
    books: Books, engine: Engine, feed: Feed
) -> None:
    """Else a single slow commit would cost everybody who is behind two seconds a page."""
    owner = books.owner()
    for _ in range(4):
        books.bonus(owner, "GOLD_COIN", "1")
    eventually("all are there", lambda: len(read_all(feed)) == 4)
    with uncommitted(engine, books, books.owner()):
        began = time.monotonic()
        assert len(feed.read(START, 3)) == 3
        assert time.monotonic() < began + feed_module.LONGEST_WAIT_S


def test_the_clock_never_falls_behind_what_a_reader_was_given(
    books: Books, engine: Engine, database: URL
) -> None:
    """The machine's clock steps back an hour, as far as the database can tell."""
    owner = create_engine(database, poolclass=NullPool)
    with ledger.autocommit(engine).connect() as connection:
        marked = connection.execute(text("SELECT ledger.mark()")).scalar_one()
        with owner.begin() as admin:
            admin.execute(text("UPDATE ledger.clock_shift SET shift = shift - interval '1 hour'"))
        assert ledger.now(connection) == marked
        assert connection.execute(text("SELECT ledger.mark()")).scalar_one() == marked
    user = books.owner()
    books.bonus(user, "GOLD_COIN", "1")
    with engine.connect() as connection:
        booked = connection.execute(text("SELECT booked_at FROM ledger.entries")).scalar_one()
    assert booked == marked
    owner.dispose()


def test_marks_side_by_side_never_lower_each_other(engine: Engine) -> None:
    marks: dict[int, list[datetime]] = {n: [datetime.min.replace(tzinfo=UTC)] for n in range(4)}

    def mark(number: int) -> None:
        with ledger.autocommit(engine).connect() as connection:
            for _ in range(50):
                seen = max(each[-1] for each in marks.values())
                marks[number].append(connection.execute(text("SELECT ledger.mark()")).scalar_one())
                assert marks[number][-1] >= seen

    threads = [threading.Thread(target=mark, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(each == sorted(each) for each in marks.values())
    assert sum(map(len, marks.values())) == 204


def test_a_page_costs_the_same_however_many_entries_there_are(books: Books, database: URL) -> None:
    """It is cut from the index, also while the tables are small."""
    books.bonus(books.owner(), "GOLD_COIN", "1")
    owner = create_engine(database, poolclass=NullPool)
    plan = "EXPLAIN " + feed_module.ENTRIES_AFTER
    known = {"booked_at": START.booked_at, "owner_id": -1, "seq": 0, "limit": 200}
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text(
                "INSERT INTO ledger.entries (owner_id, seq, kind_id, client_id, key_hash, request_hash,"
                " occurred_at, booked_at, day, accounting_date)"
                " SELECT n % 1000, 1000 + n, 4, 1, gen_random_uuid(), sha256('x'), at, at, at::date, at::date"
                " FROM generate_series(1, 30000) n, LATERAL (SELECT timestamptz '2026-01-01' + n * interval '1 s' AS at) t"
            )
        )
        for before in ("2026-01-01 00:01Z", "2027-01-01Z"):
            lines = connection.execute(text(plan), known | {"before": before}).scalars().all()
            assert any("entries_feed" in line for line in lines), lines
            assert not any("Seq Scan on entries" in line for line in lines), lines
    owner.dispose()


class Fire:
    """Batches, single wins over HTTP by two web workers, and conversions, for some seconds."""

    def __init__(self, app: Flask, books: Books, web: Web) -> None:
        self._app, self._books, self._web = app, books, web
        self._owners = [books.owner() for _ in range(12)]
        self._end = time.monotonic() + HAMMER_S
        books.win(self._owners[0], "0.1")

    def goes_on(self) -> bool:
        return time.monotonic() < self._end

    def batches(self) -> None:
        books = self._books
        while self.goes_on():
            books.post(
                *(books.entry("bonus", each, "1", asset="GOLD_COIN") for each in self._owners)
            )

    def calls(self) -> None:
        caller, at = self._web.caller(), self._books.now() + timedelta(seconds=30)
        numbers = count(1)
        while self.goes_on():
            user = self._owners[next(numbers) % len(self._owners)]
            assert caller.win(user, str(uuid4()), win_body(at, amount="0.00001")).status == 201

    def hours(self) -> None:
        def at_once(hour: datetime, number: int) -> None:
            conversions.convert_chunk(hour, number)

        with self._app.app_context():
            while self.goes_on():
                time.sleep(0.5)
                self._books.next_hour()
                conversions.convert_due(at_once)

    def burn(self) -> None:
        """Until it is over. Raises what any of them raised."""
        work = [self.batches, self.batches, *(self.calls for _ in range(6)), self.hours]
        with ThreadPoolExecutor(len(work)) as threads:
            for done in [threads.submit(each) for each in work]:
                done.result()


def test_under_fire_the_feed_has_every_entry_once_and_each_users_in_order(
    app: Flask, books: Books, engine: Engine, web: Web, watch: Watch
) -> None:
    readers = [Reader(Feed(engine)), Reader(Feed(engine))]
    for reader in readers:
        reader.start()
    Fire(app, books, web).burn()
    time.sleep(2 * feed_module.FRESH_S)
    for reader in readers:
        reader.is_over.set()
        reader.join()
        booked = {tuple(row) for row in watch.rows(IDS)}
        assert len(reader.seen) == len(booked) > 1000
        assert set(ids(reader.seen)) == booked
        last: dict[int, int] = defaultdict(int)
        for entry in reader.seen:
            assert entry.seq == last[entry.owner_id] + 1
            last[entry.owner_id] = entry.seq
    assert {entry.kind for entry in readers[0].seen} == {"win", "bonus", "conversion"}
