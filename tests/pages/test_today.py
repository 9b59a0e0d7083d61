"""Today's tokens: every win with what became of it, filtered by game, page by page, as CSV."""

import csv
import re
from html import unescape
from io import StringIO

import pytest
from flask import Flask

from tests.factories import Books, convert_due
from tests.pages.conftest import Browser, Person
from tests.pages.reading import words
from tests.pages.test_books import win


def rows(page: str) -> list[str]:
    """The words of each row of the table's body."""
    body = re.search(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    return [words(row).strip() for row in body.group(1).split("</tr>")[:-1]] if body else []


@pytest.fixture
def owner(ida: Person) -> int:
    assert ida.user_id
    return ida.user_id


def test_each_win_has_its_game_amount_state_and_the_total_with_it(
    browser: Browser, owner: int, books: Books, app: Flask
) -> None:
    win(books, owner, "1", "maze")
    with app.app_context():
        books.next_hour()
        convert_due()
    books.reverse(owner, win(books, owner, "0.5", "gems"))
    win(books, owner, "0.25", "maze")
    page = browser.get("/today").text
    if len(rows(page)) == 2:
        return  # the hour that ended was the day's last one
    newest, gone, first = rows(page)
    assert re.search(r"maze \+0\.25 running hour 1\.25$", newest)
    assert re.search(r"gems 0\.50 taken back 1\.00$", gone)
    assert re.search(r"maze \+1\.00 converted 1\.00$", first)
    assert page.count('<tr class="now">') == 1


def test_the_games_of_the_day_are_links_that_filter(
    browser: Browser, owner: int, books: Books
) -> None:
    for amount, game in (("0.1", "maze"), ("0.2", "a & b"), ("0.3", "maze")):
        win(books, owner, amount, game)
    page = browser.get("/today").text
    links = {unescape(href) for href in re.findall(r'href="(/today\?game=[^"]+)"', page)}
    assert links >= {"/today?game=maze", "/today?game=a+%26+b"}
    assert len(rows(page)) == 3
    filtered = browser.get("/today?game=a+%26+b").text
    assert [re.sub(r"^\S+ ", "", row) for row in rows(filtered)] == [
        "a & b +0.20 running hour 0.30"
    ]
    assert 'aria-current="true"' in filtered
    assert "Nothing was won in chess today" in words(browser.get("/today?game=chess").text)


def test_older_wins_are_a_link_away(browser: Browser, owner: int, books: Books) -> None:
    now = books.now()
    books.post(*(books.entry("win", owner, f"0.01{n:03}", at=now) for n in range(120)))
    seen: list[str] = []
    address: str | None = "/today"
    pages = 0
    while address:
        page = browser.get(address).text
        pages += 1
        seen += re.findall(r"\+(0\.\d+)", page)
        older = re.search(r'href="(/today\?before=\d+)"', page)
        address = older.group(1) if older else None
    assert pages == 3
    assert seen == [f"0.01{n:03}".rstrip("0").ljust(4, "0") for n in reversed(range(120))]
    assert len(browser.get("/today.csv").text.splitlines()) == 121


def test_the_csv_has_all_of_them_to_the_last_decimal(
    browser: Browser, owner: int, books: Books
) -> None:
    win(books, owner, "0.000000000000000001", "maze")
    back = win(books, owner, "1", "=2+3", "@cmd")
    books.reverse(owner, back)
    answer = browser.get("/today.csv")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    taken, dust = csv.DictReader(StringIO(answer.text))
    assert (dust["amount"], dust["running_total"]) == ("0.000000000000000001",) * 2
    assert (taken["game"], taken["reference"], taken["state"]) == ("'=2+3", "'@cmd", "reversed")
    assert taken["entry_id"] == f"{owner}-{back}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", dust["booked_at"])
    filtered = browser.get("/today.csv?game=maze").text
    assert len(filtered.splitlines()) == 2
