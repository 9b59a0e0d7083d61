"""The ledger clock and the hours: forwards only, never inside a closed hour, whoever is slow."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from config import Settings
from portal import ledger
from portal.database import engine_options
from portal.ledger.clock import HOUR
from portal.ledger.errors import Refused, Unavailable
from portal.ledger.posting import UNBOUNDED, Entry, post
from portal.ledger.trial_balance import trial_balance_at
from tests.factories import Books, start_of_hour
from tests.ledger.frozen import freeze


def set_machine_back(owner_engine: Engine, by: timedelta) -> None:
    """As if the machine's own clock had been set back."""
    with owner_engine.begin() as connection:
        connection.execute(text("UPDATE ledger.clock_shift SET shift = shift - :by"), {"by": by})


@pytest.fixture
def room(books: Books) -> None:
    """The running hour does not end during the test."""
    if start_of_hour(books.now() + timedelta(minutes=2)) > start_of_hour(books.now()):
        books.next_hour()


def close(books: Books, hour: datetime) -> bool:
    with books.engine.connect() as connection:
        return ledger.close_hour(connection, hour)


@contextmanager
def under_way(engine: Engine, entry: Entry) -> Iterator[Connection]:
    """A posting that has not committed yet; the caller commits or rolls back."""
    with engine.connect() as connection:
        post(connection.connection.cursor(), [entry], UNBOUNDED, wait=True)
        yield connection


