"""An account at a glance, its name, its password."""

import pytest
from flask import Flask
from sqlalchemy import Engine

from portal.services.accounts import deletion, profile, signing_in
from tests.pages.conftest import HTMX, PASSWORD, Browser, Make, Person
from tests.pages.counted import MOST, counted

NEW = "another horse battery"


def test_every_part_of_a_users_account_is_one_link_away(browser: Browser, ida: Person) -> None:
    page = browser.get("/account").text
    for part in (
        *("name", "email", "password", "second-factor", "sessions", "time-zone", "data"),
        "deletion",
    ):
        assert part == "email" or f'href="/account/{part}"' in page
    for word in ("Ida", ida.email, "Off. With it", "1 signed in", "UTC"):
        assert word in page


@pytest.mark.parametrize(
    "page",
    [
        *("/account", "/account/name", "/account/password", "/account/sessions"),
        *("/account/second-factor", "/account/second-factor/code", "/account/second-factor/off"),
        *("/account/second-factor/recovery-codes", "/account/time-zone", "/account/data"),
        "/account/deletion",
    ],
)
def test_a_page_costs_few_statements(
    browser: Browser, ida: Person, engine: Engine, page: str
) -> None:
    assert ida.user_id
    with counted(engine) as sent:
        assert browser.get(page).status_code in (200, 303)
    assert 0 < len(sent) <= MOST, sent


def test_what_is_to_come_and_what_was_asked_for_is_told(
    browser: Browser, ida: Person, app: Flask
) -> None:
    assert ida.user_id
    with app.app_context():
        profile.change_zone(ida.user_id, "America/New_York")
        deletion.ask(ida.sign_in_id, PASSWORD)
    page = browser.get("/account").text
    assert "UTC; America/New York from <time" in page
    assert "You asked for it on <time" in page


def test_staff_have_neither_time_zone_nor_deletion(browser: Browser, make_person: Make) -> None:
    vera = make_person("viewer", name="Vera")
    browser.enter(vera)
    page = browser.get("/account").text
    assert "Vera · viewer" in page
    assert "/account/time-zone" not in page
    for address in ("/account/time-zone", "/account/deletion"):
        assert browser.get(address).status_code == 403
    for part in ("name", "password", "second-factor", "sessions", "data"):
        assert browser.get(f"/account/{part}").status_code == 200


def test_a_name_is_changed_and_shown_as_text(browser: Browser, ida: Person) -> None:
    assert ida.user_id
    name = '<script>alert("1")</script>'
    assert browser.post("/account/name", name=name).location == "/account"
    page = browser.get("/account").text
    assert "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;" in page
    assert name not in page
    assert "Your name is changed." in page


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "Enter a name."),
        ("  ", "A name has from 1 to 200"),
        ("x" * 201, "longer than 200 characters"),
    ],
)
def test_what_is_no_name_has_its_error_beside_it(
    browser: Browser, ida: Person, name: str, says: str
) -> None:
    assert ida.user_id
    refused = browser.post("/account/name", name=name)
    assert refused.status_code == 422
    assert says in refused.text
    assert 'aria-describedby="name-error"' in refused.text


def test_a_new_password_signs_the_others_out(
    browser: Browser, ida: Person, app: Flask, make_person: Make
) -> None:
    other = Browser(app)
    other.enter(ida)
    fields = {"current_password": PASSWORD, "password": NEW, "again": NEW}
    assert browser.post("/account/password", **fields).location == "/account"
    assert "Your password is changed" in browser.get("/account").text
    assert other.get("/account").location == "/sign-in?next=/account"
    with app.app_context():
        assert signing_in.check(ida.email, NEW).sign_in_id == ida.sign_in_id
    assert make_person


@pytest.mark.parametrize(
    ("changed", "field", "says"),
    [
        ({"current_password": "wrong"}, "current_password", "This is not your password."),
        ({"current_password": ""}, "current_password", "Enter your password."),
        ({"again": "another"}, "again", "This is not the same as the new password."),
        ({"password": "short", "again": "short"}, "password", "from 10 to 200 characters"),
        ({"password": PASSWORD, "again": PASSWORD}, "password", "This is the password you have."),
    ],
)
def test_a_password_that_is_refused_has_its_error_beside_its_field(
    browser: Browser, ida: Person, changed: dict[str, str], field: str, says: str
) -> None:
    assert ida.user_id
    fields = {"current_password": PASSWORD, "password": NEW, "again": NEW} | changed
    refused = browser.post("/account/password", **fields)
    assert refused.status_code == 422
    assert says in refused.text
    assert f'id="{field}-error"' in refused.text
    for typed in (PASSWORD, NEW):
        assert f'value="{typed}"' not in refused.text


def test_htmx_gets_the_form_with_its_errors_alone(browser: Browser, ida: Person) -> None:
    assert ida.user_id
    token = browser.token("/account/password")
    fields = {"csrf_token": token, "current_password": "wrong", "password": NEW, "again": NEW}
    refused = browser.client.post("/account/password", data=fields, headers=HTMX)
    assert refused.status_code == 422
    assert refused.text.lstrip().startswith("<form")
    done = browser.client.post(
        "/account/password", data={**fields, "current_password": PASSWORD}, headers=HTMX
    )
    assert done.headers["HX-Redirect"] == "/account"


def test_who_guesses_passwords_has_to_wait(browser: Browser, ida: Person) -> None:
    assert ida.user_id
    fields = {"current_password": "wrong", "password": NEW, "again": NEW}
    tried = [browser.post("/account/password", **fields).status_code for _ in range(6)]
    assert tried == [422] * 5 + [429]
    refused = browser.post("/account/password", **fields)
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert "try again in 15 minutes" in refused.text
    token = browser.token("/account/password")
    told = browser.client.post(
        "/account/password", data={"csrf_token": token, **fields}, headers=HTMX
    )
    assert told.status_code == 429
    assert "<html" not in told.text
