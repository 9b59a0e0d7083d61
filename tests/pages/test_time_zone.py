"""The page of the time zone: what is in force, what is to come, and one's choice."""

import re
from datetime import date, datetime

import pytest
from flask import Flask

from portal.pages import zones
from portal.services import users
from portal.services.accounts import profile
from tests.pages.conftest import HTMX, Browser, Make, Person
from tests.pages.reading import words

PAGE = "/account/time-zone"


@pytest.fixture
def berliner(browser: Browser, make_person: Make) -> Person:
    """A user in Berlin."""
    person = make_person(zone="Europe/Berlin")
    browser.enter(person)
    return person


def test_the_rule_and_when_a_change_would_begin_are_told(
    browser: Browser, berliner: Person
) -> None:
    assert berliner.user_id
    said = words(browser.get(PAGE).text)
    assert "In force Berlin Europe/Berlin" in said
    assert (
        "So that no day counts twice, another time zone begins when your current day ends" in said
    )
    assert "changed once in 30 days" in said
    assert re.search(r"the new one begins on \w+ \d+ \w+ \d+, 00:00 in Berlin", said)


def test_zones_are_grouped_and_the_one_in_force_is_chosen(
    browser: Browser, berliner: Person
) -> None:
    assert berliner.user_id
    page = browser.get(PAGE).text
    assert '<optgroup label="America">' in page
    assert re.findall(r'<option selected value="([^"]+)"', page) == ["Europe/Berlin"]
    assert "Buenos Aires, Argentina (UTC−3)" in page


def test_a_change_is_told_in_the_time_of_both_zones(
    browser: Browser, berliner: Person, app: Flask
) -> None:
    assert berliner.user_id
    assert browser.post(PAGE, time_zone="Asia/Kolkata").location == PAGE
    said = words(browser.get(PAGE).text)
    assert "Your time zone will be Kolkata when your day has ended." in said
    assert re.search(r"00:00 in Berlin, which is \w+ \d+ \w+ \d+, 0[34]:30 in Kolkata", said), said
    assert "It can be changed again from" in said
    assert "<select" not in browser.get(PAGE).text
    with app.app_context():
        change = profile.zones(berliner.user_id).change
    assert change
    assert change.time_zone == "Asia/Kolkata"


def test_too_soon_a_change_is_refused_beside_the_field(
    browser: Browser, berliner: Person, app: Flask
) -> None:
    assert berliner.user_id
    token = browser.token(PAGE)
    with app.app_context():
        profile.change_zone(berliner.user_id, "Asia/Tokyo")
    data = {"csrf_token": token, "time_zone": "Europe/Paris"}
    for headers in ({}, HTMX):
        refused = browser.client.post(PAGE, data=data, headers=headers)
        assert refused.status_code == 422
        assert "The time zone can be changed once in 30 days." in refused.text
        assert 'id="time_zone-error"' in refused.text
        assert re.findall(r'<option selected value="([^"]+)"', refused.text) == ["Europe/Paris"]


@pytest.mark.parametrize(
    ("zone", "says"), [("", "Choose a time zone."), ("Nowhere/<b>", "must be an IANA time zone")]
)
def test_what_is_no_zone_is_refused(
    browser: Browser, berliner: Person, zone: str, says: str
) -> None:
    assert berliner.user_id
    refused = browser.post(PAGE, time_zone=zone)
    assert refused.status_code == 422
    assert says in refused.text
    assert "<b>" not in refused.text


def test_the_zone_in_force_is_no_change(browser: Browser, berliner: Person) -> None:
    assert berliner.user_id
    browser.post(PAGE, time_zone="Europe/Berlin")
    said = words(browser.get(PAGE).text)
    assert "That is your time zone already." in said
    assert "To come" not in said


def test_a_zone_by_an_old_name_is_offered_to_who_is_in_it(
    browser: Browser, make_person: Make
) -> None:
    browser.enter(make_person(zone="US/Pacific"))
    page = browser.get(PAGE).text
    assert re.findall(r'<option selected value="([^"]+)"', page) == ["US/Pacific"]


def test_every_zone_of_the_list_is_one_that_users_may_have() -> None:
    offered = [zone for group in zones.choices(date(2026, 7, 1)).values() for zone, _ in group]
    assert len(offered) == len(set(offered)) > 400
    assert set(offered) <= users.zones()
    assert {"UTC", "Europe/Berlin", "Asia/Kathmandu"} <= set(offered)


@pytest.mark.parametrize(
    ("zone", "month", "said"),
    [
        ("UTC", 1, "UTC"),
        ("Europe/London", 1, "UTC"),
        ("Europe/London", 7, "UTC+1"),
        ("Asia/Kathmandu", 1, "UTC+5:45"),
        ("America/St_Johns", 7, "UTC−2:30"),
        ("Pacific/Marquesas", 1, "UTC−9:30"),
        ("Pacific/Kiritimati", 1, "UTC+14"),
    ],
)
def test_a_zone_is_told_by_its_offset_of_the_day(zone: str, month: int, said: str) -> None:
    assert zones.offset(zone, datetime(2026, month, 15, 12)) == said  # noqa: DTZ001 - local there
