"""The office, as admins live it: a game server is let in and shut out, people come and go, a job runs again."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect
from redis import Redis
from sqlalchemy import create_engine, text

from jobs import mails
from jobs.queue import enqueue, queue
from tests.browser.checks import axe, scrolls_sideways, walk
from tests.browser.conftest import Open
from tests.browser.looks import DESKTOP, SPREAD, Look
from tests.browser.people import PASSWORD, Person
from tests.browser.site import Site
from tests.browser.test_joining import link_to
from tests.browser.test_sign_in import sign_in
from tests.concurrency.programs import Program, eventually
from tests.concurrency.web import Answer, Caller, win_body

REFRESH = "document.body.dispatchEvent(new CustomEvent('refresh'))"
SHUT_S = 2.0
"""Within which a key that was revoked is refused by every process."""
TOKEN = re.compile(r"dream_[\w-]{43}")


@pytest.fixture(scope="module", autouse=True)
def worker(site: Site) -> Program:
    """Sends the mails, runs the jobs."""
    return site.worker()


@pytest.fixture
def grace(page: Page, site: Site) -> Person:
    """An admin, whom the page belongs to."""
    person = site.people.staff("admin")
    site.people.enter(page.context, person)
    return person


def follow(page: Page, place: str) -> None:
    """Go to a place of the header."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name=place).click()


def key_shown(page: Page) -> str:
    """The key on the page, which shows it this once."""
    expect(page.get_by_role("heading", name="The new key")).to_be_visible()
    shown = page.get_by_label("The key", exact=True).inner_text().strip()
    assert TOKEN.fullmatch(shown)
    return shown


def calling(site: Site, key: str, user: int) -> Callable[[], Answer]:
    """A game server that books the same win with a key, as often as it is called."""
    body = win_body(site.books.now())

    def call() -> Answer:
        with closing(Caller(site.web.port, key)) as caller:
            return caller.win(user, "round-1", body)

    return call


def is_shut_out(call: Callable[[], Answer]) -> None:
    began = time.monotonic()
    eventually("the key is refused", lambda: call().status == 401, SHUT_S)
    assert time.monotonic() - began < SHUT_S


def again_as_sent(page: Page, sent: Request) -> str:
    """What a browser is answered that loads the answer to a form anew: it sends the form once more.

    Where nobody can be asked whether to send it, as in these tests, Chromium waits for that for ever.
    """
    kept = {"Content-Type": sent.headers["content-type"]}
    answer = page.request.post(sent.url, data=str(sent.post_data), headers=kept)
    assert answer.status == 200
    return answer.text()


def is_for_everybody(page: Page, look: Look) -> None:
    """No wider than the window; axe finds nothing, and the Tab key comes to all, where scripts can look."""
    assert not scrolls_sideways(page)
    if look.script:
        assert axe(page) == []
        assert walk(page).problems == []


