"""What holds for every page of the books: whose they are, what they cost, what clients' text can do."""

import re
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import Engine

from portal.ledger import chart
from portal.pages.words import KINDS
from portal.services import users
from tests.factories import Books, convert_due
from tests.pages.conftest import Browser, Make, Person
from tests.pages.counted import BY_HAND, MOST, counted

PAGES = ("/", "/today", "/entries", "/usd", "/statements", "/wallets", "/wallets/GOLD_COIN")
FILES = ("/today.csv", "/entries.csv", "/usd.csv", "/wallets/GOLD_COIN.csv", "/wallets/DREAM.csv")
EVIL = '<script>alert("x")</script>'


def win(books: Books, owner: int, amount: str, game: str, reference: str = "r") -> int:
    """Post a win in a game; its seq."""
    entry = books.entry("win", owner, amount, at=books.now())
    outcome = books.post(replace(entry, game=game, reference=reference))[0]
    assert outcome.seq is not None, outcome
    return outcome.seq


@pytest.fixture
def full(books: Books, app: Flask, ida: Person) -> Person:
    """Ida, to whom everything happened: won, converted, topped up, held, spent, taken back."""
    owner = ida.user_id
    assert owner
    win(books, owner, "1.25", "maze")
    with app.app_context():
        books.next_hour()
        convert_due()
    books.reverse(owner, win(books, owner, "0.75", "gems"))
    books.top_up(owner, "GOLD_COIN", "100")
    books.capture(owner, books.hold(owner, "GOLD_COIN", "30"), "GOLD_COIN", "20")
    books.hold(owner, "GOLD_COIN", "5")
    books.spend(owner, "GOLD_COIN", "3")
    return ida


def addresses(person: Person, books: Books) -> list[str]:
    """Every page of somebody's books."""
    day = books.now().date()
    ids = [f"/entries/{person.user_id}-{seq}" for seq in range(1, 10)]
    return [*PAGES, f"/usd/{day}", f"/statements/{day:%Y-%m}", *ids]


@pytest.mark.parametrize("address", [*PAGES, *FILES])
def test_somebody_new_has_every_page_and_it_says_what_to_do(
    browser: Browser, ida: Person, address: str
) -> None:
    assert ida.user_id
    answer = browser.get(address)
    assert answer.status_code == 200
    if address in ("/", "/today", "/entries"):
        assert "Play a game" in answer.text
    if address in FILES:
        assert len(answer.text.splitlines()) == 1


def test_a_page_costs_at_most_six_statements(
    browser: Browser, full: Person, books: Books, engine: Engine
) -> None:
    """And so does its fragment. Its first page has a process read the assets, and a session be seen."""
    browser.get("/")
    for address in addresses(full, books):
        for get in (browser.get, browser.fragment):
            with counted(engine) as sent:
                assert get(address).status_code == 200, address
            assert len(sent) + BY_HAND.get(address, 0) <= MOST, (address, sent)


def test_every_number_of_a_page_is_of_the_visitors_own_books(
    browser: Browser, full: Person, app: Flask, make_person: Make
) -> None:
    other = Browser(app)
    other.enter(make_person())
    for address in (*PAGES, *FILES):
        said = other.get(address).text
        assert "gems" not in said
        assert f"entries/{full.user_id}-" not in said
        assert "1.25" not in said
    assert "gems" in browser.get("/today").text


def test_anothers_entry_is_not_there(
    browser: Browser, full: Person, app: Flask, make_person: Make
) -> None:
    other = Browser(app)
    other.enter(make_person())
    assert browser.get(f"/entries/{full.user_id}-1").status_code == 200
    for get in (other.get, other.fragment):
        assert get(f"/entries/{full.user_id}-1").status_code == 404


@pytest.mark.parametrize("address", [*PAGES, *FILES, "/entries/1-1", "/usd/2026-11-21"])
def test_a_stranger_is_sent_to_sign_in(browser: Browser, address: str) -> None:
    answer = browser.get(address)
    assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/sign-in")


def test_staff_have_no_books_but_look_at_an_entry_with_the_companys_lines(
    full: Person, app: Flask, make_person: Make
) -> None:
    staff = Browser(app)
    staff.enter(make_person("viewer"))
    assert staff.get("/").status_code == 200
    for address in (*PAGES[1:], *FILES):
        assert staff.get(address).status_code == 403
    entry = staff.get(f"/entries/{full.user_id}-1")
    assert "FEES_" in entry.text
    assert "The user won" in entry.text
    assert staff.get("/entries/999999-1").status_code == 404


def test_what_clients_and_people_call_things_is_text(
    browser: Browser, ida: Person, books: Books, app: Flask
) -> None:
    assert ida.user_id
    seq = win(books, ida.user_id, "1", EVIL, EVIL)
    win(books, ida.user_id, "1", "maze")
    books.post(replace(books.entry("bonus", ida.user_id, "1", asset="DIAMOND"), reference=EVIL))
    with app.app_context():
        users.change(ida.user_id, {"display_name": EVIL})
    pages = ("/", "/today", f"/today?game={EVIL}", "/entries", f"/entries/{ida.user_id}-{seq}")
    for address in (*pages, "/wallets/DIAMOND", "/statements", f"/statements/{books.now():%Y-%m}"):
        for get in (browser.get, browser.fragment):
            said = get(address)
            assert said.status_code == 200
            assert "<script>alert" not in said.text
    assert "&lt;script&gt;alert" in browser.get("/today").text


@pytest.mark.parametrize(
    "address",
    [
        *("/today?before=0", "/today?before=x", "/today?before=99999999999999999999"),
        *("/today?game=%00", f"/today?game={'x' * 201}", "/entries?before=-1", "/entries?before="),
        *("/entries/1", "/entries/x-1", "/entries/1-x", "/entries/1-0", "/entries/1-1-1"),
        *("/usd/2026-02-30", "/usd/2026-1-1", "/usd/yesterday", "/usd/0001-01-01"),
        *("/usd/9999-12-31", "/usd?before=x", "/usd/%00"),
        *("/statements/2026-13", "/statements/2026", "/statements/2150-01", "/statements/x"),
        *("/wallets/EUR", "/wallets/gold_coin", "/wallets/FEES", "/wallets/EUR.csv"),
        *("/wallets/USD?before=1", "/wallets/USD?before=x-1", "/wallets/USD?before=1-1-1"),
        "/wallets/USD?before=9223372036854775807-1",
    ],
)
def test_what_can_be_no_address_is_not_there(browser: Browser, ida: Person, address: str) -> None:
    assert ida.user_id
    answer = browser.get(address)
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def test_every_kind_of_entry_has_its_words() -> None:
    assert set(KINDS) == {kind.code for kind in chart.KINDS}


def test_a_fragment_is_a_part_of_its_page(browser: Browser, full: Person) -> None:
    assert full.user_id
    for address in ("/", "/today", "/entries", "/usd", "/wallets/GOLD_COIN"):
        part = browser.fragment(address)
        assert "<html" not in part.text
        assert part.vary.as_set(preserve_casing=True) >= {"HX-Request"}
        first = re.search(r'<div id="(\w+)"', part.text)
        assert first
        assert first.group() in browser.get(address).text
