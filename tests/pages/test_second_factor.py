"""The second factor on pages: the second step of signing in; set up, new codes, switched off."""

import re
import time
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from sqlalchemy import Engine, text

from portal.services.accounts import second_factor
from tests.factories import Books
from tests.pages.conftest import HTMX, PASSWORD, Browser, Make, Person

PAGE = "/account/second-factor"
CODE_PAGE = f"{PAGE}/code"
STEP_PAGE = "/sign-in/second-factor"
WRONG = "000 000"


def shown_codes(page: str) -> list[str]:
    found = re.search(r'<pre class="codes"[^>]*>([^<]+)</pre>', page)
    assert found, page
    return found.group(1).split()


def begin(browser: Browser) -> pyotp.TOTP:
    """Set it up until the code is asked for; the app on the phone."""
    assert browser.post(PAGE, current_password=PASSWORD).location == CODE_PAGE
    found = re.search(r'data-copy="([A-Z2-7]{32})"', browser.get(CODE_PAGE).text)
    assert found
    return pyotp.TOTP(found.group(1))


def set_up(browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """Switch it on by the code of the step before: that of now is not used up yet."""
    app = begin(browser)
    done = browser.post(CODE_PAGE, code=app.at(int(time.time()) - 30))
    assert done.status_code == 200, done.text
    return app, shown_codes(done.text)


def give_password(browser: Browser, person: Person, onward: str = "") -> None:
    """The first step of signing in."""
    entered = browser.post(f"/sign-in{onward}", email=person.email, password=PASSWORD)
    assert entered.location == STEP_PAGE + onward


# --- Set up


def test_it_takes_the_password_a_scan_and_a_code(browser: Browser, ida: Person) -> None:
    assert ida.user_id
    assert "Set it up" in browser.get(PAGE).text
    app = begin(browser)
    page = browser.get(CODE_PAGE).text
    assert "<svg viewBox" in page
    assert " ".join(re.findall("....", app.secret)) in page
    assert f"secret={app.secret}" in page
    assert "style=" not in page
    done = browser.post(CODE_PAGE, code=app.now())
    assert "The second factor is on" in done.text
    assert len(shown_codes(done.text)) == 10
    assert done.headers["Cache-Control"] == "private, no-store"
    assert "10 left" in browser.get(PAGE).text
    for code in shown_codes(done.text):
        assert code not in browser.get(PAGE).text
    assert browser.get(CODE_PAGE).location == PAGE


def test_the_codes_can_be_copied_and_kept_as_a_file_without_a_script(
    browser: Browser, ida: Person
) -> None:
    app = begin(browser)
    page = browser.post(CODE_PAGE, code=app.now()).text
    codes = shown_codes(page)
    assert f'data-copy="{chr(10).join(codes)}"' in page
    link = re.search(r'download="([^"]+)"\s+href="data:text/plain;charset=utf-8,([^"]+)"', page)
    assert link
    assert link.group(1) == "dreamland-recovery-codes.txt"
    for code in [*codes, ida.email.replace("@", "%40")]:
        assert code in link.group(2)


def test_a_wrong_password_begins_nothing(browser: Browser, ida: Person) -> None:
    assert ida.user_id
    refused = browser.post(PAGE, current_password="wrong")
    assert refused.status_code == 422
    assert "This is not your password." in refused.text
    assert browser.get(CODE_PAGE).location == PAGE


@pytest.mark.parametrize(
    ("code", "says"),
    [("", "Enter the code"), (WRONG, "This code is not right"), ("x" * 41, "longer than 40")],
)
def test_a_wrong_first_code_has_its_error_beside_it_and_the_key_stays(
    browser: Browser, ida: Person, code: str, says: str
) -> None:
    assert ida.user_id
    app = begin(browser)
    refused = browser.post(CODE_PAGE, code=code)
    assert refused.status_code == 422
    assert says in refused.text
    assert 'aria-invalid="true"' in refused.text
    assert app.secret in refused.text
    assert "Off" in browser.get("/account").text


def test_switching_it_on_keeps_this_browser_and_ends_the_others(
    browser: Browser, ida: Person, app: Flask
) -> None:
    other = Browser(app)
    other.enter(ida)
    set_up(browser)
    assert browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 303


# --- Signing in


def test_a_code_is_asked_for_and_leads_to_the_page_that_was_wanted(
    browser: Browser, ida: Person, app: Flask
) -> None:
    totp, _ = set_up(browser)
    phone = Browser(app)
    give_password(phone, ida, "?next=/account")
    assert phone.get("/account").location == "/sign-in?next=/account", "not in yet"
    entered = phone.post(f"{STEP_PAGE}?next=/account", code=totp.now())
    assert (entered.status_code, entered.location) == (303, "/account")
    assert phone.get("/account").status_code == 200
    again = Browser(app)
    give_password(again, ida)
    refused = again.post(STEP_PAGE, code=totp.now())
    assert refused.status_code == 422, "no code counts twice"


def test_a_recovery_code_does_it_once(browser: Browser, ida: Person, app: Flask) -> None:
    _, codes = set_up(browser)
    phone, laptop = Browser(app), Browser(app)
    for each in (phone, laptop):
        give_password(each, ida)
        assert f"{STEP_PAGE}?by=recovery" in each.get(STEP_PAGE).text
    address = f"{STEP_PAGE}?by=recovery"
    assert "Sixteen letters" in phone.get(address).text
    assert phone.post(address, code=codes[0].lower()).location == "/"
    refused = laptop.post(address, code=codes[0])
    assert refused.status_code == 422
    assert "not one of your recovery codes, or it was used before" in refused.text
    assert "9 left" in browser.get(PAGE).text


def test_a_recovery_code_is_taken_where_the_app_is_asked_for(
    browser: Browser, ida: Person, app: Flask
) -> None:
    _, codes = set_up(browser)
    phone = Browser(app)
    give_password(phone, ida)
    assert phone.post(STEP_PAGE, code=codes[3]).location == "/"


def test_without_the_first_step_there_is_no_second(browser: Browser) -> None:
    assert browser.get(f"{STEP_PAGE}?next=/account").location == "/sign-in?next=/account"
    assert "sign in once more" in browser.get("/sign-in").text


def test_the_second_step_has_five_minutes(
    browser: Browser, ida: Person, app: Flask, engine: Engine
) -> None:
    totp, _ = set_up(browser)
    phone, books = Browser(app), Books(engine)
    give_password(phone, ida)
    token = phone.token(STEP_PAGE)
    books.set_clock(books.now() + timedelta(minutes=5))
    late = phone.client.post(STEP_PAGE, data={"csrf_token": token, "code": totp.now()})
    assert late.location == "/sign-in"
    assert phone.get("/account").status_code == 303


@pytest.mark.parametrize(
    "change", ["password_hash = 'another'", "disabled_at = ledger.clock()", "totp_since = now()"]
)
def test_the_first_step_is_worth_nothing_once_what_was_right_was_changed(
    browser: Browser, ida: Person, app: Flask, engine: Engine, change: str
) -> None:
    totp, codes = set_up(browser)
    phone = Browser(app)
    give_password(phone, ida)
    token = phone.token(STEP_PAGE)
    with engine.begin() as connection:
        connection.execute(
            text(f"UPDATE sign_ins SET {change} WHERE id = :id"), {"id": ida.sign_in_id}
        )
    for code in (totp.now(), codes[0]):
        data = {"csrf_token": token, "code": code}
        assert phone.client.post(STEP_PAGE, data=data).location == "/sign-in"
        assert phone.get(STEP_PAGE).location == "/sign-in"
    with engine.connect() as connection:
        opened = text("SELECT count(*) FROM sessions WHERE sign_in_id = :id AND ended_at IS NULL")
        assert connection.scalar(opened, {"id": ida.sign_in_id}) == 1


def test_five_wrong_codes_and_one_has_to_wait(browser: Browser, ida: Person, app: Flask) -> None:
    totp, _ = set_up(browser)
    phone = Browser(app)
    give_password(phone, ida)
    tried = [phone.post(STEP_PAGE, code=WRONG).status_code for _ in range(5)]
    assert tried == [422] * 5
    refused = phone.post(STEP_PAGE, code=totp.now())
    assert refused.status_code == 429
    assert "the codes were wrong too often" in refused.text.lower()
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    token = phone.token(STEP_PAGE)
    data = {"csrf_token": token, "code": totp.now()}
    assert phone.client.post(STEP_PAGE, data=data, headers=HTMX).status_code == 429


def test_five_wrong_passwords_and_one_has_to_wait(browser: Browser, make_person: Make) -> None:
    person = make_person()
    tried = [
        browser.post("/sign-in", email=person.email, password="x").status_code for _ in range(6)
    ]
    assert tried == [422] * 5 + [429]
    refused = browser.post("/sign-in", email=person.email, password=PASSWORD)
    assert refused.status_code == 429
    assert "try again in 15 minutes" in refused.text
    other = make_person()
    assert browser.post("/sign-in", email=other.email, password=PASSWORD).location == "/"


# --- Looked after


def test_new_codes_replace_the_old(browser: Browser, ida: Person, app: Flask) -> None:
    _, codes = set_up(browser)
    refused = browser.post(f"{PAGE}/recovery-codes", current_password="wrong")
    assert refused.status_code == 422
    made = shown_codes(browser.post(f"{PAGE}/recovery-codes", current_password=PASSWORD).text)
    assert not set(made) & set(codes)
    phone = Browser(app)
    give_password(phone, ida)
    assert phone.post(STEP_PAGE, code=codes[0]).status_code == 422
    assert phone.post(STEP_PAGE, code=made[0]).location == "/"


def test_switched_off_the_password_is_enough(browser: Browser, ida: Person, app: Flask) -> None:
    set_up(browser)
    assert browser.post(f"{PAGE}/off", current_password="wrong").status_code == 422
    assert browser.post(f"{PAGE}/off", current_password=PASSWORD).location == PAGE
    page = browser.get(PAGE).text
    assert "The second factor is off." in page
    assert "Set it up" in page
    phone = Browser(app)
    assert phone.post("/sign-in", email=ida.email, password=PASSWORD).location == "/"


@pytest.mark.parametrize("part", ["recovery-codes", "off"])
def test_what_is_off_has_neither_codes_nor_a_switch(
    browser: Browser, ida: Person, part: str
) -> None:
    assert ida.user_id
    assert browser.get(f"{PAGE}/{part}").location == PAGE


# --- Staff


@pytest.mark.parametrize("role", ["accountant", "approver", "admin"])
def test_staff_without_one_are_led_there_and_reach_nothing_else(
    browser: Browser, make_person: Make, role: str
) -> None:
    browser.enter(make_person(role, second_factor=False))
    for address in ("/", "/account", "/account/password", "/account/sessions", "/account/data"):
        assert browser.get(address).location == PAGE
    assert browser.post("/account/data", page=PAGE).location == PAGE
    page = browser.get(PAGE).text
    assert "so it needs a second factor" in page
    set_up(browser)
    assert browser.get("/account").status_code == 200
    page = browser.get(PAGE).text
    assert "it can&#39;t be switched off" in page or "it can't be switched off" in page
    assert f"{PAGE}/off" not in page
    assert "can't be switched off" in browser.get(f"{PAGE}/off").text


def test_staff_cannot_switch_it_off_by_hand(
    browser: Browser, make_person: Make, app: Flask
) -> None:
    ada = make_person("admin", second_factor=False)
    browser.enter(ada)
    set_up(browser)
    token = browser.token("/account/name")
    data = {"csrf_token": token, "current_password": PASSWORD}
    assert browser.client.post(f"{PAGE}/off", data=data).status_code == 422
    with app.app_context():
        assert second_factor.state(ada.sign_in_id).since
