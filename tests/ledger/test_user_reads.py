"""Reads of one user's books for finance: the entries of a local day, the newest days, all open holds."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from portal import ledger
from portal.ledger import DayOf
from tests.factories import Books, convert_due

MINUTE = timedelta(minutes=1)


def of_day(engine: Engine, owner: int, day: date, before: int | None = None) -> list[int]:
    with engine.connect() as connection:
        asked = DayOf(owner, day, MINUTE)
        return [each.seq for each in ledger.entries_of_day(connection, asked, before, 100)]


def test_the_entries_of_a_day_are_those_of_the_users_date(books: Books) -> None:
    """Kiritimati is 14 hours east: its second of January begins at 10 o'clock of the first in UTC."""
    owner = books.owner("Pacific/Kiritimati")
    books.set_clock(datetime(2030, 1, 1, 9, 58, tzinfo=UTC))
    midnight = datetime(2030, 1, 1, 10, tzinfo=UTC)
    books.win(owner, at=midnight - 3 * MINUTE)
    books.set_clock(midnight - timedelta(seconds=30))
    books.win(owner, "0.5", at=midnight)  # told ahead of its time
    books.bonus(owner, "DIAMOND", "1")
    books.set_clock(midnight + MINUTE)
    books.win(owner, "0.5", at=midnight - MINUTE)  # told late
    books.bonus(owner, "DIAMOND", "1")
    assert of_day(books.engine, owner, date(2030, 1, 1)) == [4, 3, 1]
    assert of_day(books.engine, owner, date(2030, 1, 2)) == [5, 2]
    assert of_day(books.engine, owner, date(2030, 1, 1), before=3) == [1]
    assert of_day(books.engine, owner, date(2030, 1, 3)) == []
    assert of_day(books.engine, books.owner(), date(2030, 1, 1)) == []


@pytest.mark.usefixtures("context")
def test_a_conversion_made_days_later_is_of_the_day_of_its_hour(books: Books) -> None:
    owner = books.owner()
    books.set_clock(datetime(2030, 1, 1, 9, 30, tzinfo=UTC))
    books.win(owner)
    books.set_clock(datetime(2030, 1, 5, 9, 30, tzinfo=UTC))
    books.bonus(owner, "DIAMOND", "1")
    convert_due()
    assert of_day(books.engine, owner, date(2030, 1, 1)) == [3, 1]
    assert of_day(books.engine, owner, date(2030, 1, 5)) == [2]


@pytest.mark.usefixtures("context")
def test_the_newest_days_are_those_of_the_statement(books: Books) -> None:
    owner = books.owner()
    for number in range(3):
        books.set_clock(datetime(2030, 1, 1 + 2 * number, 9, 30, tzinfo=UTC))
        books.win(owner, f"{number + 1}")
        books.next_hour()
        convert_due()
    with books.engine.connect() as connection:
        newest = ledger.newest_days(connection, owner, None, 10)
        assert [each.day.day for each in newest] == [5, 3, 1]
        of_statement = ledger.day_sums(connection, owner, date(2030, 1, 1), date(2030, 1, 31))
        assert newest == of_statement[::-1]
        assert ledger.newest_days(connection, owner, date(2030, 1, 5), 1) == [newest[1]]


def test_open_holds_of_all_wallets_are_told_and_none_that_ended(books: Books) -> None:
    owner = books.owner()
    books.top_up(owner, "GOLD_COIN", "100")
    books.bonus(owner, "LOYALTY_POINT", "5.25")
    gold = books.hold(owner, "GOLD_COIN", "30")
    points = books.hold(owner, "LOYALTY_POINT", "1.25")
    books.release(owner, books.hold(owner, "GOLD_COIN", "7"), "GOLD_COIN")
    with books.engine.connect() as connection:
        held = ledger.all_open_holds(connection, owner, None, 10)
        assert [(each.seq, each.asset, each.scale, each.amount) for each in held] == [
            (points, "LOYALTY_POINT", 2, 125),
            (gold, "GOLD_COIN", 0, 30),
        ]
        assert ledger.all_open_holds(connection, owner, None, 1) == held[:1]
        assert ledger.all_open_holds(connection, owner, points, 9) == held[1:]
