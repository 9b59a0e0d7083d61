"""The cookie, and what becomes of a page when what it needs is away."""

from dataclasses import replace
from http.cookies import SimpleCookie

from flask import Flask
from sqlalchemy import Engine, text

from config import Settings
from portal import create_app
from portal.pages.visitors import COOKIE
from tests.pages.conftest import PASSWORD, Browser, Make, Person

NAME = str(COOKIE["SESSION_COOKIE_NAME"])


def test_the_cookie_goes_to_us_alone_by_https_and_no_script_sees_it(
    browser: Browser, make_person: Make
) -> None:
    person = make_person()
    entered = browser.post("/sign-in", email=person.email, password=PASSWORD)
    cookie = SimpleCookie(entered.headers["Set-Cookie"])[NAME]
    assert NAME.startswith("__Host-")
    assert cookie["secure"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]


def test_the_cookie_is_another_one_after_signing_in(browser: Browser, make_person: Make) -> None:
    person = make_person()
    token = browser.token("/sign-in")
    data = {"csrf_token": token, "email": person.email, "password": PASSWORD}
    assert browser.client.post("/sign-in", data=data).status_code == 303
    with browser.client.session_transaction() as cookie:
        assert "csrf_token" not in cookie  # the form of before is nobody's now


def test_a_secret_is_kept_as_its_hash_alone(browser: Browser, ida: Person, engine: Engine) -> None:
    with browser.client.session_transaction() as cookie:
        secret = cookie["_user_id"]
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT s::text FROM sessions s")).scalars().all()
    assert len(kept) == 1
    assert ida.user_id
    assert secret not in kept[0]


def test_neither_the_api_nor_a_style_sets_or_reads_a_cookie(browser: Browser, ida: Person) -> None:
    assert ida.user_id
    for address in ("/api/v1/assets", "/static/portal.css", "/healthz", "/docs"):
        with browser.get(address) as answer:
            assert "Set-Cookie" not in answer.headers
            assert "Cookie" not in answer.headers.get("Vary", "")


def test_without_a_database_a_page_says_that_it_is_not_available(
    browser: Browser, ida: Person, settings: Settings, app: Flask
) -> None:
    with browser.client.session_transaction() as cookie:
        kept = dict(cookie)
    away = create_app(
        replace(settings, database_url="postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
    )
    other = Browser(away)
    with other.client.session_transaction() as cookie:
        cookie.update(kept)
    answer = other.get("/")
    assert answer.status_code == 503
    assert "Not available at the moment" in answer.text
    assert answer.headers["Retry-After"] == "1"
    assert ida.user_id
    assert app is not away
