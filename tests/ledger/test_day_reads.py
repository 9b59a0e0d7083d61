"""Reads of a local day: its wins with their running total, its games, its conversions hour by hour."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text

from portal import ledger
from portal.ledger.days import HOURS, WINS
from portal.ledger.errors import NotFound
from portal.ledger.idempotency import key_hash
from portal.ledger.posting import UNBOUNDED
from tests.factories import WINDOW, Books, convert_due

TOKEN = 10**18
AHEAD = WINDOW.max_ahead
HALF = timedelta(minutes=30)


def win(books: Books, owner: int, amount: str, game: str, at: datetime | None = None) -> int:
    """Post a win in a game, at any time; its seq."""
    entry = books.entry("win", owner, amount, at=at or books.now())
    entry.game = game
    outcome = books.post(entry, window=UNBOUNDED)[0]
    assert outcome.seq is not None, outcome
    return outcome.seq


def wins(
    books: Books, owner: int, day: date, game: str | None = None, before: int | None = None
) -> list[ledger.DayWin]:
    with books.engine.connect() as connection:
        asked = ledger.DayOf(owner, day, AHEAD)
        return ledger.day_wins(connection, asked, game, before, 1000)


def today(books: Books, owner: int) -> ledger.Today:
    with books.engine.connect() as connection:
        return ledger.today(connection, owner)


@pytest.mark.usefixtures("context")
def test_the_running_total_counts_what_was_won_and_not_taken_back(books: Books) -> None:
    books.set_clock(datetime(2027, 1, 5, 10, 5, tzinfo=UTC))
    owner = books.owner("Asia/Kathmandu")
    first = win(books, owner, "1", "maze")
    books.next_hour()
    convert_due()
    second = win(books, owner, "0.5", "gems")
    third = win(books, owner, "0.25", "maze")
    back = books.reverse(owner, second)
    late = win(books, owner, "2", "maze", books.now() - timedelta(hours=3))
    day = today(books, owner)
    assert day.day == date(2027, 1, 5)
    listed = wins(books, owner, day.day)
    assert [(w.seq, w.total * 100 // TOKEN, w.reversed_seq, w.converted) for w in listed] == [
        (late, 325, None, False),
        (third, 125, None, False),
        (second, 100, back, False),
        (first, 100, None, True),
    ]
    assert listed[0].total == day.won == 325 * TOKEN // 100
    assert wins(books, owner, day.day, "maze") == [listed[0], listed[1], listed[3]]
    assert wins(books, owner, day.day, "nothing") == []
    with books.engine.connect() as connection:
        games = ledger.day_games(connection, ledger.DayOf(owner, day.day, AHEAD), 10)
    assert games == [ledger.DayGame("maze", 3, 325 * TOKEN // 100)]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_wins_of_a_day_in_pages_are_all_of_them(books: Books, size: int) -> None:
    owner, other = books.owner(), books.owner()
    for n in range(7):
        win(books, owner, "0.1", "maze" if n % 2 else "gems")
        win(books, other, "0.2", "maze")
    day = today(books, owner).day
    for game in (None, "maze"):
        whole = wins(books, owner, day, game)
        assert len(whole) == (3 if game else 7)
        pages: list[ledger.DayWin] = []
        with books.engine.connect() as connection:
            asked = ledger.DayOf(owner, day, AHEAD)
            while page := ledger.day_wins(
                connection, asked, game, pages[-1].seq if pages else None, size
            ):
                pages += page
        assert pages == whole


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        ("Europe/Berlin", "2027-10-30T22:00:00Z", "2027-10-31T22:59:59.999999Z"),
        ("America/Havana", "2027-11-07T04:00:00Z", "2027-11-08T04:59:59.999999Z"),
        ("Pacific/Kiritimati", "2027-10-30T10:00:00Z", "2027-10-31T09:59:59.999999Z"),
        ("Pacific/Pago_Pago", "2027-10-31T11:00:00Z", "2027-11-01T10:59:59.999999Z"),
    ],
)
def test_the_first_and_the_last_instant_of_a_day_are_of_it(
    books: Books, zone: str, first: str, last: str
) -> None:
    """Midnight comes twice in Havana: 00:30 before the clocks go back is of the day, too."""
    owner = books.owner(zone)
    begin, end = datetime.fromisoformat(first), datetime.fromisoformat(last)
    tick = timedelta(microseconds=1)
    day = begin.astimezone(ZoneInfo(zone)).date()
    books.set_clock(begin - timedelta(hours=1))
    win(books, owner, "0.1", "before", begin - tick)
    books.set_clock(begin - AHEAD)
    win(books, owner, "0.2", "ahead", begin)
    books.set_clock(begin + HALF)
    win(books, owner, "0.3", "half past")
    books.set_clock(end + timedelta(hours=40))
    win(books, owner, "0.4", "late", end)
    win(books, owner, "0.5", "after", end + tick)
    assert [w.game for w in wins(books, owner, day)] == ["late", "half past", "ahead"]


def test_the_day_of_who_moved_has_the_wins_of_both_zones(books: Books) -> None:
    books.set_clock(datetime(2028, 3, 1, 12, tzinfo=UTC))
    owner = books.owner("Asia/Tokyo")
    start = books.change_zone(owner, "Pacific/Honolulu")
    books.set_clock(start - timedelta(hours=2))
    win(books, owner, "1", "east")
    books.set_clock(start + timedelta(hours=2))
    win(books, owner, "1", "west")
    day = today(books, owner)
    assert day.time_zone == "Pacific/Honolulu"
    assert [w.game for w in wins(books, owner, day.day)] == ["west", "east"]
    assert day.won == 2 * TOKEN


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(
    ("zone", "start", "hours"),
    [
        ("Europe/Berlin", datetime(2027, 10, 30, 20, tzinfo=UTC), 25),
        ("Europe/Berlin", datetime(2027, 3, 27, 21, tzinfo=UTC), 23),
        ("Asia/Kathmandu", datetime(2027, 5, 1, 16, tzinfo=UTC), 24),
        ("Asia/Kolkata", datetime(2027, 5, 1, 16, tzinfo=UTC), 24),
        ("Australia/Lord_Howe", datetime(2027, 4, 3, 11, tzinfo=UTC), 24),
        ("Pacific/Kiritimati", datetime(2027, 5, 1, 8, tzinfo=UTC), 24),
        ("Pacific/Pago_Pago", datetime(2027, 5, 1, 9, tzinfo=UTC), 24),
    ],
)
def test_the_hours_of_a_day_are_its_conversions(
    books: Books, zone: str, start: datetime, hours: int
) -> None:
    """Each is of the local day of its last microsecond; whole days have 23 to 25 of them.

    On Lord Howe clocks go back by half an hour.
    """
    books.set_clock(start)
    owner, other = books.owner(zone), books.owner(zone)
    expected: dict[date, list[datetime]] = {}
    for _ in range(29):
        win(books, owner, "0.1", "maze", books.now())
        win(books, other, "0.05", "maze", books.now())
        hour = books.next_hour()
        ended = hour + ledger.HOUR - timedelta(microseconds=1)
        expected.setdefault(ended.astimezone(ZoneInfo(zone)).date(), []).insert(0, hour)
    convert_due()
    books.next_hour()
    days = sorted(expected)
    with books.engine.connect() as connection:
        for day in [days[0] - timedelta(days=1), *days, days[-1] + timedelta(days=1)]:
            found = ledger.day_hours(connection, owner, day)
            assert [x.hour for x in found] == expected.get(day, [])
            total = ledger.usd_total(connection, owner, day, day)
            assert sum(x.usd for x in found) == total
            assert all(x.usd == 15 * x.tokens // 100 == 15 * 10**15 for x in found)
            assert all(str(x.rate) == "0.150000000000000000" for x in found)
    assert hours in {len(of_day) for of_day in expected.values()}


@pytest.mark.usefixtures("context")
def test_an_hour_that_was_converted_late_is_still_of_its_day(books: Books) -> None:
    books.set_clock(datetime(2027, 6, 1, 9, 30, tzinfo=UTC))
    owner = books.owner()
    books.win(owner, "2")
    books.set_clock(datetime(2027, 6, 3, 12, tzinfo=UTC))
    convert_due()
    with books.engine.connect() as connection:
        (found,) = ledger.day_hours(connection, owner, date(2027, 6, 1))
        assert ledger.day_hours(connection, owner, date(2027, 6, 3)) == []
    assert found.hour == datetime(2027, 6, 1, 9, tzinfo=UTC)
    assert found.booked_at > datetime(2027, 6, 3, 12, tzinfo=UTC)
    assert (found.tokens, found.usd) == (2 * TOKEN, 3 * TOKEN // 10)


def test_the_next_conversion_is_at_the_end_of_the_running_hour(books: Books) -> None:
    owner = books.owner("Asia/Kathmandu")
    books.set_clock(datetime(2027, 6, 1, 9, 30, tzinfo=UTC))
    found = today(books, owner)
    assert found.next_conversion == datetime(2027, 6, 1, 10, tzinfo=UTC)
    assert (found.day, found.time_zone) == (date(2027, 6, 1), "Asia/Kathmandu")
    assert (found.won, found.remaining, found.limit) == (0, 5 * TOKEN, 5 * TOKEN)


def test_an_unknown_owner_has_no_day(books: Books) -> None:
    with pytest.raises(NotFound) as error:
        today(books, 2**62)
    assert error.value.code == "unknown_user"


def test_a_day_is_read_by_its_own_rows(books: Books, engine: Engine) -> None:
    """Wins from the wallet's index since the day began; hours by the keys of their entries."""
    known = {
        "owner_id": books.owner(),
        "day": date(2027, 1, 1),
        "ahead": AHEAD,
        "game": None,
        "seq": None,
        "limit": 50,
        "hours": [datetime(2027, 1, 1, tzinfo=UTC)],
        "keys": [key_hash(0, "conversion:2027-01-01T00:00:00Z")],
    }
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        of_wins = "\n".join(connection.scalars(text("EXPLAIN " + WINS), known))
        of_hours = "\n".join(connection.scalars(text("EXPLAIN " + HOURS), known))
    assert re.search(r"postings_wallet.*\n\s+Index Cond: .*booked_at >= ", of_wins), of_wins
    assert re.search(r"entries_key.*\n\s+Index Cond: .*key_hash = ", of_hours), of_hours
    assert "entries_pkey" in of_wins
