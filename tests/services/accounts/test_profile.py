"""What people change of their own: name, password, time zone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import URL, Engine

from portal.ledger.errors import NotFound, Refused
from portal.runtime import runtime
from portal.services.accounts import links, profile, resets, sessions, signing_in
from tests.factories import Books
from tests.services.accounts.people import (
    PASSWORD,
    Person,
    actions,
    mails_to,
    rows,
    session_of,
    somebody,
)

pytestmark = pytest.mark.usefixtures("context", "redis")
NEW = "another horse battery"


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


def user_of(person: Person) -> int:
    assert person.user_id is not None
    return person.user_id


# --- Name


@pytest.mark.parametrize("role", ["user", "viewer"])
def test_a_name_is_changed_and_the_audit_log_tells_neither(role: str) -> None:
    person = somebody(role, name="Ida Before")
    profile.rename(person.sign_in_id, "  Ida After ")
    query = (
        "SELECT coalesce(u.display_name, i.name) AS name FROM sign_ins i"
        " LEFT JOIN users u ON u.id = i.user_id WHERE i.id = :i"
    )
    assert rows(query, i=person.sign_in_id)[0].name == "Ida After"
    [event] = rows("SELECT * FROM audit_events WHERE target_id = :i", i=str(person.sign_in_id))
    assert (event.action, event.before) == ("profile.changed", None)
    assert "Ida" not in str(event.after)


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\0b", "line\nline"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="a name has from 1 to 200 characters") as refused:
        profile.rename(somebody().sign_in_id, name)
    assert refused.value.figures == {"param": "name"}


# --- Password


def test_a_new_password_ends_every_other_session_and_is_told_by_mail() -> None:
    person = somebody()
    this, _, _ = (session_of(person) for _ in range(3))
    profile.change_password(person.sign_in_id, this, PASSWORD, NEW)
    assert [each.id for each in sessions.listed(person.sign_in_id)] == [this]
    assert signing_in.check(person.email, NEW).sign_in_id == person.sign_in_id
    with pytest.raises(Refused, match="not right"):
        signing_in.check(person.email, PASSWORD)
    assert mails_to(person) == ["password_changed"]
    assert "password.changed" in actions()


@pytest.mark.parametrize(
    ("current", "new", "field", "says"),
    [
        ("wrong", NEW, "current_password", "this is not your password"),
        (PASSWORD, PASSWORD, "password", "this is the password you have"),
        (PASSWORD, "short", "password", "a password has from 10 to 200 characters"),
        (PASSWORD, "1234567890", "password", "among the first to be guessed"),
    ],
)
def test_a_password_that_is_refused_changes_nothing(
    current: str, new: str, field: str, says: str
) -> None:
    person = somebody()
    this, other = session_of(person), session_of(person)
    with pytest.raises(Refused, match=says) as refused:
        profile.change_password(person.sign_in_id, this, current, new)
    assert refused.value.figures == {"param": field}
    assert {each.id for each in sessions.listed(person.sign_in_id)} == {this, other}
    assert signing_in.check(person.email, PASSWORD)


def test_of_two_who_change_the_password_at_once_one_does(app: Flask) -> None:
    person = somebody()
    mine = [session_of(person) for _ in range(4)]
    both = Barrier(len(mine))

    def change(session_id: int) -> str:
        new = f"{NEW} of {session_id}"
        with app.app_context():
            both.wait()
            try:
                profile.change_password(person.sign_in_id, session_id, PASSWORD, new)
            except Refused as refused:
                return str(refused.figures["param"])
            return new

    with ThreadPoolExecutor(len(mine)) as pool:
        [new] = [told for told in pool.map(change, mine) if told != "current_password"]
    assert signing_in.check(person.email, new)
    [left] = sessions.listed(person.sign_in_id)
    assert new == f"{NEW} of {left.id}"


def test_who_was_right_before_a_change_gets_no_session_by_it() -> None:
    person = somebody()
    found = signing_in.check(person.email, PASSWORD)
    with runtime().engine.begin() as connection:
        assert signing_in.still_holds(connection, person.sign_in_id, found.proof)
        assert not signing_in.still_holds(connection, somebody().sign_in_id, found.proof)
    profile.change_password(person.sign_in_id, session_of(person), PASSWORD, NEW)
    with runtime().engine.begin() as connection:
        assert not signing_in.still_holds(connection, person.sign_in_id, found.proof)


def test_a_reset_link_of_before_works_no_more() -> None:
    person = somebody()
    resets.request(person.email)
    [row] = rows("SELECT * FROM links WHERE email = :e", e=person.email)
    with runtime().engine.connect() as connection:
        assert links.usable(connection, row.id)
    profile.change_password(person.sign_in_id, session_of(person), PASSWORD, NEW)
    with runtime().engine.connect() as connection:
        assert links.usable(connection, row.id) is None


# --- Time zone


def test_another_zone_begins_when_the_day_ends_and_is_told_of_until_then() -> None:
    person = somebody(zone="Europe/Berlin")
    before = profile.zones(user_of(person))
    assert (before.zone, before.change, before.open_from) == ("Europe/Berlin", None, None)
    berlin = ZoneInfo("Europe/Berlin")
    assert before.starts_at.astimezone(berlin).strftime("%H:%M:%S") == "00:00:00"
    assert timedelta(0) < before.starts_at - datetime.now(UTC) <= timedelta(hours=25, minutes=2)
    made = profile.change_zone(user_of(person), "Asia/Tokyo")
    after = profile.zones(user_of(person))
    assert made == after.change
    assert made is not None
    assert (made.time_zone, made.start) == ("Asia/Tokyo", before.starts_at)
    assert after.zone == "Europe/Berlin"
    assert after.open_from == made.start + timedelta(days=30)
    [event] = rows(
        "SELECT * FROM audit_events WHERE target = 'user' AND target_id = :u", u=str(person.user_id)
    )
    assert event.action == "time_zone.changed"
    assert event.before == {"time_zone": "Europe/Berlin"}
    assert event.after["time_zone"] == "Asia/Tokyo"


def test_a_second_change_within_thirty_days_is_refused_with_when_it_may_be() -> None:
    person = somebody(zone="Europe/Berlin")
    profile.change_zone(user_of(person), "Asia/Tokyo")
    for _ in range(2):
        with pytest.raises(Refused, match="can be changed once in 30 days") as refused:
            profile.change_zone(user_of(person), "Europe/Paris")
        assert refused.value.figures == {"param": "time_zone"}


@pytest.mark.parametrize("zone", ["Nowhere/Else", "", "localtime", "europe/berlin", "x" * 5000])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    person = somebody()
    with pytest.raises(Refused, match="IANA time zone"):
        profile.change_zone(user_of(person), zone)
    assert profile.zones(user_of(person)).change is None


def test_the_zone_in_force_is_no_change_and_is_not_recorded() -> None:
    person = somebody(zone="Europe/Berlin")
    before = len(actions())
    assert profile.change_zone(user_of(person), "Europe/Berlin") is None
    assert profile.change_zone(user_of(person), "Asia/Tokyo")
    assert profile.change_zone(user_of(person), "Asia/Tokyo")
    assert actions()[before:] == ["time_zone.changed"]


def test_a_month_later_it_may_be_changed_again(engine: Engine) -> None:
    person, books = somebody(zone="Europe/Berlin"), Books(engine)
    made = profile.change_zone(user_of(person), "Asia/Tokyo")
    assert made is not None
    books.set_clock(made.start + timedelta(days=30))
    found = profile.zones(user_of(person))
    assert (found.zone, found.change, found.open_from) == ("Asia/Tokyo", None, None)
    assert profile.change_zone(user_of(person), "Europe/Paris")


def test_who_has_no_books_has_no_zone() -> None:
    with pytest.raises(NotFound):
        profile.zones(987654321)
