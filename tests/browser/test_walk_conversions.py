"""Conversions as finance lives them: one watched while it runs, one run again, one given its rate by hand."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import URL

from config import Settings
from portal.ledger.clock import HOUR
from portal.pages import hours
from portal.services import conversions, verification
from portal.services.demo import convert_now
from tests.browser import checks
from tests.browser.looks import SPREAD, Look
from tests.browser.site import Site, served
from tests.concurrency.programs import eventually
from tests.concurrency.watch import Watch
from tests.conftest import settings_for
from tests.jobs.rate_server import RateServer, fixed, rate_server

START = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
USERS = 12
LOCK = "SELECT FROM ledger.owners WHERE owner_id = :o FOR UPDATE"
STATE = "SELECT state FROM conversion_runs WHERE hour = :h"
RATE = "SELECT rate FROM ledger.hour_rates WHERE hour = :h"
REFUSED = "SELECT count(*) FROM audit_events WHERE action = 'access.refused'"
VERIFIED = "SELECT count(*) FROM verifications WHERE state = 'clean'"


@pytest.fixture(scope="module")
def rates() -> Iterator[RateServer]:
    with rate_server() as server:
        yield server


@pytest.fixture(scope="module")
def settings(
    shared_database: URL, rates: RateServer, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """A user a chunk, so that there is something to be watched, and rates from a server."""
    made = settings_for(shared_database, tmp_path_factory.mktemp("walk"))
    return replace(
        made,
        chunk_users=1,
        rate_source="http",
        rate_url=rates.url,
        rate_attempts=1,
        rate_timeout_s=20,
        rate_max_move_percent=Decimal(25),
    )


@pytest.fixture(scope="module")
def site(
    shared_database: URL, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """One for all tests of the module, with a worker."""
    with served(shared_database, tmp_path_factory.mktemp("site"), settings) as made:
        made.books.set_clock(START)
        made.worker()
        yield made


@pytest.fixture(scope="module")
def owners(site: Site) -> list[int]:
    return [site.books.owner() for _ in range(USERS)]


@pytest.fixture
def watch(shared_database: URL) -> Iterator[Watch]:
    made = Watch(shared_database)
    yield made
    made.dispose()


def play(site: Site, owners: list[int]) -> datetime:
    """Everybody wins a token; then the hour is over. The hour."""
    for owner in owners:
        site.books.win(owner, "0.1")
    ended = site.books.next_hour()
    site.books.set_clock(ended + HOUR + timedelta(minutes=10))
    return ended


def finish(site: Site) -> None:
    """Whatever is due is done."""
    with site.app.app_context():
        conversions.convert_due(convert_now, wait=True)


def address(hour: datetime) -> str:
    return f"/conversions/{hours.name(hour)}"


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_a_conversion_is_watched_while_it_runs(
    page: Page, site: Site, owners: list[int], watch: Watch, look: Look
) -> None:
    """Asked for on the page; a worker converts half of it and stands, then the rest; then nothing is asked any more."""
    finish(site)
    hour = play(site, owners)
    site.people.enter(page.context, site.people.staff("accountant"))
    page.goto("/")
    page.get_by_role("link", name=re.compile(f"{hour:%-d %b %Y, %H}:00 UTC")).first.click()
    with watch.hold(LOCK, o=owners[USERS // 2]) as held:
        page.get_by_role("button", name="Convert now").click()
        expect(page.get_by_text("A worker was asked")).to_be_visible()
        eventually("a worker stands at the user that is locked", held.blocked)
        if not look.script:
            page.reload()
        progress = page.get_by_role("progressbar")
        expect(progress).to_have_attribute("value", str(USERS // 2))
        expect(progress).to_have_attribute("max", str(USERS))
        expect(page.get_by_text(f"6 of {USERS} chunks of users, 50 %")).to_be_visible()
        expect(page.get_by_text("Running")).to_be_visible()
        assert not look.script or checks.axe(page) == []
        assert not checks.scrolls_sideways(page)
    eventually("the hour is done", lambda: watch.value(STATE, h=hour) == "done")
    if not look.script:
        page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("Done", exact=True)).to_be_visible()
    expect(page.get_by_text(f"{Decimal('0.1') * USERS:f}0", exact=True)).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    if look.script:
        expect(page.get_by_role("status").filter(has_text="The hour is converted")).to_have_count(1)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.wait_for_timeout(2_500)  # longer than it waited between two questions
        assert asked == []


def test_an_hour_that_is_done_is_run_again_and_stays_as_it_is(
    page: Page, site: Site, owners: list[int], watch: Watch
) -> None:
    finish(site)
    hour = play(site, owners)
    finish(site)
    everything = "SELECT count(*), max(booked_at) FROM ledger.entries"
    before = watch.rows(everything)
    site.people.enter(page.context, site.people.staff("accountant"))
    page.goto("/conversions")
    page.get_by_role("row").filter(has_text="Done").first.get_by_role("link").click()
    expect(page).to_have_url(re.compile(re.escape(address(hour).rpartition(":")[0])))
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    assert watch.rows(everything) == before


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_an_hour_waits_for_its_rate_until_an_approver_sets_it(
    page: Page, site: Site, owners: list[int], rates: RateServer, watch: Watch, look: Look
) -> None:
    finish(site)
    rates.answer = fixed("0.15")
    play(site, owners)
    finish(site)
    rates.answer = fixed("0.45")
    hour = play(site, owners)
    finish(site)
    site.people.enter(page.context, site.people.staff("approver"))
    page.goto("/")
    expect(page.get_by_text("Waits for its rate")).to_be_visible()
    page.get_by_role("link", name=re.compile(f"{hour:%-d %b %Y, %H}:00 UTC")).first.click()
    expect(page.get_by_text("The rate moved from 0.15 to 0.45, more than 25 %")).to_be_visible()
    page.get_by_role("link", name="Set the rate by hand").click()
    page.get_by_label("USD for a DREAM token").fill("0,2")
    page.get_by_label("Why it is right").fill("Agreed with the exchange")
    page.get_by_role("button", name="Set the rate").click()
    expect(page.get_by_text("A rate must be a positive decimal")).to_be_visible()
    page.get_by_label("USD for a DREAM token").fill("0.2")
    page.get_by_role("button", name="Set the rate").click()
    expect(page.get_by_text("This moves the rate by +33.33 %, from 0.15 to 0.2")).to_be_visible()
    assert not look.script or checks.axe(page) == []
    assert not checks.scrolls_sideways(page)
    assert watch.value(RATE, h=hour) is None
    page.get_by_label("I have checked it").check()
    page.get_by_role("button", name="Set the rate").click()
    expect(page.get_by_text("The rate is set")).to_be_visible()
    eventually("the hour is done", lambda: watch.value(STATE, h=hour) == "done")
    if not look.script:
        page.reload()
    expect(page.get_by_text("Done", exact=True)).to_be_visible()
    expect(page.get_by_text("Agreed with the exchange")).to_be_visible()
    expect(page.locator("#sums ~ dl")).to_contain_text("0.24")
    rates.answer = fixed("0.2")


def test_who_may_only_look_is_refused_and_that_is_in_the_log(
    page: Page, site: Site, owners: list[int], rates: RateServer, watch: Watch
) -> None:
    finish(site)
    rates.answer = fixed("0.9")
    hour = play(site, owners)
    finish(site)
    site.people.enter(page.context, site.people.staff("viewer"))
    page.goto(address(hour))
    expect(page.get_by_text("an approver can set it by hand")).to_be_visible()
    expect(page.get_by_role("button", name="Run again")).to_have_count(0)
    token = page.locator("form.out input[name=csrf_token]").get_attribute("value")
    before = watch.value(REFUSED)
    for path in (address(hour), f"{address(hour)}/rate", "/verifications"):
        answer = page.request.post(path, form={"csrf_token": token or "", "rate": "0.2"})
        assert answer.status == 403
        assert "This page is not for you" in answer.text()
    assert watch.value(REFUSED) == before + 3
    assert watch.value(STATE, h=hour) == "waiting_for_rate"
    rates.answer = fixed("0.2")


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_the_overview_is_for_everybody(
    page: Page, site: Site, owners: list[int], rates: RateServer, look: Look
) -> None:
    rates.answer = fixed("0.2")
    play(site, owners)
    finish(site)
    with site.app.app_context():
        verification.verify()
    site.people.enter(page.context, site.people.staff("viewer"))
    page.goto("/")
    expect(page.get_by_text("Clean", exact=True)).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Tokens won by day"))).to_be_visible()
    page.get_by_role("link", name="7 days", exact=True).click()
    expect(page).to_have_url(re.compile(r"days=7"))
    expect(page.get_by_role("link", name="7 days", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    assert not checks.scrolls_sideways(page)
    assert not look.script or checks.axe(page) == []
    page.get_by_role("link", name="The rate's history").click()
    expect(page.get_by_role("img", name=re.compile("^USD for a DREAM"))).to_be_visible()


def test_the_overview_shows_what_happened_without_being_loaded_again(
    page: Page, site: Site, owners: list[int], rates: RateServer
) -> None:
    rates.answer = fixed("0.2")
    finish(site)
    site.people.enter(page.context, site.people.staff("viewer"))
    page.clock.install()
    page.goto("/")
    page.evaluate("() => { window.notLoadedAgain = true; }")
    hour = play(site, owners)
    page.clock.run_for(16_000)
    expect(page.get_by_text("Due", exact=True)).to_be_visible()
    expect(page.get_by_text(f"{hour:%H}:00 UTC").first).to_be_visible()
    assert page.evaluate("() => window.notLoadedAgain")
    finish(site)


def test_the_books_are_verified_when_an_accountant_asks(
    page: Page, site: Site, watch: Watch
) -> None:
    finish(site)
    site.people.enter(page.context, site.people.staff("accountant"))
    page.clock.install()
    page.goto("/")
    page.get_by_role("link", name="All verifications").click()
    before = watch.value(VERIFIED)
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_text("A worker was asked to verify the books.")).to_be_visible()
    eventually("they are verified", lambda: watch.value(VERIFIED) == before + 1)
    page.clock.run_for(16_000)
    expect(page.locator("tbody tr")).to_have_count(before + 1)
    page.locator("tbody tr").first.get_by_role("link").click()
    expect(page.get_by_text("Nothing differs")).to_be_visible()
