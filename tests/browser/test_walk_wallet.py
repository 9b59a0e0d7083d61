"""A user's wallet, as it is lived: wins arrive while one looks on, the hour is converted, and all of it can be followed."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from portal.services import conversions
from portal.services.demo import convert_now
from tests.browser import checks
from tests.browser.looks import SPREAD, Look
from tests.browser.people import Person
from tests.browser.site import Site
from tests.browser.test_sign_in import sign_in
from tests.concurrency.web import win_body

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
LIVE_MS = 30_000
HIDE = "() => { Object.defineProperty(document, 'hidden', {get: () => true, configurable: true}); }"
LOOK_AGAIN = """() => {
  delete document.hidden;
  document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.fixture(scope="module", autouse=True)
def day(site: Site) -> None:
    """Noon of a Friday, far from any hour's end."""
    site.books.set_clock(START)


def win(site: Site, person: Person, amount: str, game: str, key: str) -> None:
    """A game server books a win, by the API."""
    body = win_body(site.books.now(), amount, f"round-{key}") | {"game": game}
    answer = site.game().win(person.user_id, f"{person.user_id}-{key}", body)
    assert answer.status == 201, answer


def next_hour(site: Site) -> None:
    """The hour ends, and what was won in it is converted."""
    site.books.next_hour()
    with site.app.app_context():
        conversions.convert_due(convert_now, wait=True)


def test_a_win_arrives_by_itself_while_one_looks_on(page: Page, site: Site) -> None:
    """On the clock on the wall: within 30 seconds, without the page being loaded again."""
    ida = site.people.user("Ida")
    site.people.enter(page.context, ida)
    page.goto("/")
    expect(page.get_by_text("Nothing yet. Play a game")).to_be_visible()
    page.evaluate("() => { window.notLoadedAgain = true; }")
    win(site, ida, "1.25", "maze", "1")
    expect(page.get_by_role("link", name="Won in maze")).to_be_visible(timeout=LIVE_MS)
    expect(page.locator(".figure").first).to_contain_text("1.25")
    expect(page.get_by_role("status").filter(has_text="New")).to_contain_text("Won in maze")
    assert page.evaluate("() => window.notLoadedAgain")


def test_a_page_that_nobody_looks_at_asks_for_nothing(page: Page, site: Site) -> None:
    ida = site.people.user("Ida")
    site.people.enter(page.context, ida)
    page.clock.install()
    page.goto("/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response("**/?*"):
        page.clock.run_for(16_000)
    assert len(asked) == 1
    page.evaluate(HIDE)
    win(site, ida, "0.5", "tower", "1")
    page.clock.run_for(120_000)
    assert len(asked) == 1
    with page.expect_response("**/?*"):
        page.evaluate(LOOK_AGAIN)
    expect(page.get_by_role("link", name="Won in tower")).to_be_visible()
    assert len(asked) == 2


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_what_was_won_is_followed_from_home_to_the_books(
    page: Page, site: Site, look: Look
) -> None:
    """Home, today by game, the conversion, its day and hour, the entry with its lines, the wallets."""
    ida = site.people.user(f"Ida {look}")
    site.people.enter(page.context, ida)
    for number, (amount, game) in enumerate((("1", "maze"), ("0.25", "maze"), ("2", "tower"))):
        win(site, ida, amount, game, str(number))
    page.goto("/")
    expect(page.locator(".figure").first).to_contain_text("3.25")
    expect(page.get_by_text("65 %")).to_be_visible()
    page.get_by_role("link", name="Every win of today").click()
    expect(page.get_by_role("row")).to_have_count(4)
    expect(page.get_by_text("running hour").first).to_be_visible()
    page.get_by_role("link", name=re.compile("^tower")).click()
    expect(page).to_have_url(re.compile("game=tower"))
    expect(page.get_by_role("row")).to_have_count(2)
    page.go_back()
    expect(page.get_by_role("row")).to_have_count(4)
    next_hour(site)
    page.reload()
    expect(page.get_by_text("converted", exact=True)).to_have_count(3)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="USD").click()
    expect(page.get_by_role("heading", name="USD by day")).to_be_visible()
    expect(page.locator("#tied ~ dl")).to_contain_text("0.4875")
    page.get_by_role("link", name=re.compile("^Hours of")).click()
    hour = page.locator("tr.hour" if look.script else "tbody tr")
    expect(hour).to_have_count(1)
    expect(hour).to_contain_text("0.15")
    hour.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Converted to USD")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("USD_"))).to_contain_text("0.4875")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Wallets").click()
    page.get_by_role("main").get_by_role("link", name=re.compile("US dollar|USD")).first.click()
    expect(page.get_by_role("row", name=re.compile("Converted"))).to_contain_text("0.4875")
    assert not checks.scrolls_sideways(page)