def test_the_clock_is_the_machines_until_it_is_moved(books: Books) -> None:
    assert abs(books.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert books.now() < books.now()
    with books.engine.connect() as connection:
        assert ledger.shift(connection) == timedelta(0)


def test_the_clock_moves_forwards_and_goes_on_from_there(books: Books) -> None:
    at = books.now() + timedelta(days=400)
    assert at <= books.set_clock(at) < at + timedelta(seconds=5)
    assert at < books.now() < at + timedelta(seconds=5)
    books.win(books.owner())


def test_the_clock_never_moves_backwards_once_something_is_booked(books: Books) -> None:
    books.set_clock(books.now() - timedelta(days=3))  # empty books: a seed starts days ago
    books.win(books.owner())
    before = books.now()
    for at in (before - timedelta(seconds=1), before - timedelta(days=3)):
        with pytest.raises(Refused, match="only moves forward") as refusal:
            books.set_clock(at)
        assert refusal.value.code == "clock_not_moved"
    assert books.now() > before


def test_the_clock_returns_to_the_machines_time_only_if_that_is_later(books: Books) -> None:
    books.set_clock(books.now() - timedelta(days=3))
    books.win(books.owner())
    with books.engine.begin() as connection:
        assert abs(ledger.set_clock(connection, None) - datetime.now(UTC)) < timedelta(seconds=5)
    books.set_clock(books.now() + timedelta(hours=5))
    with pytest.raises(Refused, match="only moves forward"), books.engine.begin() as connection:
        ledger.set_clock(connection, None)


def test_closed_hours_alone_keep_the_clock_from_going_back(books: Books) -> None:
    close(books, start_of_hour(books.now()) - HOUR)
    with pytest.raises(Refused, match="only moves forward"):
        books.set_clock(books.now() - timedelta(days=1))


def test_moving_the_clock_waits_for_the_posting_under_way(books: Books) -> None:
    owner = books.owner()
    entry = books.entry("win", owner, "1", at=books.now())
    with under_way(books.engine, entry) as connection, ThreadPoolExecutor(1) as pool:
        moved = pool.submit(books.set_clock, books.now() + timedelta(hours=3))
        with pytest.raises(NotYet):
            moved.result(timeout=0.3)
        connection.connection.commit()
        moved.result(timeout=5)
    books.win(owner)
    with books.engine.connect() as connection:
        times = connection.scalars(text("SELECT booked_at FROM ledger.entries ORDER BY seq")).all()
    assert times[1] - times[0] > timedelta(hours=2)


# --- A machine whose clock goes back


def test_an_owners_entries_never_go_back_in_time(books: Books, owner_engine: Engine) -> None:
    owner, other = books.owner(), books.owner()
    books.set_clock(books.now() + timedelta(minutes=20))
    at = books.now() - timedelta(minutes=30)
    first = books.post(books.entry("win", owner, "1", at=at))[0]
    set_machine_back(owner_engine, timedelta(minutes=20))
    second = books.post(books.entry("win", owner, "1", at=at))[0]
    assert second.booked_at == first.booked_at
    third = books.post(books.entry("win", other, "1", at=at))[0]
    assert third.booked_at
    assert third.booked_at < first.booked_at  # type: ignore[operator]


@pytest.mark.usefixtures("room")
def test_nothing_is_booked_in_a_closed_hour_whatever_the_machine_says(
    books: Books, owner_engine: Engine
) -> None:
    owner = books.owner()
    books.win(owner)
    hour = books.next_hour()
    close(books, hour)
    set_machine_back(owner_engine, timedelta(hours=7))
    outcome = books.post(books.entry("win", owner, "1", at=hour))[0]
    assert outcome.booked_at == hour + HOUR
    assert books.now() == hour + HOUR


# --- Closing hours


def test_an_hour_closes_once(books: Books) -> None:
    hour = start_of_hour(books.now()) - HOUR
    assert close(books, hour)
    assert not close(books, hour)
    assert not close(books, hour - HOUR)


@pytest.mark.usefixtures("room")
def test_an_hour_that_is_not_over_does_not_close(books: Books) -> None:
    now = start_of_hour(books.now())
    for hour in (
        now,
        now + HOUR,
        now - HOUR + timedelta(minutes=30),
        now - timedelta(microseconds=1),
    ):
        with pytest.raises(DBAPIError, match="is not over"):
            close(books, hour)


@pytest.mark.usefixtures("room")
def test_hours_close_in_order_from_the_first_that_was_booked_in(books: Books) -> None:
    first = start_of_hour(books.now())
    books.win(books.owner())
    books.set_clock(first + 3 * HOUR)
    with pytest.raises(DBAPIError, match="not the next"):
        close(books, first + HOUR)
    assert close(books, first)
    with pytest.raises(DBAPIError, match="not the next"):
        close(books, first + 2 * HOUR)
    assert close(books, first + HOUR)
    assert close(books, first + 2 * HOUR)


@pytest.mark.usefixtures("room")
def test_closing_an_hour_waits_for_the_posting_under_way_and_counts_it(
    books: Books, owner_engine: Engine
) -> None:
    owner = books.owner()
    hour = start_of_hour(books.now())
    entry = books.entry("win", owner, "1.5", at=books.now())
    with under_way(books.engine, entry) as connection, ThreadPoolExecutor(1) as pool:
        set_machine_back(owner_engine, -HOUR)  # an hour passes
        closing = pool.submit(close, books, hour)
        with pytest.raises(NotYet):
            closing.result(timeout=0.3)
        connection.connection.commit()
        assert closing.result(timeout=5)
    balance = trial_balance_at(books.engine, hour + HOUR)
    tokens = next(line for line in balance.lines if line.account == "TOKENS_INVENTORY")
    assert tokens.debits == 3 * 10**18 // 2


@pytest.mark.usefixtures("room")
def test_a_posting_of_the_next_hour_does_not_wait_for_a_closing_under_way(
    books: Books, owner_engine: Engine
) -> None:
    owner = books.owner()
    hour = start_of_hour(books.now())
    books.win(owner)
    set_machine_back(owner_engine, -HOUR)
    with books.engine.connect() as closing:
        closing.execute(text("SELECT ledger.close_hour(:hour)"), {"hour": hour})
        outcome = books.post(books.entry("win", owner, "1", at=hour))[0]
        assert outcome.booked_at
        assert outcome.booked_at >= hour + HOUR
        closing.commit()


# --- Limits on statements


def test_every_connection_of_the_app_is_bounded(engine: Engine) -> None:
    wanted = {
        "statement_timeout": "15s",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "1min",
        "TimeZone": "UTC",
        "role": "dreamland_app",
    }
    with engine.connect() as connection:
        found = {name: connection.scalar(text(f"SHOW {name}")) for name in wanted}
    assert found == wanted


def test_a_posting_that_must_wait_too_long_is_refused_and_can_be_sent_again(
    settings: Settings, books: Books
) -> None:
    owner = books.owner()
    entry = books.entry("win", owner, "1", at=books.now())
    options = engine_options(settings)
    limits = options["connect_args"]["options"].replace("15000", "2000")
    options["connect_args"] |= {"options": limits}
    hasty = Books(create_engine(settings.database_url, **options))
    with under_way(books.engine, books.entry("win", owner, "2", at=books.now())) as connection:
        with pytest.raises(Unavailable):
            hasty.post(entry)
        connection.connection.rollback()
    assert hasty.post(entry)[0].status == "posted"
    hasty.engine.dispose()


def test_the_frozen_clock_of_these_tests_stands_still(books: Books, owner_engine: Engine) -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    freeze(owner_engine, at)
    assert {books.now(), books.now()} == {at}
