"""Search and what it leads to: `/`, a word, there; users, their days and entries, by mouse, by keyboard, without scripts."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from portal.services import clients, conversions
from portal.services.demo import convert_now
from tests.browser import checks
from tests.browser.looks import PLACES, SPREAD, Look
from tests.browser.people import Person
from tests.browser.site import Site
from tests.concurrency.web import win_body

START = datetime(2026, 12, 4, 10, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Stage:
    """A user with a win that was converted, and a hold."""

    ida: Person
    hour: datetime
    key: str


@pytest.fixture(scope="module")
def stage(site: Site) -> Stage:
    site.books.set_clock(START)
    ida = site.people.user("Ida Falk", "Europe/Berlin")
    body = win_body(site.books.now(), "1.5", "round-77") | {"game": "maze"}
    assert site.game().win(ida.user_id, "idempotent-77", body).status == 201
    hour = site.books.next_hour()
    with site.app.app_context():
        conversions.convert_due(convert_now, wait=True)
        key = clients.create_key("studio", ["read"])
    site.books.top_up(ida.user_id, "GOLD_COIN", "100")
    site.books.hold(ida.user_id, "GOLD_COIN", "30")
    return Stage(ida, hour, key)


def seek(page: Page, asked: str, look: Look) -> None:
    """Ask the box in the header, which the key `/` leads to where scripts run."""
    box = page.get_by_role("searchbox", name="Search entries, keys, references, users")
    if look.script:
        page.locator("h1").first.click()
        page.keyboard.press("/")
        expect(box).to_be_focused()
        page.keyboard.type(asked)
    else:
        box.fill(asked)
    box.press("Enter")


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_whatever_one_has_in_hand_leads_to_what_it_is_of(
    page: Page, site: Site, stage: Stage, look: Look
) -> None:
    site.people.enter(page.context, site.people.staff("viewer"))
    page.goto("/users")
    ida, first = stage.ida, f"{stage.ida.user_id}-1"
    for asked, address in (
        (first, f"/entries/{first}"),
        ("idempotent-77", f"/entries/{first}"),
        ("round-77", f"/entries/{first}"),
        (ida.email.upper(), f"/users/{ida.user_id}"),
        (str(ida.user_id), f"/users/{ida.user_id}"),
        ("ida fa", f"/users/{ida.user_id}"),
        (f"{stage.hour:%Y-%m-%d %H}:30", f"/conversions/{stage.hour:%Y-%m-%dT%H}:00Z"),
        (stage.key[:12], "/clients/"),
    ):
        seek(page, asked, look)
        expect(page).to_have_url(re.compile(re.escape(site.base + address)))
    page.go_back()
    expect(page).to_have_url(re.compile("/conversions/"))
    assert not checks.scrolls_sideways(page)


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_several_are_listed_and_none_is_told(
    page: Page, site: Site, stage: Stage, look: Look
) -> None:
    site.people.user("Idar")
    site.people.enter(page.context, site.people.staff("viewer"))
    page.goto("/search")
    expect(page.get_by_role("heading", name="What can be looked for")).to_be_visible()
    seek(page, "ida", look)
    users = page.get_by_role("table", name="Users")
    expect(users.get_by_role("link", name="Ida Falk")).to_be_visible()
    page.get_by_role("main").get_by_label("What you have in hand").fill("no such thing")
    page.get_by_role("main").get_by_role("button", name="Search").click()
    expect(page.get_by_text("Nothing is called that.")).to_be_visible()
    page.go_back()
    users.get_by_role("link", name="Ida Falk").click()
    expect(page.get_by_role("heading", name="Ida Falk")).to_be_visible()
    assert page.url == f"{site.base}/users/{stage.ida.user_id}"


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_a_user_is_followed_to_the_posting_and_back(page: Page, site: Site, stage: Stage) -> None:
    site.people.enter(page.context, site.people.staff("viewer"))
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Users").click()
    page.get_by_label("Who").fill("ida f")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"/users\?who=ida"))
    page.get_by_role("link", name="Ida Falk").click()
    expect(page.get_by_role("table", name="Open holds")).to_contain_text("30 Gold Coins")
    page.get_by_role("link", name="Gold Coins").click()
    expect(page.get_by_role("row", name=re.compile("Topped up"))).to_contain_text("100")
    page.get_by_role("navigation", name="The way back").get_by_role("link", name="Ida Falk").click()
    page.get_by_role("link", name="Days", exact=True).click()
    page.get_by_role("link", name=re.compile("Dec 2026")).first.click()
    page.get_by_role("row", name=re.compile("Won in maze")).get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Won in maze")).to_be_visible()
    expect(page.get_by_text("debits equal credits")).to_have_count(2)
    page.get_by_role("link", name=re.compile("EARNED")).click()
    expect(page).to_have_url(re.compile("/accounts/DREAM/TOKENS_EARNED/days/"))
    page.go_back()
    page.get_by_role("link", name=f"{stage.ida.user_id}-2", exact=True).click()
    expect(page.get_by_role("heading", name="Converted to USD")).to_be_visible()
    page.get_by_role("navigation", name="The way back").get_by_role("link", name="Entries").click()
    expect(page.get_by_role("row")).to_have_count(5)


def test_the_keyboard_alone_will_do(page: Page, site: Site, stage: Stage) -> None:
    site.people.enter(page.context, site.people.staff("viewer"))
    page.goto("/audit")
    page.keyboard.press("/")
    page.keyboard.type("round-77\n")
    expect(page.get_by_role("heading", name="Won in maze")).to_be_visible()
    page.get_by_role("navigation", name="The way back").get_by_role("link", name="Ida").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ida Falk")).to_be_visible()
    assert checks.walk(page).problems == []
    page.get_by_label("Search entries").focus()
    page.keyboard.type("1/2")
    expect(page.get_by_label("Search entries")).to_have_value("1/2")
    assert stage.hour < site.books.now()


@pytest.mark.parametrize("look", PLACES, ids=str)
def test_what_is_wrong_is_told_to_everybody(page: Page, site: Site, look: Look) -> None:
    site.people.enter(page.context, site.people.staff("viewer"))
    for address in (f"/search?q={'x' * 2000}", "/search?q=%20", "/users?who=%00"):
        page.goto(address)
        expect(page.locator("[aria-invalid=true]")).to_have_count(1)
        assert checks.axe(page, "main") == [], look
        assert not checks.scrolls_sideways(page)
