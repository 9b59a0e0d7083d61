"""Signing in and out."""

import pytest

from tests.pages.conftest import HTMX, PASSWORD, Browser, Make, Person


def test_a_stranger_is_sent_to_sign_in_and_back(browser: Browser, make_person: Make) -> None:
    person = make_person()
    sent = browser.get("/sign-in?next=/")
    assert sent.status_code == 200
    asked = browser.get("/account?x=1")
    assert asked.status_code == 303
    assert asked.location == "/sign-in?next=/account?x%3D1"
    entered = browser.post(asked.location, email=person.email, password=PASSWORD)
    assert (entered.status_code, entered.location) == (303, "/account?x=1")


def test_an_e_mail_is_the_same_in_capitals(browser: Browser, make_person: Make) -> None:
    person = make_person()
    entered = browser.post("/sign-in", email=f" {person.email.upper()} ", password=PASSWORD)
    assert entered.location == "/"
    assert "Good to see you, Ida" in browser.get("/").text


@pytest.mark.parametrize("email", ["person-1@example.com", "nobody@example.com"])
def test_a_wrong_password_and_an_unknown_e_mail_are_told_the_same(
    browser: Browser, make_person: Make, email: str
) -> None:
    make_person()
    refused = browser.post("/sign-in", email=email, password="wrong")
    assert refused.status_code == 422
    assert "The e-mail or the password is not right." in refused.text
    assert f'value="{email}"' in refused.text
    assert "wrong" not in refused.text.replace("wrong password", "")


def test_what_can_be_no_e_mail_is_refused_as_any_and_counts(browser: Browser) -> None:
    tried = [browser.post("/sign-in", email="a\0@x.example", password="x") for _ in range(6)]
    assert [answer.status_code for answer in tried] == [422] * 5 + [429]


def test_a_missing_field_has_its_error_beside_it(browser: Browser) -> None:
    refused = browser.post("/sign-in", email="a@example.com", password="")
    assert refused.status_code == 422
    assert 'aria-describedby="password-error"' in refused.text
    assert "Enter your password." in refused.text


def test_htmx_gets_the_form_alone_and_is_redirected_by_a_header(
    browser: Browser, make_person: Make
) -> None:
    person = make_person()
    token = browser.token("/sign-in")
    fields = {"csrf_token": token, "email": person.email}
    refused = browser.client.post("/sign-in", data={**fields, "password": "x"}, headers=HTMX)
    assert refused.status_code == 422
    assert "<html" not in refused.text
    right = browser.client.post("/sign-in", data={**fields, "password": PASSWORD}, headers=HTMX)
    assert right.headers["HX-Redirect"] == "/"
    assert not right.text


def test_who_is_signed_in_is_sent_home(browser: Browser, ida: Person) -> None:
    assert browser.get("/sign-in").location == "/"
    assert ida.role == "user"


def test_signing_out_ends_the_session_itself(browser: Browser, ida: Person) -> None:
    with browser.client.session_transaction() as cookie:
        secret = cookie["_user_id"]
    assert ida.user_id
    assert browser.post("/sign-out", page="/").location == "/sign-in"
    with browser.client.session_transaction() as cookie:
        cookie["_user_id"] = secret
    assert browser.get("/").status_code == 303


def test_a_form_without_its_token_says_to_try_again(browser: Browser, make_person: Make) -> None:
    person = make_person()
    refused = browser.client.post("/sign-in", data={"email": person.email, "password": PASSWORD})
    assert refused.status_code == 400
    assert "Please try again" in refused.text


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"]
)
def test_nobody_is_sent_to_a_foreign_address(
    browser: Browser, make_person: Make, elsewhere: str
) -> None:
    person = make_person()
    entered = browser.post(f"/sign-in?next={elsewhere}", email=person.email, password=PASSWORD)
    assert entered.location == "/"


def test_a_session_that_ended_sends_htmx_to_sign_in_and_back(browser: Browser) -> None:
    sent = browser.fragment("/today", **{"HX-Current-URL": "http://localhost/today?game=maze"})
    assert sent.headers["HX-Redirect"] == "/sign-in?next=/today?game%3Dmaze"


def test_an_unknown_address_is_a_page_for_people_and_json_for_programs(browser: Browser) -> None:
    assert "There is nothing here" in browser.get("/nowhere").text
    assert browser.get("/api/v1/nowhere").json["code"] == "not_found"  # type: ignore[index]
