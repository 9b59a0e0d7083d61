"""The books as finance follows them: from the trial balance down to an entry and back; fees; what is printed."""

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from portal.services import conversions
from portal.services.demo import convert_now
from tests.browser import checks
from tests.browser.looks import DESKTOP, PHONE, SPREAD, Look
from tests.browser.people import PASSWORD, Person
from tests.browser.site import Site
from tests.browser.test_sign_in import sign_in
from tests.browser.test_walk_account import code_after
from tests.browser.test_walk_wallet import press_to

START = datetime(2026, 11, 20, 15, 10, tzinfo=UTC)
MORNING = datetime(2026, 11, 21, 9, 20, tzinfo=UTC)
ACCOUNT, DAY, HOUR = "TOKENS_INVENTORY", "Fri 20 Nov 2026", "15:00"
WINNERS = 3


@pytest.fixture(scope="module", autouse=True)
def ida(site: Site) -> int:
    """A user who won twice on Friday at 15:10, others who won later; all was converted; it is Saturday."""
    site.books.set_clock(START)
    owners = [site.people.user(name).user_id for name in ("Ida", "Bea", "Theo")]
    site.books.win(owners[0], "1.25")
    site.books.win(owners[0], "0.000000000000000001")
    for owner in owners[1:]:
        site.books.win(owner, "2")
    site.books.top_up(owners[1], "GOLD_COIN", "500")
    site.books.set_clock(START + timedelta(hours=3))
    site.books.win(owners[2], "1.5")
    site.books.set_clock(MORNING)
    with site.app.app_context():
        conversions.convert_due(convert_now, wait=True)
    site.books.win(owners[1], "0.5")
    return owners[0]


@pytest.fixture
def grace(site: Site) -> Person:
    return site.people.staff("accountant")


@pytest.fixture
def viewer(page: Page, site: Site) -> Page:
    """The page, of somebody who may look."""
    site.people.enter(page.context, site.people.staff("viewer"))
    return page


