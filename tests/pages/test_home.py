"""The first page: what was won, what it is worth, and what it says when it is asked again."""

import re
from html import unescape

from tests.factories import Books
from tests.pages.conftest import Browser, Person
from tests.pages.reading import words


def poll(page: str) -> str:
    """The address that the page asks again by itself."""
    found = re.search(r'hx-get="([^"]+)" hx-trigger="refresh from:body"', page)
    assert found
    return unescape(found.group(1))


def test_the_gauge_is_also_text(browser: Browser, ida: Person, books: Books) -> None:
    assert ida.user_id
    books.win(ida.user_id, "1.25")
    page = browser.get("/").text
    assert "1.25 of 5.00 DREAM" in words(page)
    assert "You can still win 3.75 DREAM until midnight." in words(page)
    assert 'stroke-dasharray="250 1000"' in page
    assert re.search(r"25 %\s*</text>", page)


def test_a_day_that_is_full_says_so(browser: Browser, ida: Person, books: Books) -> None:
    assert ida.user_id
    books.win(ida.user_id, "5")
    assert "all of today's limit" in words(browser.get("/").text).replace("&#39;", "'")


def test_the_next_conversion_is_counted_down_from_the_ledgers_clock(
    browser: Browser, ida: Person, books: Books
) -> None:
    assert ida.user_id
    now = books.now()
    page = browser.get("/").text
    found = re.search(r'data-until="([^"]+)" data-now="([^"]+)">([^<]+)</time>', page)
    assert found
    assert (
        found.group(1)
        == f"{now:%Y-%m-%dT%H}:00:00+00:00".replace(f"T{now:%H}", f"T{(now.hour + 1) % 24:02}")
        or now.hour == 23
    )
    assert found.group(3) == "less than a minute" or found.group(3).endswith(" min")


def test_a_credit_shows_what_is_set_aside(browser: Browser, ida: Person, books: Books) -> None:
    assert ida.user_id
    books.top_up(ida.user_id, "GOLD_COIN", "1234")
    books.hold(ida.user_id, "GOLD_COIN", "34")
    told = words(browser.get("/").text)
    assert "1,234 Gold Coins" in told
    assert "34 set aside, 1,200 available" in told


def test_asked_again_it_says_nothing_while_nothing_has_changed(
    browser: Browser, ida: Person, books: Books
) -> None:
    assert ida.user_id
    again = poll(browser.get("/").text)
    quiet = browser.fragment(again)
    assert (quiet.status_code, quiet.data) == (204, b"")
    books.win(ida.user_id, "0.5")
    news = browser.fragment(again)
    assert news.status_code == 200
    assert 'hx-swap-oob="innerHTML:#news"' in news.text
    assert "New Won: +0.50 DREAM" in words(news.text)
    assert browser.fragment(poll(news.text)).status_code == 204


def test_only_what_is_new_is_told(browser: Browser, ida: Person, books: Books) -> None:
    assert ida.user_id
    books.win(ida.user_id, "0.25")
    again = poll(browser.get("/").text)
    books.top_up(ida.user_id, "DIAMOND", "7")
    news = browser.fragment(again).text
    told = words(news[news.index("hx-swap-oob") :])
    assert "+7 Diamonds" in told
    assert "0.25" not in told


def test_another_users_win_is_no_news(browser: Browser, ida: Person, books: Books) -> None:
    assert ida.user_id
    again = poll(browser.get("/").text)
    books.win(books.owner(), "1")
    assert browser.fragment(again).status_code == 204


def test_a_place_that_was_never_given_is_no_harm(browser: Browser, ida: Person) -> None:
    assert ida.user_id
    for query in ("?seen=x&last=x", "?last=-1", "?seen=&last=99999999999999999999"):
        assert browser.fragment(f"/{query}").status_code == 200
        assert browser.get(f"/{query}").status_code == 200
