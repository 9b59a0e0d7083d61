"""An entry as finance sees it: all postings, both clocks, who asked, what it belongs to, the ones beside it."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import text

from portal.ledger.idempotency import key_hash
from portal.services import clients, users, wins
from tests.factories import Books, convert_due
from tests.pages.conftest import Browser, Person
from tests.pages.reading import words

pytestmark = pytest.mark.usefixtures("viewer")


@pytest.fixture
def ida(app: Flask) -> int:
    with app.app_context():
        return users.create("player-77", "Ida Falk", "Pacific/Kiritimati")[0].id


def said(browser: Browser, entry_id: str) -> str:
    answer = browser.get(f"/entries/{entry_id}")
    assert answer.status_code == 200
    return words(answer.text)


def test_a_win_has_all_that_the_books_keep_of_it(
    browser: Browser, viewer: Person, books: Books, app: Flask, ida: int
) -> None:
    at = datetime(2030, 1, 1, 11, 30, 0, 123_456, UTC)
    books.set_clock(at)
    browser.enter(viewer, second_factor=True)
    with app.app_context():
        arcade = clients.named("arcade")
        wins.book(arcade, wins.WinRequest(ida, "k-1", 15 * 10**17, at, "maze", "round-1"))
    page = browser.get(f"/entries/{ida}-1").text
    told = words(page)
    assert "Occurred" in told
    assert "2030-01-01 11:30:00.123456 UTC" in told
    assert "Accounting date Tue 1 Jan 2030 (UTC)" in told
    assert "User's day Wed 2 Jan 2030 (Pacific/Kiritimati)" in told
    assert "Client arcade" in told
    assert "Game maze" in told
    assert "Reference round-1" in told
    assert f'title="{key_hash(arcade, "k-1")}"' in page
    assert re.search(r"Request's hash [0-9a-f]{12}…", told)
    assert "TOKENS_INVENTORY DREAM 1.50 1.50 TOKENS_EARNED DREAM 1.50 1.50" in told
    assert "FEE_ISSUANCE FEES" in told
    assert told.count("debits equal credits") == 2
    assert f'href="/users/{ida}/days/2030-01-02"' in page
    assert f'<a href="/users/{ida}">Ida Falk</a>' in page


def test_links_lead_to_what_it_belongs_to(browser: Browser, books: Books, ida: int) -> None:
    books.top_up(ida, "GOLD_COIN", "100")
    held = books.hold(ida, "GOLD_COIN", "30")
    captured = books.capture(ida, held, "GOLD_COIN", "20")
    spent = books.spend(ida, "GOLD_COIN", "7")
    back = books.reverse(ida, spent, "GOLD_COIN")
    assert f"Ended by {ida}-{captured}" in said(browser, f"{ida}-{held}")
    assert f"Ends the hold {ida}-{held}" in said(browser, f"{ida}-{captured}")
    assert f"Reversed by {ida}-{back}" in said(browser, f"{ida}-{spent}")
    assert f"Reverses {ida}-{spent}" in said(browser, f"{ida}-{back}")
    of_capture = said(browser, f"{ida}-{captured}")
    assert "REVENUE GOLD_COIN 20 — 80 HELD GOLD_COIN 20 10" in of_capture
    assert "debits equal credits 30 30" in of_capture
    file = browser.get(f"/entries/{ida}-{captured}/postings.csv").text.split("\r\n")
    assert file[-3:] == [
        f"{ida}-{captured},1,GOLD_COIN,GOLD_COIN,REVENUE,HELD,20,,10,80,",
        f"{ida}-{captured},2,GOLD_COIN,GOLD_COIN,INVENTORY,HELD,10,80,0,80,",
        "",
    ]


def test_the_entries_beside_it_are_one_step_away(browser: Browser, books: Books, ida: int) -> None:
    for _ in range(3):
        books.bonus(ida, "DIAMOND", "1")
    beside = [
        re.findall(
            rf'rel="(\w+)" href="/entries/{ida}-(\d)"', browser.get(f"/entries/{ida}-{seq}").text
        )
        for seq in (1, 2, 3)
    ]
    assert beside == [[("next", "2")], [("prev", "1"), ("next", "3")], [("prev", "2")]]


def test_a_conversion_names_its_hour(browser: Browser, books: Books, app: Flask, ida: int) -> None:
    books.win(ida, "2")
    hour = books.next_hour()
    with app.app_context():
        convert_due()
    told = said(browser, f"{ida}-2")
    assert f"Hour {hour:%Y-%m-%d %H}:00:00.000000 UTC" in told
    assert "Rate 0.15 USD for a token" in told
    assert "Client Dreamland" in told
    assert told.count("debits equal credits") == 3


def test_an_entry_of_the_companys_own_is_nobodys(browser: Browser, books: Books) -> None:
    settled = replace(books.entry("fee_settlement", 0, "0.5", asset="USD"), ledger_id=3)
    assert books.post(settled)[0].status == "posted"
    told = said(browser, "0-1")
    assert "User none: the company's own" in told
    assert "FEES_PAYABLE FEES 0.50" in told
    assert browser.get("/search?q=0-1").location == "/entries/0-1"


def test_there_is_no_page_of_an_entry_that_is_none(browser: Browser, ida: int) -> None:
    for entry_id in (
        f"{ida}-1",
        "x",
        "1",
        "1-",
        "-1",
        "01-1",
        "1-0",
        "9" * 20 + "-1",
        "1-1-1",
        "٣-١",
    ):
        for address in (f"/entries/{entry_id}", f"/entries/{entry_id}/postings.csv"):
            assert browser.get(address).status_code == 404, address


def test_a_day_of_the_users_and_one_of_finance_may_differ(
    browser: Browser, viewer: Person, books: Books, ida: int
) -> None:
    books.set_clock(datetime(2030, 1, 1, 23, 30, tzinfo=UTC))
    browser.enter(viewer, second_factor=True)
    books.bonus(ida, "DIAMOND", "1")
    with books.engine.connect() as connection:
        found = text("SELECT day, accounting_date FROM ledger.entries WHERE owner_id = :ida")
        days = tuple(connection.execute(found, {"ida": ida}).one())
    assert days == (date(2030, 1, 2), date(2030, 1, 1))
    told = said(browser, f"{ida}-1")
    assert "User's day Wed 2 Jan 2030" in told
    assert "Accounting date Tue 1 Jan 2030" in told
