"""Coming in by mail, by hand: signing up, an invitation, a forgotten password, another e-mail; in every way."""

import re
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal.services import users
from portal.services.accounts import invitations, sign_up
from tests.browser import checks
from tests.browser.conftest import Open
from tests.browser.looks import PHONE, SPREAD, Look
from tests.browser.people import PASSWORD
from tests.browser.site import Site
from tests.browser.test_sign_in import sign_in
from tests.concurrency.programs import eventually

NEW_PASSWORD = "another horse entirely"


@pytest.fixture(scope="module", autouse=True)
def post(site: Site) -> None:
    """A worker sends the mails."""
    site.worker()


def link_to(site: Site, email: str, nth: int = 1) -> str:
    """The path of the link in the nth mail to somebody, once that is there."""

    def found() -> list[str]:
        told = []
        for file in sorted(site.mail.glob("*.eml"), key=number):
            message = message_from_bytes(file.read_bytes(), policy=policy.default)
            if message["To"] == email:
                told += re.findall(r"/links/\S+", message.get_content())  # type: ignore[attr-defined]
        return told[nth - 1 :]

    def number(file: Path) -> int:
        return int(file.stem.split("-")[-1])

    return str(eventually(f"a link to {email} is mailed", found)[0])


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_somebody_signs_up_by_mail(page: Page, site: Site, look: Look) -> None:
    email = f"ada-{look}@example.com"
    page.goto("/sign-in")
    page.get_by_role("link", name="Make an account").click()
    page.get_by_label("E-mail").fill("nonsense")
    page.get_by_role("button", name="Send me the link").click()
    expect(page.locator(".error")).to_contain_text("@-sign")
    expect(page.get_by_label("E-mail")).to_have_value("nonsense")
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    expect(page.get_by_text(email)).to_be_visible()
    page.goto(link_to(site, email))
    page.get_by_label("Your name").fill("Ada <b>Lovelace</b>")
    if look.script:
        expect(page.get_by_label("Time zone")).to_have_value("UTC")  # the browser's own
    page.get_by_label("Time zone").select_option("Europe/London")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Make the account").click()
    expect(page.locator(".error")).to_contain_text("from 10 to 200 characters")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/London")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_text("Welcome. The account is made")).to_be_visible()
    expect(page.get_by_role("heading", name="Ada <b>Lovelace</b>")).to_be_visible()
    expect(page.get_by_text("Times are in Europe/London")).to_be_visible()


def test_the_form_begins_at_the_browsers_own_time_zone(open_page: Open, site: Site) -> None:
    with site.app.app_context():
        sign_up.request("far@example.com")
    link = link_to(site, "far@example.com")
    for theirs, ours in (("Asia/Kolkata", "Asia/Kolkata"), ("America/Bogota", "America/Bogota")):
        page = open_page(timezone_id=theirs)
        page.goto(link)
        expect(page.get_by_label("Time zone")).to_have_value(ours)


def test_a_user_of_the_games_finds_the_wallet_that_is_there(page: Page, site: Site) -> None:
    with site.app.app_context():
        users.create("known-1", "Kim", "Asia/Seoul", "kim@example.com")
        sign_up.request("kim@example.com")
    page.goto(link_to(site, "kim@example.com"))
    expect(page.get_by_text("We know you from our games")).to_contain_text("Kim")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_text("The account is yours")).to_be_visible()
    expect(page.get_by_text("Times are in Asia/Seoul")).to_be_visible()


def test_a_forgotten_password_signs_out_everywhere(page: Page, open_page: Open, site: Site) -> None:
    ida = site.people.user("Ida")
    elsewhere = open_page(PHONE)
    site.people.enter(elsewhere.context, ida)
    elsewhere.goto("/")
    expect(elsewhere.get_by_role("heading", name="Ida")).to_be_visible()
    page.goto("/sign-in")
    page.get_by_role("link", name="Forgot the password?").click()
    page.get_by_label("E-mail").fill(ida.email)
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    link = link_to(site, ida.email)
    page.goto(link)
    page.get_by_label("Password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("Your password is changed")).to_be_visible()
    sign_in(page, ida.email, NEW_PASSWORD)
    expect(page.get_by_role("heading", name="Ida")).to_be_visible()
    elsewhere.reload()
    expect(elsewhere).to_have_title("Sign in · Dreamland")
    page.goto(link)
    expect(page.get_by_role("heading", name="This link can't be used")).to_be_visible()


def test_an_e_mail_is_changed_once_the_new_one_is_read(page: Page, site: Site) -> None:
    ida = site.people.user("Ida")
    site.people.enter(page.context, ida)
    page.goto("/account/email")
    page.get_by_label("New e-mail").fill("ida-new@example.com")
    page.get_by_label("Your password").fill("not my password")
    page.get_by_role("button", name="Send the link").click()
    expect(page.locator(".error")).to_contain_text("This is not your password")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("We sent a link to ida-new@example.com")).to_be_visible()
    page.goto(link_to(site, "ida-new@example.com"))
    page.get_by_role("button", name="Sign in with it from now on").click()
    expect(page.get_by_text("From now on you sign in with ida-new@example.com.")).to_be_visible()


def test_every_page_by_mail_is_for_everybody(page: Page, open_page: Open, site: Site) -> None:
    """No violation of axe in either theme, all of it by keyboard, nothing wider than a phone."""
    with site.app.app_context():
        sign_up.request("new@example.com")
        users.create("known-2", "A name that goes on and on " * 5, "UTC", "long@example.com")
        sign_up.request("long@example.com")
        invitations.invite_staff("grace@example.com", "accountant", "Grace")
    ida = site.people.user("Ida")
    page.goto("/reset")
    page.get_by_label("E-mail").fill(ida.email)
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    mailed = [ida.email, "new@example.com", "long@example.com", "grace@example.com"]
    links = [link_to(site, email) for email in mailed]
    phone = open_page(PHONE)
    phone.context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    for address in ("/mail-sent", "/sign-up", "/reset", *links, "/links/none"):
        page.goto(address)
        assert checks.axe(page) == [], address
        assert checks.walk(page).problems == [], address
        phone.goto(address)
        assert not checks.scrolls_sideways(phone), address
    site.people.enter(page.context, ida)
    page.goto("/account/email")
    assert checks.axe(page) == []
    assert checks.walk(page).problems == []
