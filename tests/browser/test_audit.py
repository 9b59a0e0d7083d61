"""The audit log in a browser: with scripts and without, at any size, by keyboard alone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from portal.services import audit
from tests.browser.checks import axe, scrolls_sideways, walk
from tests.browser.looks import PLACES, SPREAD
from tests.browser.site import Site

STUDIO = audit.Actor("client", name="studio", address="192.0.2.1", browser="studio/1.0")
Fill = Callable[[], None]


@pytest.fixture
def fill(site: Site) -> Fill:
    """Puts sixty records into the log."""

    def filled() -> None:
        engine: Engine = site.app.extensions["dreamland"].engine
        with engine.begin() as connection:
            for number in range(60):
                before, after = {"games": None}, {"games": ["maze", f"game-{number}"]}
                audit.record(
                    connection, "client.limited", "client", number, before, after, by=STUDIO
                )

    return filled


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_staff_filter_the_log_and_leaf_through_it(page: Page, site: Site, fill: Fill) -> None:
    fill()
    site.people.enter(page.context, site.people.staff("viewer"))
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Audit log").click()
    expect(page).to_have_title("Audit log · Dreamland")
    page.get_by_label("Who").fill("studio")
    page.get_by_label("What", exact=True).select_option(label="Changed the limits of an API client")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"/audit\?who=studio&action=client\.limited"))
    expect(page.locator("tbody tr")).to_have_count(50)
    expect(page.get_by_label("Who")).to_have_value("studio")
    page.get_by_role("link", name="Older").click()
    expect(page).to_have_url(re.compile(r"before=\d+"))
    expect(page.get_by_role("link", name="Newest")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name="Older")).to_be_visible()
    expect(page.get_by_role("link", name="Newest")).to_have_count(0)
    page.get_by_role("link", name="Show all").click()
    expect(page.get_by_label("Who")).to_have_value("")


@pytest.mark.parametrize("look", PLACES, ids=str)
def test_everybody_can_use_the_log(page: Page, site: Site, fill: Fill) -> None:
    fill()
    site.people.enter(page.context, site.people.staff("viewer"))
    page.goto("/audit?who=studio")
    assert not scrolls_sideways(page)
    assert axe(page) == []
    assert walk(page, 60).problems == []
    page.goto("/audit?since=1999-01-01&who=nobody")
    assert axe(page) == []
