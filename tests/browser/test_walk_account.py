"""A user's account, as it is lived: the second factor, another time zone, other browsers, data and leaving."""

import json
import re
import time
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.looks import PHONE, SPREAD, Look
from tests.browser.people import PASSWORD, Person
from tests.browser.site import Site
from tests.browser.test_sign_in import sign_in

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
STEP_S = 30


@pytest.fixture(scope="module", autouse=True)
def day(site: Site) -> None:
    """Some Friday."""
    site.books.set_clock(START)


@pytest.fixture
def ida(page: Page, site: Site) -> Person:
    """A user in Berlin, whom the page belongs to."""
    made = site.people.user("Ida", "Europe/Berlin")
    site.people.enter(page.context, made)
    return made


def code_after(app: pyotp.TOTP, used: str) -> str:
    """A code that was not used yet: the phone may be half a minute ahead."""
    return next(
        code for step in (0, 1) if (code := app.at(int(time.time()) + step * STEP_S)) != used
    )


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_a_second_factor_is_set_up_asked_for_and_done_without(
    page: Page, open_page: Open, look: Look, ida: Person
) -> None:
    page.goto("/account")
    page.get_by_role("link", name="Second factor").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Set it up").click()
    key = page.locator("code.secret")
    expect(key).to_be_visible()
    app = pyotp.TOTP(key.inner_text().replace(" ", ""))
    page.get_by_label("Code of your app").fill("000000")
    page.get_by_role("button", name="Switch it on").click()
    expect(page.locator(".error")).to_contain_text("This code is not right")
    first = app.at(int(time.time()) - STEP_S)
    page.get_by_label("Code of your app").fill(first)
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_text("The second factor is on")).to_be_visible()
    codes = page.locator(".codes").inner_text().split("\n")
    assert len(codes) == 10

    elsewhere = open_page(look)
    elsewhere.goto("/account")
    sign_in(elsewhere, ida.email)
    expect(elsewhere.get_by_role("heading", name="The second factor")).to_be_visible()
    elsewhere.get_by_label("Code of your app").fill(code_after(app, first))
    elsewhere.get_by_role("button", name="Sign in").click()
    expect(elsewhere.get_by_role("heading", name="Account")).to_be_visible()

    lost = open_page(look)
    lost.goto("/sign-in")
    sign_in(lost, ida.email)
    lost.get_by_role("link", name="Use a recovery code").click()
    lost.get_by_label("Recovery code").fill(codes[0])
    lost.get_by_role("button", name="Sign in").click()
    expect(lost.get_by_role("heading", name="Ida")).to_be_visible()
    lost.goto("/account/second-factor")
    expect(lost.get_by_text("9 left.")).to_be_visible()


def test_signing_out_everywhere_ends_every_browser(
    page: Page, open_page: Open, site: Site, ida: Person
) -> None:
    others = [open_page(PHONE), open_page(Look(script=False))]
    for other in others:
        site.people.enter(other.context, ida)
        other.goto("/")
        expect(other.get_by_role("heading", name="Ida")).to_be_visible()
    page.goto("/account/sessions")
    expect(page.locator("#sessions li")).to_have_count(3)
    page.locator("#sessions li").get_by_role("button").first.click()
    expect(page.locator("#sessions li")).to_have_count(2)
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page).to_have_title("Sign in · Dreamland")
    for other in others:
        other.goto("/today")
        expect(other).to_have_title("Sign in · Dreamland")


@pytest.mark.parametrize("look", [PHONE, Look(script=False, dark=True)], ids=str)
def test_the_data_is_downloaded_and_the_account_deleted_and_kept(
    page: Page, look: Look, ida: Person
) -> None:
    assert look
    page.goto("/account/data")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert ida.email in json.dumps(json.loads(download.value.path().read_text()))
    page.goto("/account/deletion")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button").click()
    expect(page.get_by_role("heading", name="Your account is to be deleted")).to_be_visible()
    page.get_by_role("button", name="Keep the account").click()
    page.goto("/account/deletion")
    expect(page.get_by_role("heading", name="Delete the account")).to_be_visible()


def test_another_password_and_name_hold_from_now_on(
    page: Page, open_page: Open, ida: Person
) -> None:
    page.goto("/account/name")
    page.get_by_label("Name").fill("Ida the Second")
    page.get_by_role("main").get_by_role("button").click()
    expect(page.get_by_text("Ida the Second").first).to_be_visible()
    page.goto("/account/password")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("another horse entirely")
    page.get_by_label("New password again").fill("another horse")
    page.get_by_role("main").get_by_role("button").click()
    expect(page.locator(".error")).to_contain_text("not the same")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("another horse entirely")
    page.get_by_label("New password again").fill("another horse entirely")
    page.get_by_role("main").get_by_role("button").click()
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    elsewhere = open_page()
    elsewhere.goto("/sign-in")
    sign_in(elsewhere, ida.email, "another horse entirely")
    expect(elsewhere.get_by_role("heading", name="Ida the Second")).to_be_visible()


@pytest.mark.parametrize("look", SPREAD[1:3], ids=str)
def test_a_time_zone_changes_when_the_day_ends_and_not_before(
    page: Page, site: Site, look: Look, ida: Person
) -> None:
    """Last in this module, whose clock it moves by a day."""
    assert look
    assert ida.user_id
    page.goto("/account/time-zone")
    page.get_by_label("Time zone").select_option("Asia/Kolkata")
    page.get_by_role("button", name="Change the time zone").click()
    expect(page.get_by_text("will be Kolkata when your day has ended")).to_be_visible()
    expect(page.get_by_text("Times are in Europe/Berlin")).to_be_visible()
    expect(page.get_by_text(re.compile("It can be changed again from"))).to_be_visible()
    site.books.set_clock(site.books.now() + timedelta(days=1))
    page.reload()
    expect(page.get_by_text("Times are in Asia/Kolkata")).to_be_visible()
