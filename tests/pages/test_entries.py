"""Activity and its CSV; one event in plain words with its ledger lines; a wallet's history."""

import csv
import re
from dataclasses import replace
from io import StringIO

import pytest
from flask import Flask

from tests.factories import Books, convert_due
from tests.pages.conftest import Browser, Person
from tests.pages.reading import words
from tests.pages.test_books import win


@pytest.fixture
def owner(ida: Person) -> int:
    assert ida.user_id
    return ida.user_id


def test_each_event_is_told_in_plain_words(
    browser: Browser, owner: int, books: Books, app: Flask
) -> None:
    def said(seq: int) -> str:
        return words(browser.get(f"/entries/{owner}-{seq}").text)

    won = win(books, owner, "1.5", "maze", "round-7")
    with app.app_context():
        books.next_hour()
        convert_due()
    topped = books.top_up(owner, "GOLD_COIN", "100")
    held = books.hold(owner, "GOLD_COIN", "30")
    captured = books.capture(owner, held, "GOLD_COIN", "20")
    back = books.reverse(owner, books.spend(owner, "GOLD_COIN", "7"), "GOLD_COIN")
    assert "You won 1.50 DREAM in maze." in said(won)
    assert "1.50 DREAM became 0.225 USD , at 0.15 USD for a token." in said(won + 1)
    assert "You topped up 100 Gold Coins , paid by test." in said(topped)
    assert "Set aside for something to come: 30 Gold Coins" in said(held)
    assert "You spent 20 Gold Coins of the 30 Gold Coins set aside before; the rest" in said(
        captured
    )
    assert "An earlier event was taken back: 7 Gold Coins came back" in said(back)
    assert f"Takes back {owner}-{back - 1}" in said(back)
    assert f"Ended by {owner}-{captured}" in said(held)


def test_an_event_has_what_support_asks_for(browser: Browser, owner: int, books: Books) -> None:
    seq = win(books, owner, "0.123456789012345678", "maze", "round-7")
    page = browser.get(f"/entries/{owner}-{seq}").text
    said = words(page)
    assert "Exactly 0.123456789012345678 DREAM" in said
    assert "Reference round-7" in said
    assert "Asked for by client 1" in said
    assert "DREAM TOKENS_INVENTORY TOKENS_EARNED" + 3 * " 0.123456789012345678" in said
    assert "FEE" not in said
    assert page.count(" UTC)") == 2
    assert f'data-copy="{owner}-{seq}"' in page


def test_a_reference_that_names_markup_stays_in_the_line_of_its_account(
    browser: Browser, owner: int, books: Books
) -> None:
    """Account codes may be broken at underscores: nothing else of a line is markup."""
    top_up = books.entry("top_up", owner, "1", asset="DIAMOND", key="k")
    books.claim("<i>pay</i>", "p", owner, "k")
    posted = books.post(replace(top_up, provider="<i>pay</i>", reference="p"))[0]
    page = browser.get(f"/entries/{owner}-{posted.seq}").text
    assert "&lt;i&gt;pay&lt;/i&gt;" in page
    assert "<i>" not in page


def test_older_activity_is_a_link_away_and_the_csv_has_all(
    browser: Browser, owner: int, books: Books
) -> None:
    books.post(*(books.entry("bonus", owner, "1", asset="DIAMOND") for _ in range(60)))
    seen: list[int] = []
    for _ in range(2):
        page = browser.get(f"/entries?before={seen[-1]}" if seen else "/entries").text
        seen += [int(seq) for seq in re.findall(rf'<a href="/entries/{owner}-(\d+)">', page)]
        assert ('id="older"' in page) == (len(seen) == 50)
    assert seen == [*range(60, 0, -1)]
    assert "there is nothing older" in browser.get("/entries?before=1").text
    rows = list(csv.DictReader(StringIO(browser.get("/entries.csv").text)))
    assert [row["entry_id"] for row in rows] == [f"{owner}-{seq}" for seq in seen]


def test_the_csv_has_a_line_for_each_wallet_that_an_entry_changed(
    browser: Browser, owner: int, books: Books, app: Flask
) -> None:
    win(books, owner, "0.000000000000000007", "-maze", "\tr")
    win(books, owner, "1", "maze")
    with app.app_context():
        books.next_hour()
        convert_due()
    rows = list(csv.DictReader(StringIO(browser.get("/entries.csv").text)))
    assert [(row["kind"], row["asset"], row["amount"]) for row in rows] == [
        ("conversion", "DREAM", "-1.000000000000000007"),
        ("conversion", "USD", "0.150000000000000001"),
        ("win", "DREAM", "1"),
        ("win", "DREAM", "0.000000000000000007"),
    ]
    assert rows[-1]["game"] == "'-maze"


def test_a_wallet_has_its_balance_its_holds_and_the_balance_after_each_change(
    browser: Browser, owner: int, books: Books
) -> None:
    books.top_up(owner, "LOYALTY_POINT", "10")
    books.spend(owner, "LOYALTY_POINT", "2.5")
    books.hold(owner, "LOYALTY_POINT", "4")
    said = words(browser.get("/wallets/LOYALTY_POINT").text)
    assert "Balance 7.50 Set aside 4.00 Available 3.50" in said
    assert "Set aside at the moment" in said
    assert re.search(r"Set aside r\d+ .{17,20} — \+4\.00 7\.50", said)
    assert re.search(r"Spent r\d+ .{17,20} −2\.50 — 7\.50", said)
    assert re.search(r"Topped up \S+ .{17,20} \+10\.00 — 10\.00", said)
    assert "Loyalty Points 7.50" in words(browser.get("/wallets").text)
    rows = list(csv.DictReader(StringIO(browser.get("/wallets/LOYALTY_POINT.csv").text)))
    figures = [(row["amount"], row["held_change"], row["balance_after"]) for row in rows]
    assert figures == [("0", "4", "7.5"), ("-2.5", "0", "7.5"), ("10", "0", "10")]


def test_a_wallets_older_history_is_a_link_away(browser: Browser, owner: int, books: Books) -> None:
    books.post(*(books.entry("bonus", owner, "1", asset="DIAMOND") for _ in range(60)))
    first = browser.get("/wallets/DIAMOND").text
    older = re.search(r'href="(/wallets/DIAMOND\?before=\d+-\d+)"', first)
    assert older
    second = browser.get(older.group(1)).text
    seen = [
        int(seq)
        for page in (first, second)
        for seq in re.findall(rf'<a href="/entries/{owner}-(\d+)">', page)
    ]
    assert seen == [*range(60, 0, -1)]
    assert "Newest" in second
