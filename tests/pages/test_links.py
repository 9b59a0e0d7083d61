"""The pages that links in mails open: looked at they change nothing, sent they act once."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import text

from config import Settings
from portal.runtime import runtime
from portal.services import users
from portal.services.accounts import emails, invitations, resets, sessions, sign_up
from tests.mailbox import Mailbox
from tests.pages.conftest import HTMX, PASSWORD, Browser, Make, Person

IDA = "ida@example.com"
NEW_PASSWORD = "another horse entirely"
Asked = Callable[..., str]


@pytest.fixture
def asked(browser: Browser, settings: Settings, redis: "Redis[Any]") -> Asked:
    """Calls a service that sends a mail, and answers the address in it, without the host."""
    assert redis.dbsize() == 0

    def ask(send: Callable[..., object], *given: Any, to: str = IDA) -> str:
        with browser.app.app_context():
            send(*given)
            return "/links/" + Mailbox(settings).token(to)

    return ask


def value(browser: Browser, query: str, **known: Any) -> Any:
    with browser.app.app_context(), runtime().engine.connect() as connection:
        return connection.scalar(text(query), known)


def subjects(browser: Browser, settings: Settings, email: str) -> list[str]:
    with browser.app.app_context():
        return Mailbox(settings).subjects(email)


# --- Signing up


def test_a_stranger_finishes_and_is_signed_in(browser: Browser, asked: Asked) -> None:
    link = asked(sign_up.request, IDA)
    page = browser.get(link).text
    assert f'value="{IDA}"' in page
    assert '<optgroup label="Europe">' in page
    assert re.search('<option value="Europe/Berlin">Berlin .UTC.[12].</option>', page)
    done = browser.post(link, display_name="Ida", time_zone="Europe/Berlin", password=PASSWORD)
    assert (done.status_code, done.location) == (303, "/")
    home = browser.get("/").text
    assert "Welcome. The account is made, and you are signed in." in home
    assert "Good to see you, Ida" in home
    assert "Times are in Europe/Berlin" in home


def test_looking_at_a_page_changes_nothing(
    browser: Browser, asked: Asked, make_person: Make
) -> None:
    person = make_person()
    links = [
        asked(sign_up.request, IDA),
        asked(resets.request, person.email, to=person.email),
        asked(invitations.invite_staff, "sam@example.com", "viewer", "Sam", to="sam@example.com"),
        asked(emails.request, person.sign_in_id, "new@example.com", PASSWORD, to="new@example.com"),
    ]
    for link in links * 2:
        for method in (browser.client.get, browser.client.head, browser.client.options):
            assert method(link).status_code == 200
        assert browser.fragment(link).status_code == 200
    assert value(browser, "SELECT count(*) FROM links WHERE used_at IS NOT NULL") == 0
    assert value(browser, "SELECT count(*) FROM sign_ins") == 1


def test_a_user_of_the_games_is_told_what_the_account_is(browser: Browser, asked: Asked) -> None:
    with browser.app.app_context():
        users.create("player-1", "<i>Ida</i>", "America/New_York", IDA)
    link = asked(sign_up.request, IDA)
    page = browser.get(link).text
    assert "&lt;i&gt;Ida&lt;/i&gt;" in page
    assert "America/New York" in page
    assert 'name="time_zone"' not in page
    assert browser.post(link, password=PASSWORD).location == "/"
    home = browser.get("/").text
    assert "The account is yours, with all that it had won already." in home
    assert "Good to see you, &lt;i&gt;Ida" in home


@pytest.mark.parametrize(
    ("field", "given", "says"),
    [
        ("display_name", "", "Enter a name."),
        ("display_name", " ", "A name has from 1 to 200 characters"),
        ("time_zone", "", "Choose your time zone."),
        ("time_zone", "Mars/Olympus", "must be an IANA time zone"),
        ("password", "", "Choose a password."),
        ("password", "short", "A password has from 10 to 200 characters."),
        ("password", "password1234", "among the first to be guessed"),
        ("password", IDA, "must not be the e-mail"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_the_rest_is_kept(
    browser: Browser, asked: Asked, field: str, given: str, says: str
) -> None:
    link = asked(sign_up.request, IDA)
    right = {"display_name": "Ida", "time_zone": "Asia/Tokyo", "password": PASSWORD}
    refused = browser.post(link, **{**right, field: given})
    assert refused.status_code == 422
    [error] = re.findall(rf'<p class="error" id="{field}-error">(.*)</p>', refused.text)
    assert says in error
    assert len(re.findall('class="error"', refused.text)) == 1
    assert PASSWORD not in refused.text
    if field != "display_name":
        assert 'value="Ida"' in refused.text
    if field != "time_zone":
        assert '<option selected value="Asia/Tokyo">' in refused.text
    assert browser.post(link, **right).status_code == 303


def test_an_e_mail_that_is_sent_along_does_not_count(browser: Browser, asked: Asked) -> None:
    link = asked(sign_up.request, IDA)
    fields = {"display_name": "Ida", "time_zone": "UTC", "password": PASSWORD}
    assert browser.post(link, email="eva@example.com", **fields).status_code == 303
    assert value(browser, "SELECT email FROM sign_ins") == IDA


def test_a_second_tab_is_told_that_the_link_is_used(browser: Browser, asked: Asked) -> None:
    link = asked(sign_up.request, IDA)
    fields = {"display_name": "Ida", "time_zone": "UTC", "password": PASSWORD}
    other = Browser(browser.app)
    token = other.token(link)
    browser.post(link, **fields)
    late = other.client.post(link, data={"csrf_token": token, **fields})
    assert late.status_code == 404
    assert "This link can&#39;t be used" in late.text.replace("'", "&#39;")
    assert 'href="/sign-in"' in late.text


def test_an_e_mail_taken_meanwhile_is_told_above_the_form(
    browser: Browser, asked: Asked, make_person: Make
) -> None:
    link = asked(sign_up.request, "person-1@example.com", to="person-1@example.com")
    make_person()
    refused = browser.post(link, display_name="I", time_zone="UTC", password=PASSWORD)
    assert refused.status_code == 422
    assert "There is an account with this e-mail already: sign in." in refused.text


# --- Invitations


def test_staff_accept_and_go_on_to_their_second_factor(browser: Browser, asked: Asked) -> None:
    link = asked(invitations.invite_staff, IDA, "accountant", "Ida Lund")
    page = browser.get(link).text
    assert "Welcome, Ida Lund" in page
    assert "as an <strong>accountant</strong>" in page
    assert "second factor" in page
    assert browser.post(link, password=PASSWORD).status_code == 303
    assert value(browser, "SELECT role FROM sign_ins") == "accountant"
    assert browser.get("/").status_code == 303


def test_a_user_accepts_and_is_at_home(browser: Browser, asked: Asked) -> None:
    with browser.app.app_context():
        player, _ = users.create("player-1", "Ida", "UTC")
    link = asked(invitations.invite_user, IDA, player.id)
    assert "what you won in our games" in browser.get(link).text
    assert browser.post(link, password=PASSWORD).location == "/"
    assert "Good to see you, Ida" in browser.get("/").text


def test_who_accepts_while_somebody_else_is_signed_in_takes_their_place(
    browser: Browser, asked: Asked, ida: Person
) -> None:
    with browser.client.session_transaction() as cookie:
        before = cookie["_user_id"]
    link = asked(invitations.invite_staff, "sam@example.com", "viewer", "Sam", to="sam@example.com")
    browser.post(link, password=PASSWORD)
    with browser.client.session_transaction() as cookie:
        now = cookie["_user_id"]
    with browser.app.app_context():
        assert sessions.visitor(before) is None
        visitor = sessions.visitor(now)
    assert visitor
    assert visitor.role == "viewer"
    assert ida.role == "user"


# --- A new password


def test_a_new_password_ends_every_session_and_is_signed_in_with(
    browser: Browser, asked: Asked, settings: Settings, ida: Person
) -> None:
    link = asked(resets.request, ida.email, to=ida.email)
    done = browser.post(link, password=NEW_PASSWORD)
    assert (done.status_code, done.location) == (303, "/sign-in")
    assert "Your password is changed" in browser.get("/sign-in").text
    assert browser.post("/sign-in", email=ida.email, password=PASSWORD).status_code == 422
    assert browser.post("/sign-in", email=ida.email, password=NEW_PASSWORD).location == "/"
    assert subjects(browser, settings, ida.email)[-1] == "Your password for Dreamland was changed"


def test_a_password_that_would_be_guessed_is_told_beside_the_field(
    browser: Browser, asked: Asked, ida: Person
) -> None:
    link = asked(resets.request, ida.email, to=ida.email)
    refused = browser.post(link, password="qwerty123456")
    assert refused.status_code == 422
    assert 'id="password-error"' in refused.text
    assert browser.get("/").status_code == 200


# --- Another e-mail


def test_an_e_mail_is_changed_by_its_page_and_its_link(
    browser: Browser, asked: Asked, settings: Settings, ida: Person
) -> None:
    assert f"<strong>{ida.email}</strong>" in browser.get("/account/email").text
    sent = browser.post("/account/email", email="new@example.com", current_password=PASSWORD)
    assert sent.location == "/account/email"
    assert "We sent a link to new@example.com." in browser.get("/account/email").text
    link = asked(list, to="new@example.com")
    assert "<strong>new@example.com</strong>" in browser.get(link).text
    done = browser.post(link)
    assert (done.status_code, done.location) == (303, "/account/email")
    page = browser.get("/account/email").text
    assert "From now on you sign in with new@example.com." in page
    assert "You sign in with <strong>new@example.com</strong>" in page
    assert subjects(browser, settings, ida.email) == ["Your e-mail for Dreamland was changed"]


def test_it_can_be_confirmed_in_another_browser(
    browser: Browser, asked: Asked, ida: Person
) -> None:
    link = asked(emails.request, ida.sign_in_id, "new@example.com", PASSWORD, to="new@example.com")
    other = Browser(browser.app)
    assert other.post(link).location == "/sign-in"
    assert "From now on you sign in with new@example.com." in other.get("/sign-in").text


@pytest.mark.parametrize(
    ("field", "given", "says"),
    [
        ("email", "", "Enter an e-mail address."),
        ("email", "nonsense", "@-sign"),
        ("email", "person-1@example.com", "This is your e-mail already."),
        ("current_password", "", "Enter your password."),
        ("current_password", "wrong password", "This is not your password."),
    ],
)
def test_a_change_that_cannot_be_is_told_beside_its_field(
    browser: Browser, ida: Person, field: str, given: str, says: str
) -> None:
    right = {"email": "new@example.com", "current_password": PASSWORD}
    refused = browser.post("/account/email", **{**right, field: given})
    assert refused.status_code == 422
    [error] = re.findall(rf'<p class="error" id="{field}-error">(.*)</p>', refused.text)
    assert says in error
    assert ida.email == "person-1@example.com"


def test_only_who_is_signed_in_changes_an_e_mail(browser: Browser) -> None:
    assert browser.get("/account/email").location == "/sign-in?next=/account/email"


# --- Any link


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", "%00", "a" * 3000, "WzEsMV0.AAAA"])
def test_a_link_that_never_was_says_what_to_do(browser: Browser, token: str) -> None:
    page = browser.get(f"/links/{token}")
    assert page.status_code == 404
    assert "be used" in page.text
    assert 'href="/reset"' in page.text
    assert browser.client.head(f"/links/{token}").status_code == 404


def test_htmx_is_told_of_a_link_that_was_used(browser: Browser, asked: Asked, ida: Person) -> None:
    link = asked(resets.request, ida.email, to=ida.email)
    token = browser.token(link)
    fields = {"csrf_token": token, "password": NEW_PASSWORD}
    done = browser.client.post(link, data=fields, headers=HTMX)
    assert done.headers["HX-Redirect"] == "/sign-in"
    again = browser.client.post(link, data=fields, headers=HTMX)
    assert again.status_code == 404
    assert "<html" not in again.text


def test_a_form_without_its_token_uses_no_link(browser: Browser, asked: Asked, ida: Person) -> None:
    link = asked(resets.request, ida.email, to=ida.email)
    refused = browser.client.post(link, data={"password": NEW_PASSWORD})
    assert refused.status_code == 400
    assert browser.get(link).status_code == 200


def test_no_address_of_a_link_is_in_the_log_or_in_a_page_of_another_host(
    browser: Browser, asked: Asked, capfd: pytest.CaptureFixture[str]
) -> None:
    link = asked(sign_up.request, IDA)
    page = browser.get(link)
    browser.post(link, password="x")
    browser.get(link + "x")
    logged = capfd.readouterr()
    assert link.rpartition("/")[2] not in logged.out + logged.err
    assert page.headers["Referrer-Policy"] in ("no-referrer", "same-origin")
    assert "no-store" in page.headers["Cache-Control"]
