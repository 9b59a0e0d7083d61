"""USD by day: ranges and their errors, what ties them to the balance, the hours of a day, CSV."""

import csv
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from flask import Flask

from tests.factories import Books, convert_due
from tests.pages.conftest import Browser, Person
from tests.pages.reading import words

DAY = datetime(2027, 3, 30, 9, 5, tzinfo=UTC)


@pytest.fixture
def some_days(browser: Browser, ida: Person, books: Books, app: Flask) -> int:
    """0.15 USD on 30 March 2027, 0.30 on 31 March in two hours, 0.45 on 1 April, today."""
    owner = ida.user_id
    assert owner
    wins = ((0, "1"), (24, "0.5"), (25, "1.5"), (48, "3"))
    books.set_clock(DAY)
    for hours, amount in wins:
        books.set_clock(DAY + timedelta(hours=hours))
        books.win(owner, amount)
    books.next_hour()
    with app.app_context():
        convert_due()
    browser.enter(ida)  # months have passed: the session had ended
    return owner


Get = Callable[[str], str]


@pytest.fixture
def get(browser: Browser, some_days: int) -> Get:
    """The words of a page of who has those days."""
    assert some_days
    return lambda address: words(browser.get(address).text)


def test_the_running_month_is_shown_first_and_ties_to_the_balance(get: Get) -> None:
    said = get("/usd")
    assert "Thu 1 Apr 2027 to Thu 1 Apr 2027" in said
    assert "Balance before 0.45 Earned in these days +0.45 Balance after 0.90" in said
    assert "Balance now 0.90 USD" in said


def test_a_range_of_the_past_says_what_came_since(get: Get) -> None:
    said = get("/usd?first=2027-03-31&last=2027-03-31")
    assert (
        "Balance before 0.15 Earned in these days +0.30 Balance after 0.45 Since then +0.45"
        " Balance now 0.90 USD" in said
    )
    assert "Wed 31 Mar 2027 2.00 0.30" in said


def test_a_first_day_alone_and_a_last_day_alone_are_ranges(get: Get) -> None:
    assert "Tue 30 Mar 2027 to" in get("/usd?first=2027-03-30")
    assert "Mon 1 Mar 2027 to Tue 30 Mar 2027" in get("/usd?last=2027-03-30")


def test_days_without_usd_say_what_to_do(get: Get) -> None:
    assert "No USD came in these days." in get("/usd?first=2026-01-01&last=2026-01-31")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("first=2027-04-02&last=2027-04-01", "The last day must not lie before the first."),
        ("first=2025-01-01&last=2027-04-01", "Choose at most 366 days"),
        ("first=tomorrow", "Enter a day, such as 2026-11-21."),
        ("last=2027-02-30", "Enter a day, such as 2026-11-21."),
        ("first=0001-01-01", "Enter a day of the years 2000 to 2199."),
        ("last=9999-12-31", "Enter a day of the years 2000 to 2199."),
        ("first=%00", "Enter a day, such as 2026-11-21."),
    ],
)
def test_a_range_that_is_none_says_so_beside_the_field(
    browser: Browser, some_days: int, query: str, sentence: str
) -> None:
    assert some_days
    for ask in (browser.get, browser.fragment):
        answer = ask(f"/usd?{query}")
        assert answer.status_code == 422
        assert sentence in answer.text
        assert 'aria-invalid="true"' in answer.text
    kept = query.partition("&")[0].partition("=")[2]
    assert kept == "%00" or f'value="{kept}"' in browser.get(f"/usd?{query}").text
    assert browser.get(f"/usd.csv?{query}").status_code == (200 if "2025" in query else 303)


def test_a_day_opens_to_its_hours_in_place_and_on_a_page_of_its_own(
    browser: Browser, some_days: int
) -> None:
    assert some_days
    part = browser.fragment("/usd/2027-03-31").text
    assert part.strip().startswith('<tbody id="day-2027-03-31">')
    assert re.search(r"10:00 1\.50 0\.22500?… ?at 0\.15|10:00 1\.50 0\.225 at 0\.15", words(part))
    assert "09:00 0.50 0.075 at 0.15" in words(part)
    assert 'aria-expanded="true"' in part
    closed = browser.fragment("/usd/2027-03-31?closed=1").text
    assert "at 0.15" not in closed
    assert 'aria-expanded="false"' in closed
    page = words(browser.get("/usd/2027-03-31").text)
    assert "10:00 0.15 1.50 0.225 09:00 0.15 0.50 0.075 The whole day 2.00 0.30" in page
    assert "Nothing was converted on this day." in words(browser.get("/usd/2027-03-29").text)


def test_the_csv_has_the_days_of_the_range_or_all(browser: Browser, some_days: int) -> None:
    assert some_days
    every = list(csv.DictReader(StringIO(browser.get("/usd.csv").text)))
    assert [tuple(row.values()) for row in every] == [
        ("2027-04-01", "3", "0.45", "1"),
        ("2027-03-31", "2", "0.3", "2"),
        ("2027-03-30", "1", "0.15", "1"),
    ]
    one = browser.get("/usd.csv?first=2027-03-31&last=2027-03-31").text
    assert list(csv.DictReader(StringIO(one))) == [every[1]]


def test_statements_follow_from_each_other(browser: Browser, some_days: int) -> None:
    assert some_days
    months = words(browser.get("/statements").text)
    assert "April 2027 3.00 3.00 0.45 March 2027 3.00 3.00 0.45" in months
    march = words(browser.get("/statements/2027-03").text)
    april = words(browser.get("/statements/2027-04").text)
    assert "USD 0.00 0.45 0.00 0.45" in march
    assert "USD 0.45 0.45 0.00 0.90" in april
    assert "Tue 30 Mar 2027 1.00 1.00 0.15 Wed 31 Mar 2027 2.00 2.00 0.30" in march
    assert "The month 3.00 3.00 0.45" in march
    assert "The month is not over" in april
    assert "The month is not over" not in march
    assert browser.get("/statements/2027-05").status_code == 404
    assert "Nothing was ever in any wallet" not in browser.get("/statements/2026-01").text
