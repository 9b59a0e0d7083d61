"""Users: made once, with books of their own; ids that carry a region; dated time zones."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import available_timezones

import pytest
from flask import Flask
from sqlalchemy import URL, Engine, text

from portal import create_app, ledger
from portal.ledger.errors import NotFound, Refused
from portal.services import users, wins
from portal.services.users import Profile
from tests.factories import Books
from tests.ledger.frozen import freeze

YEARS = count(2030)
NAMES = count(1)

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


def somebody(zone: str = "UTC", **fields: str) -> Profile:
    return users.create(f"somebody-{next(NAMES)}", "Somebody", zone, **fields)[0]


def test_a_user_is_an_owner_of_books(books: Books) -> None:
    user = somebody("Asia/Kolkata")
    assert (user.time_zone, user.change, user.region) == ("Asia/Kolkata", None, "global")
    books.win(user.id)
    assert users.get(user.id) == user


def test_ids_follow_each_other_in_the_region_of_birth(app: Flask) -> None:
    runtime = app.extensions["dreamland"]
    settings = replace(runtime.settings, regions=("eu", "us", "asia"))
    with create_app(settings).app_context():
        born = {region: somebody(region=region).id for region in ("us", "eu", "asia")}
        assert {region: id_ >> 48 for region, id_ in born.items()} == {"eu": 0, "us": 1, "asia": 2}
        assert len({id_ & (2**48 - 1) for id_ in born.values()}) == 3
        assert users.get(born["asia"]).region == "asia"
        with pytest.raises(Refused, match="eu, us, asia"):
            somebody(region="global")


@pytest.mark.parametrize(
    "text_", ["0", "-1", "01", "1.0", " 1", "x", "", "1e3", "１", "9" * 19, str(2**63)]
)
def test_what_cannot_be_an_id_is_an_unknown_user(text_: str) -> None:
    with pytest.raises(NotFound) as error:
        users.parse_id(text_)
    assert error.value.code == "unknown_user"


def test_an_id_may_be_as_large_as_the_database_holds() -> None:
    assert users.parse_id(str(2**63 - 1)) == 2**63 - 1


@pytest.mark.parametrize(
    "call", [lambda: users.get(2**62), lambda: users.change(2**62, {"email": None})]
)
def test_an_unknown_user_is_not_found(call: object) -> None:
    with pytest.raises(NotFound):
        call()  # type: ignore[operator]


def test_the_same_request_finds_the_user_and_another_is_refused() -> None:
    first, created = users.create("twice", "Ada", "UTC", "a@b.c")
    assert created
    assert users.create("twice", "Ada", "UTC", "a@b.c") == (first, False)
    for other in (("Eve", "UTC", "a@b.c"), ("Ada", "Asia/Tokyo", "a@b.c"), ("Ada", "UTC", None)):
        with pytest.raises(Refused) as error:
            users.create("twice", *other)
        assert error.value.code == "user_exists"


def test_external_ids_that_race_make_one_user_with_one_book(app: Flask, engine: Engine) -> None:
    barrier = threading.Barrier(12)

    def create(n: int) -> object:
        with app.app_context():
            barrier.wait()
            try:
                return users.create("raced", f"Name {n % 2}", "UTC")
            except Refused as error:
                return error.code

    with ThreadPoolExecutor(12) as pool:
        made = list(pool.map(create, range(12)))
    assert made.count("user_exists") == 6
    found = [each for each in made if isinstance(each, tuple)]
    assert sum(created for _, created in found) == 1
    ids = {user.id for user, _ in found}
    assert len(ids) == 1
    with engine.connect() as connection:
        owners = text(
            "SELECT count(*) FROM ledger.owners o JOIN users u ON u.id = o.owner_id WHERE u.external_id = 'raced'"
        )
        assert connection.scalar(owners) == 1


def test_nothing_is_left_of_a_user_who_could_not_be_made(engine: Engine) -> None:
    with engine.connect() as connection:
        count_ = text("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM ledger.owners)")
        before = connection.execute(count_).one()
        for zone in ("Mars/Olympus", "utc", "posixrules", "localtime", "Factory\x00", "UTC+3"):
            with pytest.raises(Refused, match="IANA"):
                users.create("nobody", "Nobody", zone)
        assert connection.execute(count_).one() == before


def test_every_zone_that_is_taken_is_known_to_both_python_and_postgresql(engine: Engine) -> None:
    with engine.connect() as connection:
        known = set(connection.scalars(text("SELECT name FROM pg_timezone_names")))
    taken = {"Europe/Berlin", "Asia/Kolkata", "America/Argentina/Buenos_Aires", "Etc/GMT+12", "UTC"}
    assert taken <= available_timezones() & known
    for zone in sorted(taken):
        assert somebody(zone).time_zone == zone


# --- Zones


@pytest.fixture
def new_year(owner_engine: Engine) -> datetime:
    """Noon of the first of January of a year of the test's own, the clock standing still."""
    noon = datetime(next(YEARS), 1, 1, 12, tzinfo=UTC)
    freeze(owner_engine, noon)
    return noon