def row_of(page: Page, key: str) -> Any:
    return page.locator("#keys tbody tr").filter(has_text=key[:12])


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_a_game_server_is_let_in_and_shut_out_and_the_log_tells_it(
    page: Page, site: Site, look: Look, grace: Person
) -> None:
    page.goto("/")
    follow(page, "Clients")
    page.get_by_role("link", name="Make a client").click()
    page.get_by_role("button", name="Make the client").click()
    expect(page.locator(".error")).to_contain_text("Enter a name.")
    page.get_by_label("Name").fill(f"studio {look}")
    page.get_by_role("button", name="Make the client").click()
    expect(page.get_by_role("heading", name=f"studio {look}")).to_be_visible()

    page.get_by_role("link", name="Create a key").click()
    page.get_by_role("button", name="Create the key").click()
    expect(page.locator(".error")).to_contain_text("Tick at least one scope.")
    page.get_by_label("wins:write", exact=True).check()
    with page.expect_request(lambda asked: asked.method == "POST") as sent:
        page.get_by_role("button", name="Create the key").click()
    first = key_shown(page)
    is_for_everybody(page, look)
    call = calling(site, first, site.people.user().user_id)
    assert call().status == 201

    answer = again_as_sent(page, sent.value)
    assert "a key is shown only once" in answer
    assert first not in answer
    page.get_by_role("link", name="I keep it safe").click()
    expect(page.get_by_role("heading", name=f"studio {look}")).to_be_visible()
    expect(page.locator("#keys tbody tr")).to_have_count(1)
    assert first not in page.content()

    row_of(page, first).get_by_role("link", name="Replace").click()
    expect(page.get_by_label("wins:write", exact=True)).to_be_checked()
    page.get_by_label("Hours that the old key still works").fill("1")
    page.get_by_role("button", name="Replace the key").click()
    second = key_shown(page)
    again = calling(site, second, 0)
    assert call().headers["idempotent-replayed"] == "true"
    assert again().status == 404  # let in, and told that there is no such user

    page.get_by_role("link", name="I keep it safe").click()
    expect(page.locator("#keys tbody tr")).to_have_count(2)
    row_of(page, first).get_by_role("link", name="Revoke").click()
    page.get_by_role("button", name="Revoke the key").click()
    is_shut_out(call)
    assert again().status == 404
    expect(row_of(page, first)).to_contain_text("Revoked")

    page.get_by_role("link", name="Revoke all keys").click()
    page.get_by_role("button", name="Revoke all keys").click()
    expect(page.get_by_text("No key of")).to_be_visible()
    is_shut_out(again)

    page.goto(f"/audit?who={grace.email}")
    log = page.locator("tbody")
    for done in ("Made an API client", "Created an API key", "Replaced an API key by a new one"):
        expect(log.get_by_text(done, exact=True)).to_have_count(1)
    expect(log.get_by_text("Revoked an API key", exact=True)).to_have_count(2)
    assert first not in page.content()


def test_a_key_is_made_by_keyboard_alone_and_copied(open_page: Open, site: Site) -> None:
    page = open_page(DESKTOP, permissions=["clipboard-read", "clipboard-write"])
    site.people.enter(page.context, site.people.staff("admin"))
    page.goto("/clients/new")
    to_field(page, "Name")
    page.keyboard.type("by keyboard")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="by keyboard")).to_be_visible()
    to_field(page, "Create a key")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Create a key")).to_be_visible()
    to_field(page, "read")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    token = key_shown(page)
    to_field(page, "Copy")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == token


def to_field(page: Page, name: str) -> None:
    """Press Tab until the focus is on what is called that."""
    for _ in range(60):
        page.keyboard.press("Tab")
        here = page.evaluate(
            "() => { const at = document.activeElement;"
            " return (at.labels && at.labels[0] || at).innerText; }"
        )
        if here and here.strip() == name:
            return
    raise AssertionError(f"the Tab key does not come to {name}")


