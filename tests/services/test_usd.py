"""USD for the pages: ranges that tie to the balance, days by the hour, monthly statements."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import URL, Engine, text

from portal.ledger.errors import NotFound
from portal.services import usd
from tests.factories import Books, start_of_hour

pytestmark = pytest.mark.usefixtures("context")
YEARS = count(2028)
TOKEN = 10**18


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture
def year() -> int:
    """A year of the test's own: the clock only goes forward."""
    return next(YEARS)


Earn = Callable[[int, datetime, str], None]

SKIP = """
INSERT INTO ledger.closed_hours VALUES (CAST(:hour AS timestamptz) - interval '1 hour', now())
ON CONFLICT DO NOTHING
"""


@pytest.fixture
def earn(books: Books, owner_engine: Engine) -> Earn:
    """Has an owner win at a time, and converts that hour alone: the hours before are closed unread."""

    def at(owner: int, moment: datetime, amount: str) -> None:
        with owner_engine.begin() as connection:
            connection.execute(text(SKIP), {"hour": start_of_hour(moment)})
        books.set_clock(moment)
        books.win(owner, amount)
        books.convert(books.next_hour())

    return at


@pytest.fixture
def some_months(books: Books, year: int, earn: Earn) -> int:
    """0.15 USD on 30 January, 0.3 on 2 February, 0.45 on 3 March, in UTC."""
    books.set_clock(datetime(year, 1, 30, 9, tzinfo=UTC))
    owner = books.owner()
    for month, day in ((1, 30), (2, 2), (3, 3)):
        earn(owner, datetime(year, month, day, 10, 5, tzinfo=UTC), str(month))
    return owner


def test_a_range_ties_to_the_balance(year: int, some_months: int) -> None:
    owner = some_months
    found = usd.of_range(owner, date(year, 2, 1), date(year, 2, 28))
    moved = found.figures
    said = (moved.opening, moved.came_in, moved.went_out, moved.closing, moved.since, moved.balance)
    assert [figure * 100 // TOKEN for figure in said] == [15, 30, 0, 45, 45, 90]
    assert sum(day.amount for day in found.days) == moved.came_in - moved.went_out
    assert [(day.day, day.tokens) for day in found.days] == [(date(year, 2, 2), 2 * TOKEN)]


def test_without_days_a_range_is_the_running_month(year: int, some_months: int) -> None:
    owner = some_months
    found = usd.of_range(owner, None, None)
    assert (found.first, found.last) == (date(year, 3, 1), date(year, 3, 3))
    assert found.figures.closing == found.figures.balance


def test_who_has_no_usd_has_a_range_of_nothing(books: Books) -> None:
    found = usd.of_range(books.owner(), None, None)
    assert found.days == []
    assert found.figures == usd.NOTHING


def test_the_hours_of_a_day_add_up_to_it(books: Books, year: int, earn: Earn) -> None:
    books.set_clock(datetime(year, 1, 30, 10, 5, tzinfo=UTC))
    owner = books.owner("Asia/Kolkata")
    for hour in (17, 18, 19):  # it is the next day there once 18:30 is over
        earn(owner, datetime(year, 1, 30, hour, 10, tzinfo=UTC), "1")
    first, second = (usd.of_day(owner, date(year, 1, day)) for day in (30, 31))
    assert [hour.hour.hour for hour in first.hours] == [17]
    assert [hour.hour.hour for hour in second.hours] == [19, 18]
    for day in (first, second):
        assert day.sums.amount == sum(hour.usd for hour in day.hours) > 0
        assert day.other == 0


def test_a_statement_has_the_days_and_every_wallet_of_the_month(
    books: Books, year: int, some_months: int
) -> None:
    owner = some_months
    books.top_up(owner, "GOLD_COIN", "100")
    books.capture(owner, books.hold(owner, "GOLD_COIN", "40"), "GOLD_COIN", "30")
    books.hold(owner, "GOLD_COIN", "5")
    found = usd.statement(owner, date(year, 3, 1))
    assert found
    assert found.is_running
    assert [(d.day, d.won, d.converted, d.usd) for d in found.days] == [
        (date(year, 3, 3), 3 * TOKEN, 3 * TOKEN, 45 * TOKEN // 100)
    ]
    coins = found.wallets[-1]
    said = (coins.asset, coins.opening, coins.came_in, coins.went_out, coins.closing, coins.held)
    assert said == ("GOLD_COIN", 0, 100, 30, 70, 5)
    assert found.usd.opening + found.usd.came_in == found.usd.closing


def test_statements_of_months_follow_from_each_other(some_months: int) -> None:
    owner = some_months
    months = usd.months(owner)
    assert [m.month.month for m in months] == [3, 2, 1]
    closing = 0
    for month in reversed(months):
        found = usd.statement(owner, month.month)
        assert found
        assert found.usd.opening == closing
        assert month.usd == found.usd.came_in - found.usd.went_out
        closing = found.usd.closing
    assert closing == 90 * TOKEN // 100


def test_a_month_that_has_not_begun_has_no_statement(year: int, some_months: int) -> None:
    owner = some_months
    assert usd.statement(owner, date(year, 4, 1)) is None
    before = usd.statement(owner, date(year - 1, 12, 1))
    assert before
    assert not before.is_running
    assert (before.days, before.usd.closing) == ([], 0)
    assert before.last == date(year, 1, 1) - timedelta(days=1)


def test_an_unknown_user_has_neither() -> None:
    for read in (usd.of_range, lambda user, *_: usd.statement(user, date(2026, 1, 1))):
        with pytest.raises(NotFound):
            read(2**62, None, None)  # type: ignore[operator]