def code(person: Person) -> str:
    """What the app on the phone shows, that was not used when it was set up."""
    assert person.totp
    return code_after(person.totp, person.totp.at(int(time.time())))


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_a_figure_of_yesterday_is_followed_from_the_door_to_its_entry_and_back(
    page: Page, look: Look, grace: Person, ida: int
) -> None:
    """Sign-in with the second factor, overview, trial balance of 17:00, account, day, hour, user, entry."""
    page.goto("/sign-in")
    sign_in(page, grace.email)
    page.get_by_label("Code of your app").fill(code(grace))
    page.get_by_role("button", name="Sign in").click()
    main = page.get_by_role("navigation", name="Main")
    expect(main.get_by_role("link", name="Overview")).to_have_attribute("aria-current", "page")
    main.get_by_role("link", name="Trial balance").click()
    expect(page.get_by_role("heading", name="Trial balance")).to_be_visible()
    page.get_by_role("link", name="Yesterday, 17:00").click()
    expect(page.get_by_text("2026-11-20 17:00:00.000000 UTC")).to_be_visible()
    expect(page.get_by_text("All of its hours are closed")).to_be_visible()
    expect(page.get_by_text("Debits equal credits")).to_have_count(6)
    row = page.get_by_role("row", name=re.compile(f"^{ACCOUNT}" if not look.phone else ACCOUNT))
    figure = row.get_by_role("link").nth(1)
    expect(figure).to_have_text("5.250000000000000001")
    figure.click()
    expect(page.get_by_role("heading", name=ACCOUNT)).to_be_visible()
    for name, total in ((DAY, "5.250000000000000001"), (HOUR, "5.250000000000000001")):
        expect(page.locator("tfoot")).to_contain_text(total)
        page.get_by_role("rowheader").get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    expect(page.get_by_role("rowheader").get_by_role("link")).to_have_count(WINNERS)
    page.get_by_role("link", name=f"User {ida}", exact=True).click()
    expect(page.locator("tfoot")).to_contain_text("1.250000000000000001")
    page.get_by_role("link", name=f"{ida}-1", exact=True).click()
    expect(page.get_by_role("heading", name="Won")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("TOKENS_EARNED")
    assert not checks.scrolls_sideways(page)
    page.get_by_role("link", name=ACCOUNT).click()
    way = page.get_by_role("navigation", name="The way back")
    for name in (f"{HOUR} UTC", DAY, f"DREAM {ACCOUNT}", "Trial balance"):
        way.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(name.split()[-1])


@pytest.mark.parametrize("look", SPREAD[:1], ids=str)
def test_the_browsers_own_way_back_shows_the_same_time_again(viewer: Page, look: Look) -> None:
    assert look
    viewer.goto("/trial-balance")
    viewer.get_by_role("link", name="Yesterday, 17:00").click()
    stamp = viewer.get_by_text("2026-11-20 17:00:00.000000 UTC")
    expect(stamp).to_be_visible()
    viewer.get_by_role("link", name=re.compile(ACCOUNT)).first.click()
    viewer.get_by_role("rowheader").get_by_role("link", name=DAY).click()
    expect(viewer.get_by_role("heading", name=DAY)).to_be_visible()
    viewer.go_back()
    viewer.go_back()
    expect(viewer.get_by_role("heading", name="Trial balance")).to_be_visible()
    expect(stamp).to_be_visible()


def test_the_keyboard_alone_follows_a_figure(page: Page, grace: Person, ida: int) -> None:
    page.goto("/sign-in")
    press_to(page, "E-mail")
    page.keyboard.type(grace.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The second factor")).to_be_visible()
    press_to(page, "Code of your app")
    page.keyboard.type(code(grace))
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    for name in (
        *("^Trial balance$", "^Yesterday, 17:00$", f"^{ACCOUNT}", f"^{DAY}", f"^{HOUR}$"),
        *(
            f"^User {ida}$",
            f"^{ida}-1$",
            f"^{ACCOUNT}",
            f"^{HOUR} UTC",
            f"^{DAY}",
            "^Trial balance$",
        ),
    ):
        before = page.url
        press_to(page, name)
        page.keyboard.press("Enter")
        expect(page).not_to_have_url(before)
    expect(page.get_by_role("heading", name="Trial balance")).to_be_visible()


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_a_time_is_asked_for_and_what_makes_no_sense_is_told(viewer: Page, look: Look) -> None:
    assert look
    viewer.goto("/trial-balance")
    viewer.get_by_label("Up to").fill("2026-11-20T17:00")
    viewer.get_by_role("button", name="Show").click()
    expect(viewer.locator(".error")).to_contain_text("Add the offset")
    expect(viewer.get_by_label("Up to")).to_have_value("2026-11-20T17:00")
    viewer.get_by_label("Up to").fill("2026-11-20T18:00+01:00")
    viewer.get_by_label("Ledger").select_option("FEES")
    viewer.get_by_label("Side").select_option("dreamland")
    viewer.get_by_role("button", name="Show").click()
    expect(viewer.get_by_text("2026-11-20 17:00:00.000000 UTC")).to_be_visible()
    expect(viewer.get_by_role("table")).to_have_count(1)
    viewer.get_by_label("Clock").select_option("accounting")
    viewer.get_by_label("Up to").fill("")
    viewer.get_by_role("button", name="Show").click()
    expect(viewer.get_by_text("November 2026 is not closed")).to_be_visible()
    with viewer.expect_download() as file:
        viewer.get_by_role("link", name=re.compile("CSV")).click()
    assert "FEES_PAYABLE" in file.value.path().read_text()


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_fees_are_looked_at_by_day_and_by_hour(viewer: Page, look: Look) -> None:
    assert look
    viewer.goto("/")
    viewer.get_by_role("navigation", name="Main").get_by_role("link", name="Fees").click()
    expect(viewer.get_by_text("Equals FEES_PAYABLE")).to_be_visible()
    expect(viewer.get_by_text("in force")).to_have_count(2)
    viewer.get_by_role("link", name="By day").click()
    expect(viewer.get_by_role("img", name=re.compile("^Fees by day"))).to_be_visible()
    viewer.get_by_role("row", name=re.compile(DAY)).get_by_role("link").first.click()
    expect(viewer.get_by_role("heading", name=DAY)).to_be_visible()
    expect(viewer.get_by_role("heading", level=1)).to_contain_text("FEE_ISSUANCE")
    viewer.go_back()
    viewer.get_by_role("link", name="By hour").click()
    expect(viewer.get_by_role("heading", name="Fees by hour")).to_be_visible()
    viewer.get_by_role("link", name=re.compile(f"{DAY}, 15:00 UTC")).click()
    expect(viewer).to_have_url(re.compile("/conversions/2026-11-20T15:00Z"))


@pytest.mark.parametrize("look", [PHONE, DESKTOP], ids=str)
def test_everybody_can_follow_the_books(viewer: Page, site: Site, ida: int, look: Look) -> None:
    """Also with the largest amounts there can be."""
    assert look
    top = "/accounts/DREAM/TOKENS_INVENTORY"
    hour = f"{top}/days/2026-11-20/hours/2026-11-20T15:00Z"
    if look == PHONE:
        site.books.top_up(ida, "DIAMOND", str(2**256 - 1))
        assert site.books.wallet(ida, "DIAMOND")
    for address in (
        *("/trial-balance", "/trial-balance?since=2026-11-20T16:00Z&side=dreamland", top),
        *("/trial-balance?until=x", f"{top}/days/2026-11-20", hour, f"{hour}/users/{ida}"),
        *("/accounts/DIAMOND/INVENTORY", "/fees?by=day", "/fees/hours", "/fees?first=1999-01-01"),
    ):
        viewer.goto(address)
        assert not checks.scrolls_sideways(viewer), address
        assert checks.axe(viewer) == [], address
    assert checks.walk(viewer).problems == []


@pytest.mark.parametrize("query", ["", "?since=2026-11-20T16:00Z"])
def test_a_trial_balance_prints_on_few_pages_with_its_time_and_nothing_else(
    viewer: Page, query: str
) -> None:
    viewer.goto(f"/trial-balance{query}")
    viewer.emulate_media(media="print")
    expect(viewer.get_by_text("As of")).to_be_visible()
    expect(viewer.get_by_text("Debits equal credits")).to_have_count(6)
    gone = (".top", "footer", ".filters", ".chips", "button")
    for each in (found for name in gone for found in viewer.locator(name).all()):
        expect(each).to_be_hidden()
    printed = viewer.pdf(prefer_css_page_size=True)
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 3
