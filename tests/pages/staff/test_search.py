"""Search: everything that finance has a name for is found from one box, and nothing is slow or broken by what is typed."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from portal.services import clients, users, wins
from tests.factories import Books, convert_due
from tests.pages.conftest import HTMX, Browser, Make
from tests.pages.reading import words

pytestmark = pytest.mark.usefixtures("viewer")


@pytest.fixture
def ida(app: Flask) -> int:
    with app.app_context():
        return users.create("player-77", "Ida Falk", "UTC", "Ida@Players.example")[0].id


def go(browser: Browser, asked: Any) -> str | None:
    """Where a search leads at once, if it does."""
    answer = browser.get("/search", query_string={"q": asked})
    assert answer.status_code in (200, 303), answer.text
    return answer.location


def hits(browser: Browser, asked: str) -> str:
    """What a page of several says."""
    answer = browser.get("/search", query_string={"q": asked})
    assert answer.status_code == 200, answer.location
    return words(answer.text)


def test_each_name_of_an_entry_leads_to_it(
    browser: Browser, books: Books, app: Flask, ida: int
) -> None:
    with app.app_context():
        arcade, bazaar = clients.named("arcade"), clients.named("bazaar")
        won = wins.WinRequest(ida, "key-1", 10**18, books.now(), "maze", "round-1")
        wins.book(arcade, won)
        wins.book(bazaar, replace(won, key="key-2", reference="round-2"))
    assert go(browser, f"{ida}-1") == f"/entries/{ida}-1"
    assert go(browser, f"  {ida}-1 ") == f"/entries/{ida}-1"
    assert go(browser, "key-1") == f"/entries/{ida}-1"
    assert go(browser, "key-2") == f"/entries/{ida}-2"
    assert go(browser, "round-2") == f"/entries/{ida}-2"
    assert "Nothing is called that" in hits(browser, "round-3")
    assert "Nothing is called that" in hits(browser, f"{ida}-3")


def test_a_payment_leads_to_its_top_up_or_to_whose_it_is(
    browser: Browser, books: Books, ida: int
) -> None:
    books.claim("card", "pay-1", ida, "k-1")
    assert go(browser, "pay-1") == f"/users/{ida}"
    books.post(books.paid_entry(ida, "GOLD_COIN", "5", "k-1", "card", "pay-1"))
    assert go(browser, "pay-1") == f"/entries/{ida}-1"
    books.claim("bank", "pay-1", ida, "k-2")
    said = hits(browser, "pay-1")
    assert f"{ida}-1 reference, payment by card Topped up pay-1" in said
    assert "pay-1 payment by bank not booked" in said


def test_each_name_of_a_user_leads_to_them(browser: Browser, app: Flask, ida: int) -> None:
    for asked in (ida, "player-77", "ida@PLAYERS.example", "ida f", "IDA FALK"):
        assert go(browser, asked) == f"/users/{ida}", asked
    with app.app_context():
        other = users.create("ida", "Theo")[0].id
    said = hits(browser, "ida")
    assert "Theo external id ida" in said
    assert "Ida Falk name player-77" in said
    assert f'href="/users/{other}"' in browser.get("/search?q=ida").text


def test_the_e_mail_of_a_sign_in_leads_to_the_user_or_to_staff(
    browser: Browser, make_person: Make
) -> None:
    player, admin = make_person(), make_person("admin")
    assert go(browser, player.email) == f"/users/{player.user_id}"
    assert go(browser, admin.email.upper()) == f"/staff/{admin.sign_in_id}"


def test_a_client_is_found_by_its_name_and_by_how_its_key_begins(
    browser: Browser, app: Flask
) -> None:
    with app.app_context():
        token = clients.create_key("studio-one", ["read"])
        clients.create_key("Studio two", ["read"])
        one = clients.named("studio-one")
    assert go(browser, "STUDIO-ONE") == f"/clients/{one}"
    assert "studio-one name" in hits(browser, "studio")
    assert "Studio two name" in hits(browser, "studio")
    assert go(browser, token[:12]) == f"/clients/{one}"


def test_a_whole_api_key_stays_in_no_address(browser: Browser, app: Flask) -> None:
    with app.app_context():
        token = clients.create_key("studio-one", ["read"])
    for said in (token, f"Bearer {token}", f"key={token}&x"):
        assert go(browser, said) == f"/search?q={token[:12]}", said


def test_a_time_leads_to_the_conversion_of_its_hour(
    browser: Browser, books: Books, app: Flask, ida: int
) -> None:
    books.win(ida)
    hour = books.next_hour()
    with app.app_context():
        convert_due()
    begun, there = f"{hour:%Y-%m-%d}", f"/conversions/{hour:%Y-%m-%dT%H}:00Z"
    for form in ("T{}:00:00Z", "T{}:00Z", " {}:59", " {}", " {}:30+00:00", "T{}:59:59.999999Z"):
        assert go(browser, begun + form.format(f"{hour:%H}")) == there, form
    for asked in ("2020-01-01 12:00", "2026-13-40 12:00", "0001-01-01 00:00+14:00"):
        assert "Nothing is called that" in hits(browser, asked), asked


def test_a_system_key_finds_a_few_of_its_entries(
    browser: Browser, books: Books, app: Flask
) -> None:
    owners = [books.owner() for _ in range(25)]
    for owner in owners:
        books.win(owner)
    hour = books.next_hour()
    with app.app_context():
        convert_due()
    said = hits(browser, f"conversion:{hour:%Y-%m-%dT%H:%M:%SZ}")
    assert said.count("idempotency key of Dreamland") == 20
    assert "There is more" in said


def test_htmx_is_sent_there_too_and_gets_a_list_alone(browser: Browser, ida: int) -> None:
    answer = browser.get(f"/search?q={ida}", headers=HTMX)
    assert answer.headers["HX-Redirect"] == f"/users/{ida}"
    listed = browser.fragment("/search?q=nobody")
    assert "<html" not in listed.text
    assert "Nothing is called that" in listed.text


def test_without_a_question_it_says_what_can_be_asked(browser: Browser) -> None:
    said = words(browser.get("/search").text)
    assert "What can be looked for" in said
    assert "Enter what" not in said


NOTHING = ("", "   ", "\u3000", "x" * 10_000, "a\0b", "\x1b[1m", "x\x9fy")
STRANGE = (
    *("%", "_", "*", "%%%", "a%", "' OR 1=1 --", '"', "\\", "$1", ":asked", "<script>", "{{ 7 }}"),
    *("שלום", "\u202eabc", "🦊🦊", "ﷺ", "ß", "-", "1-", "-1", "0-0", "1-0", "01-1", "9" * 19),
    *("9" * 300, "9" * 19 + "-" + "9" * 19, "dream_", "@", "a@b", "x" * 300),
)


def test_what_nothing_is_called_is_refused_beside_the_field(browser: Browser) -> None:
    for asked in NOTHING:
        for headers in ({}, HTMX):
            answer = browser.get("/search", query_string={"q": asked}, headers=headers)
            assert answer.status_code == 422, asked[:20]
            assert 'id="q-error"' in answer.text, asked[:20]


def test_no_text_is_a_pattern_or_breaks_anything(browser: Browser, ida: int, books: Books) -> None:
    books.bonus(ida, "DIAMOND", "1")
    for asked in STRANGE:
        assert "Nothing is called that" in hits(browser, asked), asked


def test_no_record_is_kept_of_what_was_looked_for(
    browser: Browser, ida: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG", "portal"):
        assert go(browser, "ida@players.example") == f"/users/{ida}"
        hits(browser, "nobody@players.example")
    assert "@" not in caplog.text
    assert "nobody" not in browser.get("/audit").text


def test_users_and_strangers_do_not_search(app: Flask, make_person: Make) -> None:
    player = Browser(app)
    assert player.get("/search?q=x").location == "/sign-in?next=/search?q%3Dx"
    player.enter(make_person())
    assert player.get("/search?q=x").status_code == 403
