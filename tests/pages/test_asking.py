"""The pages that have a link sent: the same answer for all, errors beside the field, no more than some."""

from typing import Any

import pytest
from redis import Redis

from config import Settings
from tests.mailbox import Mailbox
from tests.pages.conftest import HTMX, Browser, Make, Person

PAGES = ("/sign-up", "/reset")


@pytest.fixture(autouse=True)
def mailbox(settings: Settings, redis: "Redis[Any]") -> Mailbox:
    """The Redis is emptied: nobody has tried anything yet."""
    assert redis.dbsize() == 0
    return Mailbox(settings)


def mails_to(browser: Browser, mailbox: Mailbox, email: str) -> list[str]:
    with browser.app.app_context():
        return mailbox.subjects(email)


@pytest.mark.parametrize("page", PAGES)
def test_whether_there_is_an_account_the_answer_is_the_same(
    browser: Browser, make_person: Make, mailbox: Mailbox, page: str
) -> None:
    ida = make_person()
    told = []
    for email in (ida.email, "nobody@example.com"):
        sent = browser.post(page, email=f" {email} ")
        assert (sent.status_code, sent.location) == (303, "/mail-sent")
        after = browser.get("/mail-sent")
        assert f"<strong>{email}</strong>" in after.text
        told.append(after.text.replace(email, "SOMEBODY"))
        assert len(mails_to(browser, mailbox, email)) == 1
    assert told[0] == told[1]
    assert f'href="{page}"' in told[0]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("email", "says"),
    [
        ("", "Enter an e-mail address."),
        ("ida", "@-sign"),
        ("ida@x", "period"),
        ("<b>@x.de", "&lt;b&gt;"),
    ],
)
def test_what_is_no_address_is_told_beside_the_field_and_kept(
    browser: Browser, page: str, email: str, says: str
) -> None:
    refused = browser.post(page, email=email)
    assert refused.status_code == 422
    assert 'id="email-error"' in refused.text
    assert says in refused.text
    assert "<b>@" not in refused.text
    if email:
        assert f'value="{email.replace("<", "&lt;").replace(">", "&gt;")}"' in refused.text


@pytest.mark.parametrize("page", PAGES)
def test_too_many_mails_to_one_address_are_refused_in_words(
    browser: Browser, mailbox: Mailbox, page: str
) -> None:
    for _ in range(3):
        assert browser.post(page, email="ida@example.com").status_code == 303
    refused = browser.post(page, email="Ida@example.com")
    assert refused.status_code == 429
    assert "too many mails were asked for: try again in" in refused.text.lower()
    # The links of the first two were replaced before they went out.
    assert len(mails_to(browser, mailbox, "ida@example.com")) == 1


def test_htmx_gets_the_form_alone_and_is_sent_on_by_a_header(browser: Browser) -> None:
    token = browser.token("/sign-up")
    refused = browser.client.post("/sign-up", data={"csrf_token": token, "email": ""}, headers=HTMX)
    assert refused.status_code == 422
    assert refused.text.lstrip().startswith("<form")
    fields = {"csrf_token": token, "email": "ida@example.com"}
    sent = browser.client.post("/sign-up", data=fields, headers=HTMX)
    assert sent.headers["HX-Redirect"] == "/mail-sent"


def test_nothing_was_sent_and_the_page_that_says_so_leads_back(browser: Browser) -> None:
    assert browser.get("/mail-sent").location == "/sign-up"


def test_who_is_signed_in_makes_no_other_account_but_may_choose_a_password(
    browser: Browser, ida: Person
) -> None:
    assert ida.role == "user"
    assert browser.get("/sign-up").location == "/"
    assert browser.get("/reset").status_code == 200


def test_the_sign_in_page_leads_to_both(browser: Browser) -> None:
    page = browser.get("/sign-in").text
    for address in PAGES:
        assert f'href="{address}"' in page
