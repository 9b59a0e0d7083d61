"""The browsers that are signed in: named, and signed out one by one or together."""

import re

import pytest
from flask import Flask

from portal.pages.browsers import is_mobile, words
from portal.runtime import runtime
from portal.services import audit
from portal.services.accounts import sessions
from tests.pages.conftest import HTMX, Browser, Make, Person

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)
PAGE = "/account/sessions"


def sign_in_from(app: Flask, person: Person, address: str, browser: str) -> tuple[int, Browser]:
    """Another browser of somebody's; its session's number."""
    made = Browser(app)
    acts = audit.Actor("person", address=address, browser=browser)
    with app.app_context(), audit.acting(acts), runtime().engine.begin() as connection:
        secret = sessions.start(connection, person.sign_in_id, second_factor=False)
    with made.client.session_transaction() as cookie:
        cookie["_user_id"] = secret
        cookie["_fresh"] = True
    with app.app_context():
        visitor = sessions.visitor(secret)
    assert visitor
    return visitor.session_id, made


def buttons(page: str) -> list[str]:
    return re.findall(r'name="end" value="([^"]+)"', page)


def test_each_is_told_in_words_and_this_one_is_marked(
    browser: Browser, ida: Person, app: Flask
) -> None:
    phone, _ = sign_in_from(app, ida, "2001:db8::7", IPHONE)
    page = browser.get(PAGE).text
    assert "Safari on iPhone" in page
    assert "From 2001:db8::7</p>" in page
    assert page.count("this one") == 1
    assert buttons(page) == [str(phone), "others", "all"]


def test_one_is_signed_out(browser: Browser, ida: Person, app: Flask) -> None:
    phone, other = sign_in_from(app, ida, "192.0.2.1", IPHONE)
    laptop, third = sign_in_from(app, ida, "192.0.2.2", FIREFOX)
    assert browser.post(PAGE, end=phone).location == PAGE
    assert "That browser is signed out." in browser.get(PAGE).text
    assert other.get("/account").location.startswith("/sign-in")
    assert third.get("/account").status_code == 200
    token = browser.token(PAGE)
    swapped = browser.client.post(PAGE, data={"csrf_token": token, "end": laptop}, headers=HTMX)
    assert "<html" not in swapped.text
    assert "That browser is signed out." in swapped.text
    assert buttons(swapped.text) == ["all"]


def test_all_others_are_signed_out(browser: Browser, ida: Person, app: Flask) -> None:
    others = [sign_in_from(app, ida, "192.0.2.1", FIREFOX)[1] for _ in range(3)]
    assert browser.post(PAGE, end="others").location == PAGE
    assert {other.get("/account").status_code for other in others} == {303}
    assert browser.get("/account").status_code == 200


def test_everywhere_is_here_too(browser: Browser, ida: Person, app: Flask) -> None:
    _, other = sign_in_from(app, ida, "192.0.2.1", FIREFOX)
    assert browser.post(PAGE, end="all").location == "/sign-in"
    assert "You are signed out everywhere." in browser.get("/sign-in").text
    assert {each.get("/account").status_code for each in (browser, other)} == {303}


def test_to_htmx_everywhere_is_the_sign_in_page(browser: Browser, ida: Person) -> None:
    assert ida.user_id
    data = {"csrf_token": browser.token(PAGE), "end": "all"}
    assert browser.client.post(PAGE, data=data, headers=HTMX).headers["HX-Redirect"] == "/sign-in"


@pytest.mark.parametrize("end", ["", "0", "-1", "x", "1e3", "9" * 30, "٣"])
def test_what_is_no_session_is_not_found(browser: Browser, ida: Person, end: str) -> None:
    assert ida.user_id
    assert browser.post(PAGE, end=end).status_code == 404
    assert browser.get("/account").status_code == 200


def test_nobody_ends_anothers_session(
    browser: Browser, ida: Person, app: Flask, make_person: Make
) -> None:
    otto = make_person(name="Otto")
    number, his = sign_in_from(app, otto, "192.0.2.1", FIREFOX)
    assert ida.user_id
    assert browser.post(PAGE, end=number).status_code == 404
    browser.post(PAGE, end="others")
    assert his.get("/account").status_code == 200
    assert "192.0.2.1" not in browser.get(PAGE).text


def test_a_browsers_name_shows_as_text(browser: Browser, ida: Person, app: Flask) -> None:
    sign_in_from(app, ida, "192.0.2.1", '"><script>alert(1)</script>')
    page = browser.get(PAGE).text
    assert "<script>alert" not in page
    assert "An unknown browser" in page


@pytest.mark.parametrize(
    ("called", "said", "mobile"),
    [
        (FIREFOX, "Firefox on Linux", False),
        (IPHONE, "Safari on iPhone", True),
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
                " Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0"
            ),
            "Edge on Windows",
            False,
        ),
        (
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
                " Chrome/131.0.0.0 Mobile Safari/537.36"
            ),
            "Chrome on Android",
            True,
        ),
        (
            (
                "Mozilla/5.0 (Linux; Android 14; SM-S901B) AppleWebKit/537.36 (KHTML, like Gecko)"
                " SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36"
            ),
            "Samsung Internet on Android",
            True,
        ),
        (
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
                " Version/18.1 Safari/605.1.15"
            ),
            "Safari on Mac",
            False,
        ),
        (
            (
                "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
                " CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1"
            ),
            "Chrome on iPad",
            True,
        ),
        ("curl/8.5.0", "An unknown browser", False),
        ("Something (Windows)", "A browser on Windows", False),
        ("Firefox/1", "Firefox", False),
        ("", "An unknown browser", False),
        (None, "An unknown browser", False),
    ],
)
def test_a_browser_is_told_as_people_call_it(
    called: str | None, said: str, *, mobile: bool
) -> None:
    assert words(called) == said
    assert is_mobile(called) is mobile
