"""Signing in and out by hand, as everybody does, with scripts and without, at any size."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import SPREAD
from tests.browser.people import PASSWORD
from tests.browser.site import Site


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_whoever_asks_for_a_page_signs_in_first_and_then_sees_it(page: Page, site: Site) -> None:
    ida = site.people.user("Ida")
    page.goto("/?from=mail")
    expect(page).to_have_title("Sign in · Dreamland")
    sign_in(page, ida.email, "not the password")
    expect(page.get_by_role("alert").filter(has_text="is not right")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_value(ida.email)
    sign_in(page, ida.email)
    expect(page.get_by_role("heading", name="Ida")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.goto("/")
    expect(page).to_have_title("Sign in · Dreamland")


def test_a_browser_signed_in_by_the_tests_is_signed_in(page: Page, site: Site) -> None:
    site.people.enter(page.context, site.people.user("Bea"))
    page.goto("/")
    expect(page.get_by_role("heading", name="Bea")).to_be_visible()
    site.people.enter(page.context, site.people.staff("admin"))
    page.goto("/")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
