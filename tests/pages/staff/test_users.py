"""Users as finance sees them: who there is, who one is, and what the books say of them."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from portal.services import clients, users
from tests.factories import Books, convert_due
from tests.pages.conftest import PASSWORD, Browser, Make, Person
from tests.pages.reading import table, words
from tests.pages.test_books import win

pytestmark = pytest.mark.usefixtures("viewer")
LINKED = re.compile(r'<th scope="row" data-label="Name" class="said"><a href="/users/(\d+)">')


def made(app: Flask, *names: str) -> list[int]:
    """Users of these names; their external ids and e-mails are made of them."""
    with app.app_context():
        return [
            users.create(f"ext-{name}", name, "Europe/Berlin", f"{name}@Players.example")[0].id
            for name in names
        ]


def found(browser: Browser, query: str) -> list[int]:
    """The users that a page lists, in its order."""
    page = browser.get(f"/users{query}")
    assert page.status_code == 200
    return [int(number) for number in LINKED.findall(page.text)]


def test_users_are_listed_newest_first_page_by_page(browser: Browser, app: Flask) -> None:
    every = made(app, *(f"player-{number}" for number in range(55)))[::-1]
    assert found(browser, "") == every[:50]
    older = re.search(r'href="(/users\?before=\d+-\d+)"', browser.get("/users").text)
    assert older
    assert found(browser, older[1].removeprefix("/users")) == every[50:]
    assert "There is none older" in browser.get("/users?before=1-1").text


def test_a_user_is_found_by_number_and_by_how_the_names_begin(browser: Browser, app: Flask) -> None:
    anna, annabel, bert = made(app, "Anna", "Annabel", "Bert")
    assert found(browser, "?who=anna") == [annabel, anna]
    assert found(browser, "?who=++ANNAB+") == [annabel]
    assert found(browser, "?who=ext-Bert") == [bert]
    assert found(browser, "?who=bert%40players.EXAMPLE") == [bert]
    assert found(browser, f"?who={anna}") == [anna]
    assert "No user fits" in browser.get("/users?who=nobody").text


def test_wildcards_and_what_no_name_has_are_plain_characters(browser: Browser, app: Flask) -> None:
    percent, arab, quoted = made(app, "100%_*", "سارة", "O'Neill\\")
    assert found(browser, "?who=%25") == []
    assert found(browser, "?who=_") == []
    assert found(browser, "?who=100%25_*") == [percent]
    assert found(browser, "?who=سا") == [arab]
    assert found(browser, "?who=o'neill\\") == [quoted]
    assert found(browser, "?who=🦊") == []


def test_what_nobody_is_called_is_refused_beside_its_field(browser: Browser) -> None:
    for who in ("a" * 10_000, "%00", "x%00y", "%1B[1m"):
        answer = browser.get(f"/users?who={who}")
        assert answer.status_code == 422
        assert 'id="who-error"' in answer.text
        assert browser.get(f"/users.csv?who={who}").location.startswith("/users?who=")


def test_there_is_no_page_of_a_place_that_is_none(browser: Browser) -> None:
    for place in ("x", "1", "1-", "-1-1", "1-x", "9" * 30 + "-1", "9" * 19 + "-1"):
        assert browser.get(f"/users?before={place}").status_code == 404, place


def test_there_is_no_page_of_a_user_who_is_not(browser: Browser) -> None:
    for number in ("0", "x", "-1", "1e3", "9" * 19, "9" * 40, "999999"):
        for more in ("", "/entries", "/days", "/days/2026-11-20", "/wallets/USD", "/entries.csv"):
            assert browser.get(f"/users/{number}{more}").status_code == 404, (number, more)


def test_the_file_has_all_who_fit_and_that_it_was_taken_is_kept(
    browser: Browser, app: Flask
) -> None:
    first, *_ = made(app, "=Anna", *(f"player-{number}" for number in range(55)))
    rows = table(browser.get("/users.csv?who=ext-"))
    assert len(rows) == 56
    assert rows[-1] | {"created_at": ""} == {
        "user_id": str(first),
        "external_id": "ext-=Anna",
        "name": "'=Anna",
        "email": "'=Anna@Players.example",
        "region": "global",
        "time_zone": "Europe/Berlin",
        "created_at": "",
        "has_sign_in": "no",
    }
    assert browser.get("/users.xlsx?who=ext-").data.startswith(b"PK")
    browser.get("/users.csv?who=anna@players.example")
    log = words(browser.get("/audit?action=user.exported").text)
    assert "Downloaded the list of users" in log
    assert "who ext-" in log
    assert "a…@players.example" in log
    assert "anna@" not in log


def test_an_api_key_that_a_file_was_narrowed_to_by_mistake_is_not_kept(
    browser: Browser, app: Flask
) -> None:
    with app.app_context():
        token = clients.create_key("studio", ["read"])
    for address in (f"/users.csv?who={token}", f"/audit.csv?who={token}&id=Bearer%20{token}"):
        assert browser.get(address).status_code == 200
    log = browser.get("/audit.csv").text
    assert log.count(f": - → {token[:12]}") == 4, "as it was made, and as it was asked for"
    assert token not in log


def test_looking_at_a_user_leaves_no_record(browser: Browser, app: Flask) -> None:
    [anna] = made(app, "Anna")
    before = browser.get("/audit").text.count("<tr>")
    browser.get(f"/users/{anna}")
    browser.get(f"/users/{anna}/entries.csv")
    browser.get("/users?who=anna")
    assert browser.get("/audit").text.count("<tr>") == before


def test_a_users_page_tells_who_it_is(
    browser: Browser, app: Flask, make_person: Make, books: Books
) -> None:
    ida = make_person(name="Ida Falk", zone="Europe/Berlin")
    assert ida.user_id
    books.change_zone(ida.user_id, "Asia/Tokyo")
    said = words(browser.get(f"/users/{ida.user_id}").text)
    assert "Ida Falk" in said
    assert f"External id {ida.email.partition('@')[0]}" in said
    assert "Time zone Europe/Berlin; Asia/Tokyo from" in said
    assert f"Sign-in {ida.email}, since" in said
    assert "password alone" in said
    assert "Deletion" not in said
    assert "Nothing was booked for this user yet" in said
    own = Browser(app)
    own.enter(ida)
    own.post("/account/deletion", current_password=PASSWORD, sure="y")
    assert "Deletion asked for" in words(browser.get(f"/users/{ida.user_id}").text)
    [known] = made(app, "Theo")
    assert "none: known to the games alone" in words(browser.get(f"/users/{known}").text)


def test_a_users_page_has_the_figures_of_the_users_own(
    browser: Browser, app: Flask, books: Books
) -> None:
    [ida] = made(app, "Ida")
    win(books, ida, "1.5", "maze")
    books.top_up(ida, "GOLD_COIN", "100")
    held = books.hold(ida, "GOLD_COIN", "30")
    page = browser.get(f"/users/{ida}").text
    said = words(page)
    assert "1.50 of 5.00 DREAM won 3.50 may still be won" in said
    assert "Dream token DREAM 1.50 0.00 1.50" in said
    assert "Gold Coins GOLD_COIN 100 30 70" in said
    assert "Open holds" in said
    assert re.search(rf"{ida}-{held} .* r\d+ 30 Gold Coins", said)
    assert [f"/entries/{ida}-{seq}" in page for seq in (1, 2, 3)] == [True, True, True]
    wallet = words(browser.get(f"/users/{ida}/wallets/GOLD_COIN").text)
    assert re.search(r"Set aside r\d+ .* — \+30 100", wallet)
    history = table(browser.get(f"/users/{ida}/wallets/GOLD_COIN.csv"))
    assert [row["balance_after"] for row in history] == ["100", "100"]
    wallets = [[*row.values()] for row in table(browser.get(f"/users/{ida}/wallets.csv"))]
    assert [f"{ida}", "GOLD_COIN", "100", "30", "70"] in wallets
    assert [f"{ida}", "DREAM", "1.5", "0", "1.5"] in wallets
    [hold] = table(browser.get(f"/users/{ida}/holds.csv"))
    assert (hold["entry_id"], hold["amount"]) == (f"{ida}-{held}", "30")
    assert browser.get(f"/users/{ida}/wallets/NONE").status_code == 404


def test_days_lead_to_the_entries_of_each(
    browser: Browser, viewer: Person, app: Flask, books: Books
) -> None:
    [ida] = made(app, "Ida")
    for day in range(3):
        win(books, ida, f"{day + 1}", "maze")
        with app.app_context():
            books.next_hour()
            convert_due()
        books.set_clock(books.now() + timedelta(days=1))
    browser.enter(viewer, second_factor=True)  # the session of before idled for too long
    page = browser.get(f"/users/{ida}/days").text
    days = re.findall(rf'href="/users/{ida}/days/([\d-]+)"', page)
    assert len(days) == 3
    assert days == sorted(days, reverse=True)
    assert "3.00 3.00 0.45" in words(page)
    rows = table(browser.get(f"/users/{ida}/days.csv"))
    assert [(row["day"], row["dream_won"], row["usd"]) for row in rows] == [
        (days[0], "3", "0.45"),
        (days[1], "2", "0.3"),
        (days[2], "1", "0.15"),
    ]
    middle = browser.get(f"/users/{ida}/days/{days[1]}").text
    assert re.findall(rf'<a href="/entries/{ida}-(\d+)">', middle) == ["4", "3"]
    assert "Won 2.00 DREAM Converted 2.00 DREAM Came in 0.30 USD" in words(middle)
    assert "Nothing was booked here" in browser.get(f"/users/{ida}/days/2020-01-01").text
    assert browser.get(f"/users/{ida}/days/2020-13-01").status_code == 404
    assert "no earlier day" in browser.get(f"/users/{ida}/days?before=2020-01-01").text


def test_entries_and_those_of_a_day_are_read_page_by_page(
    browser: Browser, app: Flask, books: Books
) -> None:
    [ida] = made(app, "Ida")
    books.post(*(books.entry("bonus", ida, "1", asset="DIAMOND") for _ in range(60)))
    day = books.now().date()
    for address in (f"/users/{ida}/entries", f"/users/{ida}/days/{day}"):
        seen: list[int] = []
        for _ in range(2):
            page = browser.fragment(f"{address}?before={seen[-1]}" if seen else address).text
            assert "<html" not in page
            seen += map(int, re.findall(rf'<a href="/entries/{ida}-(\d+)">', page))
            assert ('id="older"' in page) == (len(seen) == 50)
        assert seen == [*range(60, 0, -1)]
        assert "there is nothing older" in browser.get(f"{address}?before=1").text
        file = browser.get(f"{address.removesuffix('/entries')}/entries.csv")
        assert len(table(file)) == 60
