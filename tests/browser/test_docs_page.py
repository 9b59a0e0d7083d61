"""/docs, the page of the API's calls: no fault in axe, by keyboard or on a phone, in either theme."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import checks
from tests.browser.looks import EVERY, PHONE, PLACES


@pytest.mark.parametrize("look", EVERY, ids=str)
def test_it_shows_every_call_at_any_size_with_scripts_and_without(page: Page) -> None:
    page.goto("/docs")
    expect(page.get_by_role("heading", name="Dreamland API")).to_be_visible()
    assert not checks.scrolls_sideways(page)


@pytest.mark.parametrize("look", [PHONE], ids=str)
def test_axe_finds_nothing_in_either_theme(page: Page) -> None:
    """One group of calls for all: the page is as long as a book, and axe takes a minute for it."""
    page.goto("/docs")
    parts = "header, nav, #about, #tag-credits, #headers, #errors"
    assert "\n".join(checks.axe(page, within=parts)) == ""


@pytest.mark.parametrize("look", PLACES, ids=str)
def test_whoever_walks_it_by_keyboard_sees_where_they_are(page: Page) -> None:
    """Its first stops: all of them are some hundred, each a link like these."""
    page.goto("/docs")
    walk = checks.walk(page, most=25)
    assert walk.reached[0] == "<a> Skip to the calls"
    assert walk.problems == []