def test_a_change_is_to_come_until_the_local_day_ends(
    new_year: datetime, owner_engine: Engine
) -> None:
    user = somebody("Europe/Berlin")
    changed = users.change(user.id, {"time_zone": "America/New_York"})
    midnight = new_year.replace(hour=23)
    assert changed.time_zone == "Europe/Berlin"
    assert changed.change == users.ZoneChange("America/New_York", midnight)
    freeze(owner_engine, midnight)
    changed = users.get(user.id)
    assert (changed.time_zone, changed.change) == ("America/New_York", None)


def test_zones_stay_dated_after_many_changes(
    new_year: datetime, owner_engine: Engine, engine: Engine
) -> None:
    user = somebody("UTC")
    zones = ["Asia/Tokyo", "America/Los_Angeles", "Europe/Berlin"]
    starts = []
    for n, zone in enumerate(zones):
        freeze(owner_engine, new_year + timedelta(days=40 * n + 1))
        change = users.change(user.id, {"time_zone": zone}).change
        assert change
        starts.append(change.start)
    with engine.connect() as connection:
        for before, zone, start in zip(["UTC", *zones], zones, starts, strict=False):
            at = start - timedelta(microseconds=1)
            assert ledger.local_day(connection, user.id, at)[1] == before
            assert ledger.local_day(connection, user.id, start)[1] == zone


def test_a_second_change_in_thirty_days_is_refused_and_a_third_of_a_month_later_taken(
    new_year: datetime, owner_engine: Engine
) -> None:
    user = somebody("UTC")
    users.change(user.id, {"time_zone": "Asia/Tokyo"})
    freeze(owner_engine, new_year + timedelta(days=30))
    with pytest.raises(Refused, match="once in 30 days") as error:
        users.change(user.id, {"time_zone": "UTC"})
    assert error.value.figures == {"param": "time_zone"}
    freeze(owner_engine, new_year + timedelta(days=31))
    assert users.change(user.id, {"time_zone": "UTC"}).change


def test_a_refused_change_leaves_the_name_as_it_was(new_year: datetime) -> None:
    assert new_year
    user = somebody("UTC")
    for zone in ("Mars/Olympus",):
        with pytest.raises(Refused):
            users.change(user.id, {"display_name": "New", "time_zone": zone})
    assert users.get(user.id) == user


def test_a_zone_change_opens_no_second_cap_for_the_same_date(
    new_year: datetime, owner_engine: Engine
) -> None:
    """Full on the 2nd in Kiritimati, then in Pago Pago where the 2nd comes again."""
    user = somebody("Pacific/Kiritimati")  # 02:00 on the 2nd

    def win(key: str, at: datetime) -> str | None:
        return wins.book(1, wins.WinRequest(user.id, key, 10**18, at, "g", "r")).code

    assert [win(f"first-{n}", new_year) for n in range(6)] == [None] * 5 + ["daily_limit_exceeded"]
    change = users.change(user.id, {"time_zone": "Pacific/Pago_Pago"}).change
    assert change
    assert change.start == new_year + timedelta(hours=22)
    for hours in (23, 24, 46):  # the 2nd in Pago Pago: from 11:00 UTC on the 2nd
        freeze(owner_engine, new_year + timedelta(hours=hours))
        assert win(f"again-{hours}", new_year + timedelta(hours=hours)) in (
            "daily_limit_exceeded",
            None,
        )
    day = wins.today(user.id, None, 50)[0]
    assert (day.day.day, day.won) == (2, 5 * 10**18)


def test_two_changes_at_the_same_moment_are_one(app: Flask, new_year: datetime) -> None:
    assert new_year
    user = somebody("UTC")
    barrier = threading.Barrier(6)

    def change(n: int) -> str:
        with app.app_context():
            barrier.wait()
            try:
                found = users.change(user.id, {"time_zone": ("Asia/Tokyo", "Europe/Berlin")[n % 2]})
            except Refused as error:
                return error.code
            assert found.change
            return found.change.time_zone

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(change, range(6)))
    assert made.count("validation_failed") == 3
    assert len(set(made)) == 2