def test_a_viewer_who_calls_an_action_directly_is_refused_and_in_the_log(
    page: Page, open_page: Open, site: Site
) -> None:
    viewer = site.people.staff("viewer", "Vera")
    site.people.enter(page.context, viewer)
    page.goto("/clients")
    expect(page.get_by_role("heading", name="API clients")).to_be_visible()
    expect(page.get_by_role("link", name="Make a client")).to_have_count(0)
    page.goto("/account/name")
    token = page.locator("input[name=csrf_token]").first.get_attribute("value")
    tried = ("/clients/new", "/staff/invitation", "/staff/1/role", "/jobs/some-job/retry")
    for address in tried:
        fields = {"csrf_token": str(token), "name": "sneaky", "role": "admin"}
        assert page.request.post(address, form=fields).status == 403
    page.goto(f"/audit?who={viewer.email}&action=access.refused")
    expect(page.locator("tbody tr")).to_have_count(len(tried))
    expect(page.locator("tbody")).to_contain_text("new_client")
    admins = open_page()
    site.people.enter(admins.context, site.people.staff("admin"))
    admins.goto("/clients")
    expect(admins.get_by_text("sneaky")).to_have_count(0)


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_somebody_is_invited_comes_and_gets_another_role(
    page: Page, open_page: Open, site: Site, look: Look, grace: Person
) -> None:
    email, name = f"nina-{look}@example.com", f"Nina {look}"
    page.goto("/")
    follow(page, "Staff")
    page.get_by_role("link", name="Invite somebody").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.locator(".error")).to_contain_text("Choose a role.")
    page.get_by_label("Viewer").check()
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_text(f"The invitation is on its way to {email}")).to_be_visible()
    expect(page.locator("tbody").last).to_contain_text(email)

    hers = open_page(look)
    hers.goto(link_to(site, email))
    hers.get_by_label("Password").fill(PASSWORD)
    hers.get_by_role("button", name="Accept").click()
    expect(hers.get_by_text("Welcome. The account is made")).to_be_visible()
    hers.goto("/jobs")
    expect(hers.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()

    follow(page, "Staff")
    page.get_by_role("link", name=name).click()
    expect(page.get_by_text("Can sign in")).to_be_visible()
    page.get_by_role("link", name="Give another role").click()
    page.get_by_label("Accountant").check()
    page.get_by_role("button", name="Give the role").click()
    expect(page.get_by_text(f"{name} has the role accountant now")).to_be_visible()

    hers.goto("/jobs")
    expect(hers).to_have_title("Sign in · Dreamland")
    sign_in(hers, email)
    expect(hers.get_by_text("it needs a second factor")).to_be_visible()
    page.reload()  # she is in again by now
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_text(f"{name} is signed out everywhere.")).to_be_visible()
    hers.goto("/account/second-factor")
    expect(hers).to_have_title("Sign in · Dreamland")

    page.goto(f"/audit?who={grace.email}")
    for done in ("Sent an invitation", "Gave another role", "Ended a session"):
        expect(page.locator("tbody").get_by_text(done, exact=True).first).to_be_visible()


def is_at_rest(redis_url: str) -> bool:
    """Whether no job waits or runs."""
    jobs = queue(redis_url)
    return not jobs.count and not jobs.started_job_registry.get_job_count(cleanup=False)


@pytest.fixture
def broken(page: Page, site: Site) -> Iterator[Callable[[], None]]:
    """For an accountant's page: the table of mails is away, until this is called, or the test has ended."""
    site.people.enter(page.context, site.people.staff("accountant"))
    redis_url = site.runtime.settings.redis_url
    eventually("their mails are sent", lambda: is_at_rest(redis_url))
    engine = create_engine(site.runtime.settings.database_url)

    def rename(name: str, to: str) -> None:
        with engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE IF EXISTS {name} RENAME TO {to}"))

    rename("mails", "mails_away")
    yield lambda: rename("mails_away", "mails")
    rename("mails_away", "mails")
    engine.dispose()


@pytest.mark.parametrize("look", SPREAD, ids=str)
def test_a_job_that_failed_is_seen_looked_into_and_run_again(
    page: Page, site: Site, look: Look, broken: Callable[[], None]
) -> None:
    page.goto("/jobs")
    expect(page.get_by_text("A job that fails is here")).to_be_visible()
    settings = site.runtime.settings
    enqueue(queue(settings.redis_url), mails.send_due, job_id=f"mails-{look}")
    with closing(Redis.from_url(settings.redis_url)) as redis:
        eventually("it failed", lambda: redis.zcard("rq:failed:dreamland"))

    def again() -> None:
        page.evaluate(REFRESH) if look.script else page.reload()

    again()
    failed = page.locator("tbody tr").filter(has_text="mails.send_due()").first
    expect(failed).to_contain_text("UndefinedTable")
    failed.get_by_text("Where").click()
    expect(failed.get_by_text("jobs/mails.py").first).to_be_visible()
    is_for_everybody(page, look)
    if look.script:
        again()  # what was opened stays open, and the focus where it was
        expect(failed.get_by_text("jobs/mails.py").first).to_be_visible()
    broken()
    failed.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("will run again as soon as a worker is free")).to_be_visible()
    eventually("it ran", lambda: is_at_rest(settings.redis_url))
    again()
    expect(page.get_by_text("A job that fails is here")).to_be_visible()