def test_a_conversion_arrives_by_itself(page: Page, site: Site) -> None:
    ida = site.people.user("Ida")
    site.people.enter(page.context, ida)
    win(site, ida, "2", "maze", "1")
    page.clock.install()
    page.goto("/")
    expect(page.get_by_role("link", name="Won in maze")).to_be_visible()
    next_hour(site)
    page.clock.run_for(16_000)
    expect(page.get_by_role("link", name="Converted to USD")).to_be_visible()
    expect(page.locator(".cards")).to_contain_text("0.30")


def test_days_are_chosen_and_a_wrong_choice_is_told_beside_its_field(
    page: Page, site: Site
) -> None:
    ida = site.people.user("Ida")
    site.people.enter(page.context, ida)
    win(site, ida, "1", "maze", "1")
    next_hour(site)
    page.goto("/usd")
    page.get_by_label("First day").fill("2026-11-25")
    page.get_by_label("Last day").fill("2026-11-20")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".error").first).to_be_visible()
    expect(page.get_by_label("First day")).to_have_value("2026-11-25")
    page.get_by_label("First day").fill("2026-11-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="Sun 1 Nov 2026 to Fri 20 Nov 2026")).to_be_visible()
    expect(page).to_have_url(re.compile("first=2026-11-01"))


def test_a_statement_prints_one_page_a_month_with_nothing_but_itself(
    page: Page, site: Site
) -> None:
    ida = site.people.user("Ida")
    site.people.enter(page.context, ida)
    win(site, ida, "1", "maze", "1")
    next_hour(site)
    page.goto("/statements")
    page.get_by_role("link", name="November 2026").click()
    expect(page.get_by_role("heading", name="Statement of November 2026")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("table").first).to_be_visible()
    for gone in (page.locator(".top"), page.locator("footer"), page.get_by_role("button")):
        for each in gone.all():
            expect(each).to_be_hidden()
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


def test_xss_in_a_game_and_a_reference_is_shown_as_text(page: Page, site: Site) -> None:
    mallory = site.people.user("<script>alert('name')</script>")
    site.people.enter(page.context, mallory)
    evil = "<img src=x onerror=alert('game')>"
    body = win_body(site.books.now(), "1", "<script>alert('reference')</script>") | {"game": evil}
    assert site.game().win(mallory.user_id, f"xss-{mallory.user_id}", body).status == 201
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    for address in ("/", "/today", "/entries", f"/entries/{mallory.user_id}-1", "/account"):
        page.goto(address)
        shown = "name" if address == "/account" else "game"
        expect(page.get_by_text(f"alert('{shown}')").first).to_be_visible()
    assert said == []


def test_a_session_that_ended_leads_to_sign_in_and_back_from_where_htmx_was(
    page: Page, site: Site
) -> None:
    ida = site.people.user("Ida")
    site.people.enter(page.context, ida)
    for game in ("maze", "tower"):
        win(site, ida, "1", game, game)
    page.goto("/today")
    page.context.clear_cookies()
    page.get_by_role("link", name=re.compile("^maze")).click()
    expect(page).to_have_title("Sign in · Dreamland")
    sign_in(page, ida.email)
    expect(page.get_by_role("heading", name="Today's tokens")).to_be_visible()


def test_the_keyboard_alone_does_it_all(page: Page, site: Site) -> None:
    """Signs in, goes to today, filters, opens an entry, goes back, signs out."""
    ida = site.people.user("Ida")
    for game in ("maze", "tower"):
        win(site, ida, "1", game, game)
    page.goto("/sign-in")
    press_to(page, "E-mail")
    page.keyboard.type(ida.email)
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ida")).to_be_visible()
    press_to(page, "Today")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Today's tokens")).to_be_visible()
    press_to(page, "maze")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    press_to(page, r"^\d\d:\d\d:\d\d$")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Won in maze")).to_be_visible()
    page.go_back()  # the browser's own key, which a headless one has not
    expect(page.get_by_role("heading", name="Today's tokens")).to_be_visible()
    press_to(page, "Sign out")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You are signed out.")).to_be_visible()


NAME = """() => {
  const at = document.activeElement;
  return at.ariaLabel || (at.labels && at.labels[0] && at.labels[0].innerText) || at.innerText || '';
}"""


def press_to(page: Page, name: str) -> None:
    """Press Tab until the focus is on what has the name."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if re.search(name, page.evaluate(NAME).strip()):
            return
    raise AssertionError(f"the Tab key never came to {name}")
