"""Whose day it is: the cap by local date, through clock changes, the date line and moves.

The tests share a database and walk forward through the years: each has a year of its own.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from random import Random
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import URL, Engine, text
from sqlalchemy.exc import DBAPIError

from portal.ledger.posting import UNBOUNDED, Window
from tests.factories import WINDOW, Books
from tests.ledger.frozen import freeze
from tests.ledger.model import local_day

YEARS = count(2027)
SECOND, MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)
ZONES = (
    *("UTC", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago"),
    *("Europe/Berlin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe"),
    *("America/Havana", "Pacific/Chatham", "Africa/Cairo", "America/Sao_Paulo", "Europe/Dublin"),
)


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture
def year() -> Iterator[int]:
    """A year that no other test has been in: the clock only goes forward."""
    return next(YEARS)


def last_sunday(year: int, month: int) -> date:
    """Of a month with 31 days."""
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def utc(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour)


def outcome(books: Books, owner: int, amount: str, at: datetime, window: Window = WINDOW) -> object:
    found = books.post(books.entry("win", owner, amount, at=at), window=window)[0]
    return found.code or found.day


# --- The window


def test_a_win_is_taken_from_24_hours_back_to_60_seconds_ahead_both_included(
    books: Books, owner_engine: Engine, year: int
) -> None:
    now = datetime(year, 5, 4, 12, tzinfo=UTC)
    freeze(owner_engine, now)
    owner = books.owner()
    back, ahead = timedelta(hours=24), timedelta(seconds=60)
    refused = "occurred_at_out_of_range"
    assert outcome(books, owner, "0.1", now - back) == date(year, 5, 3)
    assert outcome(books, owner, "0.1", now - back - MICROSECOND) == refused
    assert outcome(books, owner, "0.1", now + ahead) == date(year, 5, 4)
    assert outcome(books, owner, "0.1", now + ahead + MICROSECOND) == refused


def test_without_a_window_any_time_is_taken(books: Books, owner_engine: Engine, year: int) -> None:
    now = datetime(year, 5, 4, 12, tzinfo=UTC)
    freeze(owner_engine, now)
    owner = books.owner()
    assert outcome(books, owner, "1", datetime(1999, 1, 1, tzinfo=UTC), UNBOUNDED) == date(
        1999, 1, 1
    )


def test_a_win_a_little_ahead_may_be_tomorrows(
    books: Books, owner_engine: Engine, year: int
) -> None:
    freeze(owner_engine, datetime(year, 6, 1, 0, tzinfo=UTC))
    owner = books.owner("Etc/GMT-1")  # 01:00 there
    ahead = books.owner("Etc/GMT+0")
    midnight = datetime(year, 6, 1, 1, tzinfo=UTC)
    assert outcome(books, owner, "1", midnight - timedelta(hours=1)) == date(year, 6, 1)
    freeze(owner_engine, datetime(year, 6, 2, 0, tzinfo=UTC))
    eve = datetime(year, 6, 2, 0, tzinfo=UTC)
    assert outcome(books, ahead, "5", eve - SECOND) == date(year, 6, 1)
    assert outcome(books, ahead, "5", eve) == date(year, 6, 2)
    assert outcome(books, ahead, "1", eve + SECOND) == "daily_limit_exceeded"
    assert outcome(books, ahead, "1", eve - SECOND) == "daily_limit_exceeded"


def test_a_late_win_counts_on_the_day_it_happened(
    books: Books, owner_engine: Engine, year: int
) -> None:
    now = datetime(year, 7, 10, 9, tzinfo=UTC)
    freeze(owner_engine, now)
    owner = books.owner()
    yesterday = now - timedelta(hours=10)
    assert outcome(books, owner, "5", now) == date(year, 7, 10)
    assert outcome(books, owner, "4", yesterday) == date(year, 7, 9)
    assert outcome(books, owner, "1.000000000000000001", yesterday) == "daily_limit_exceeded"
    assert outcome(books, owner, "1", yesterday) == date(year, 7, 9)


# --- Clock changes


def test_the_long_day_of_autumn_has_one_cap(books: Books, owner_engine: Engine, year: int) -> None:
    day = last_sunday(year, 10)  # from the day before, 22:00 UTC, to its 23:00 UTC: 25 hours
    owner = books.owner("Europe/Berlin")
    freeze(owner_engine, utc(day, 22))
    assert outcome(books, owner, "1", utc(day, -2) - MICROSECOND) == "occurred_at_out_of_range"
    assert outcome(books, owner, "3", utc(day, -2)) == day
    assert outcome(books, owner, "1", utc(day, 0) + timedelta(minutes=30)) == day  # 02:30, once
    assert outcome(books, owner, "1", utc(day, 1) + timedelta(minutes=30)) == day  # 02:30, twice
    freeze(owner_engine, utc(day, 23))
    assert outcome(books, owner, "1", utc(day, 23) - MICROSECOND) == "daily_limit_exceeded"
    assert outcome(books, owner, "5", utc(day, 23)) == day + timedelta(1)


def test_the_short_day_of_spring_has_one_cap(books: Books, owner_engine: Engine, year: int) -> None:
    day = last_sunday(year, 3)  # from the day before, 23:00 UTC, to its 22:00 UTC: 23 hours
    owner = books.owner("Europe/Berlin")
    freeze(owner_engine, utc(day, 22))
    assert outcome(books, owner, "5", utc(day, -1) - MICROSECOND) == day - timedelta(1)
    assert outcome(books, owner, "5", utc(day, -1)) == day
    assert outcome(books, owner, "1", utc(day, 22) - MICROSECOND) == "daily_limit_exceeded"
    assert outcome(books, owner, "5", utc(day, 22)) == day + timedelta(1)


def test_one_instant_has_three_dates(books: Books, owner_engine: Engine, year: int) -> None:
    now = datetime(year, 3, 1, 11, tzinfo=UTC)
    freeze(owner_engine, now)
    at = now - timedelta(minutes=30)  # 10:30 UTC
    east, west = books.owner("Pacific/Kiritimati"), books.owner("Pacific/Pago_Pago")
    assert outcome(books, east, "5", at) == date(year, 3, 2)
    assert outcome(books, west, "5", at) == date(year, 3, 1) - timedelta(1)
    assert outcome(books, books.owner(), "5", at) == date(year, 3, 1)


@pytest.mark.parametrize("zone", ZONES)
def test_the_databases_dates_are_those_of_the_zone(books: Books, zone: str) -> None:
    rng = Random(zone)
    start = datetime(2020, 1, 1, tzinfo=UTC)
    moments = [start + timedelta(seconds=rng.randrange(20 * 365 * 86400)) for _ in range(2000)]
    for day in (last_sunday(2026, 3), last_sunday(2026, 10), date(2026, 11, 1), date(2026, 4, 24)):
        moments += [utc(day, 0) + timedelta(minutes=15 * n) for n in range(-200, 200)]
    owner = books.owner(zone)
    query = text(
        "SELECT d.day FROM unnest(CAST(:at AS timestamptz[])) WITH ORDINALITY a (at, n)"
        " CROSS JOIN LATERAL ledger.local_day(:owner, a.at) d ORDER BY a.n"
    )
    with books.engine.connect() as connection:
        days = connection.scalars(query, {"owner": owner, "at": moments}).all()
    assert days == [local_day(zone, at) for at in moments]


# --- Moves


def test_a_new_zone_holds_from_the_end_of_the_local_day(
    books: Books, owner_engine: Engine, year: int
) -> None:
    freeze(owner_engine, datetime(year, 2, 10, 12, tzinfo=UTC))
    owner = books.owner("Asia/Kolkata")
    start = books.change_zone(owner, "America/New_York")
    assert start == datetime(year, 2, 10, 18, 30, tzinfo=UTC)
    freeze(owner_engine, datetime(year, 2, 10, 19, tzinfo=UTC))
    assert outcome(books, owner, "5", start - MICROSECOND) == date(year, 2, 10)
    assert outcome(books, owner, "1", start) == "daily_limit_exceeded"  # the 10th in New York too
    assert outcome(books, owner, "1", start + timedelta(minutes=20)) == "daily_limit_exceeded"


def test_moving_over_the_date_line_opens_no_second_cap_for_a_date(
    books: Books, owner_engine: Engine, year: int
) -> None:
    """Westward a date comes twice: 49 hours of it in all, one cap."""
    freeze(owner_engine, datetime(year, 2, 10, 9, tzinfo=UTC))  # 23:00 on the 10th
    owner = books.owner("Pacific/Kiritimati")
    tenth = date(year, 2, 10)
    assert outcome(books, owner, "5", datetime(year, 2, 10, 8, tzinfo=UTC)) == tenth
    assert outcome(books, owner, "4", datetime(year, 2, 9, 9, 30, tzinfo=UTC)) == tenth - timedelta(
        1
    )
    start = books.change_zone(owner, "Pacific/Pago_Pago")
    assert start == datetime(year, 2, 10, 10, tzinfo=UTC)
    freeze(owner_engine, start + timedelta(hours=24))
    ninth_again = start + timedelta(minutes=59)
    assert outcome(books, owner, "1.1", ninth_again) == "daily_limit_exceeded"
    assert outcome(books, owner, "1", ninth_again) == tenth - timedelta(1)
    assert outcome(books, owner, "0.1", start + timedelta(hours=20)) == "daily_limit_exceeded"
    freeze(owner_engine, start + timedelta(hours=26))
    assert outcome(books, owner, "5", start + timedelta(hours=26)) == tenth + timedelta(1)


def test_a_zone_can_be_changed_once_in_thirty_days(
    books: Books, owner_engine: Engine, year: int
) -> None:
    now = datetime(year, 1, 15, 12, tzinfo=UTC)
    freeze(owner_engine, now)
    owner = books.owner()
    start = books.change_zone(owner, "Asia/Tokyo")
    assert books.change_zone(owner, "Asia/Tokyo") == start  # the same again is no other change
    for later in (now + timedelta(hours=1), start + timedelta(days=29, hours=23)):
        freeze(owner_engine, later)
        with pytest.raises(DBAPIError, match="time zone was changed"):
            books.change_zone(owner, "Europe/Berlin")
    freeze(owner_engine, start + timedelta(days=30))
    assert books.change_zone(owner, "Europe/Berlin") > start + timedelta(days=30)


def test_no_win_that_may_be_booked_already_changes_its_date_by_a_move(
    books: Books, owner_engine: Engine, year: int
) -> None:
    """One second before midnight a win may be of tomorrow: the move waits for tomorrow's end."""
    midnight = datetime(year, 4, 2, tzinfo=UTC)
    freeze(owner_engine, midnight - timedelta(hours=1))
    owner = books.owner("Etc/GMT-1")  # its midnight is now
    assert books.change_zone(owner, "Asia/Tokyo") == midnight + timedelta(hours=23)
    near = books.owner()
    with owner_engine.begin() as connection:  # 30 seconds before midnight
        connection.execute(
            text("UPDATE ledger.clock_shift SET shift = :at - clock_timestamp()"),
            {"at": midnight - timedelta(seconds=30)},
        )
    assert books.change_zone(near, "Asia/Tokyo") == midnight + timedelta(days=1)


@pytest.mark.parametrize("zone", ZONES)
def test_a_local_day_ends_with_the_first_instant_of_a_later_date(books: Books, zone: str) -> None:
    rng = Random(zone)
    owner = books.owner(zone)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    moments = [start + timedelta(minutes=rng.randrange(2 * 365 * 1440)) for _ in range(500)]
    with books.engine.connect() as connection:
        for at in moments:
            query = text("SELECT ledger.day_end(:owner, :at)")
            end = connection.execute(query, {"owner": owner, "at": at}).scalar_one()
            assert local_day(zone, end) > local_day(zone, at)
            # Where clocks go back at midnight, the later one of the two is taken.
            before = (
                end - MICROSECOND - (timedelta(hours=1) if is_repeated(zone, end) else timedelta(0))
            )
            assert local_day(zone, before) == local_day(zone, at)


def is_repeated(zone: str, at: datetime) -> bool:
    """Whether the clock there shows this time for the second time."""
    return bool(at.astimezone(ZoneInfo(zone)).fold)
