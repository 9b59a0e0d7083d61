"""Closed periods: a month whose books are closed takes no entry any more."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from portal import ledger
from portal.ledger.errors import Refused
from tests.factories import Books


def month_of(books: Books) -> date:
    return books.now().date().replace(day=1)


def close(books: Books, month: date, *, running: bool = False) -> bool:
    with books.engine.begin() as connection:
        return ledger.close_period(connection, month, running=running)


def test_a_month_that_is_over_is_closed_once_and_the_next_goes_on(books: Books) -> None:
    before = (month_of(books) - timedelta(days=1)).replace(day=1)
    assert close(books, before)
    assert not close(books, before)
    assert books.win(books.owner()) == 1


def test_a_month_that_runs_is_not_closed_by_mistake(books: Books) -> None:
    for month in (month_of(books), (month_of(books) + timedelta(days=40)).replace(day=1)):
        with pytest.raises(Refused, match="is not over"):
            close(books, month)
    with pytest.raises(Refused, match="is not over"):
        close(books, (month_of(books) + timedelta(days=40)).replace(day=1), running=True)
    assert books.win(books.owner()) == 1


def test_in_a_closed_month_nothing_is_booked_and_what_was_booked_replays(books: Books) -> None:
    owner = books.owner()
    first = books.entry("win", owner, "0.1", key="k")
    assert books.post(first)[0].status == "posted"
    assert close(books, month_of(books), running=True)
    again, other = books.post(first, books.entry("win", owner, "0.1", key="l"))
    assert (again.status, again.seq) == ("replayed", 1)
    assert (other.status, other.code) == ("rejected", "period_closed")
    [bonus] = books.post(books.entry("bonus", owner, "1", asset="GOLD_COIN"))
    assert (bonus.status, bonus.code) == ("rejected", "period_closed")


def test_when_the_next_month_has_begun_the_same_key_is_booked(books: Books) -> None:
    owner = books.owner()
    entry = books.entry("bonus", owner, "1", asset="GOLD_COIN", key="k")
    close(books, month_of(books), running=True)
    assert books.post(entry)[0].code == "period_closed"
    books.set_clock((books.now().replace(day=1) + timedelta(days=32)).replace(day=1))
    assert books.post(entry)[0].status == "posted"


def test_an_hour_of_a_closed_month_is_not_converted_by_halves(books: Books) -> None:
    owner = books.owner()
    books.win(owner, "1")
    hour = books.now().replace(minute=0, second=0, microsecond=0)
    books.next_hour()
    close(books, month_of(books), running=True)
    with pytest.raises(DBAPIError, match="the period is closed"):
        books.convert(hour)
    assert books.wallet(owner, "DREAM").balance == 10**18


def test_a_closed_month_stays_closed(books: Books, owner_engine: Engine) -> None:
    close(books, (month_of(books) - timedelta(days=1)).replace(day=1))
    for change in ("DELETE FROM", "TRUNCATE"):
        with owner_engine.connect() as owner, pytest.raises(DBAPIError, match="never changed"):
            owner.execute(text(f"{change} ledger.closed_periods"))
