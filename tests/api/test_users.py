"""Users over HTTP: made once, read, changed; their zones and what a change of zone does."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from tests.api.conftest import Api


def body(api: Api, **fields: object) -> dict[str, object]:
    return {"external_id": f"made-{next(api.numbers)}", "display_name": "Ada"} | fields


def test_a_user_is_answered_as_promised(api: Api) -> None:
    new = body(api, time_zone="Asia/Kolkata", email="ada@example.org", region="global")
    answer = api.post("/users", new)
    assert answer.status_code == 201
    user = answer.json["user"]
    assert isinstance(user["id"], str)
    assert int(user["id"]) > 0
    assert {name: user[name] for name in new} == new
    assert abs(datetime.fromisoformat(user["created_at"]) - api.now()) < timedelta(seconds=5)
    assert api.read(f"/users/{user['id']}") == {"user": user, "time_zone_change": None}


def test_the_same_request_again_finds_the_user(api: Api) -> None:
    new = body(api)
    first = api.post("/users", new)
    before = api.rows()
    again = api.post("/users", new | {"time_zone": "UTC"})  # its default
    assert (again.status_code, again.json) == (200, first.json)
    assert api.rows() == before


def test_the_same_request_finds_the_user_after_a_change_too(api: Api) -> None:
    new = body(api)
    id_ = api.post("/users", new).json["user"]["id"]
    api.call("PATCH", f"/users/{id_}", json={"display_name": "Changed"})
    again = api.post("/users", new)
    assert (again.status_code, again.json["user"]["display_name"]) == (200, "Changed")


@pytest.mark.parametrize(
    "change", [{"display_name": "Eve"}, {"time_zone": "Asia/Tokyo"}, {"email": "e@v.e"}]
)
def test_an_external_id_in_use_is_refused(api: Api, change: dict[str, str]) -> None:
    new = body(api)
    assert api.post("/users", new).status_code == 201
    before = api.rows()
    answer = api.post("/users", new | change)
    assert (answer.status_code, answer.json["code"]) == (409, "user_exists")
    assert api.rows() == before


def test_one_external_id_at_the_same_moment_makes_one_user(api: Api) -> None:
    new = body(api)
    bodies = [new] * 8 + [new | {"display_name": "Eve"}] * 8
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda each: api.post("/users", each), bodies))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == 1
    assert (statuses.count(200), statuses.count(409)) == (7, 8)
    assert len({answer.json["user"]["id"] for answer in answers if answer.status_code < 300}) == 1


@pytest.mark.parametrize("external_id", ["x" * 200, "🎲", "a b", "../..", "' OR 1=1 --", "1"])
def test_any_text_is_an_external_id(api: Api, external_id: str) -> None:
    made = api.post("/users", body(api, external_id=external_id))
    assert made.json["user"]["external_id"] == external_id


def test_a_change_touches_only_what_it_names(api: Api) -> None:
    id_ = api.user("Asia/Tokyo", email="a@b.c")
    before = api.read(f"/users/{id_}")["user"]
    answer = api.call("PATCH", f"/users/{id_}", json={"display_name": "Neu"})
    assert answer.json == {"user": before | {"display_name": "Neu"}, "time_zone_change": None}
    cleared = api.call("PATCH", f"/users/{id_}", json={"email": None}).json["user"]
    assert cleared == before | {"display_name": "Neu", "email": None}
    assert api.call("PATCH", f"/users/{id_}", json={}).json["user"] == cleared
    assert api.read(f"/users/{id_}")["user"] == cleared


def test_a_new_zone_is_announced_and_then_holds(api: Api) -> None:
    id_ = api.user("UTC")
    midnight = (api.now() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    answer = api.call("PATCH", f"/users/{id_}", json={"time_zone": "Asia/Tokyo"})
    assert answer.status_code == 200
    assert answer.json["user"]["time_zone"] == "UTC"
    change = answer.json["time_zone_change"]
    assert change["time_zone"] == "Asia/Tokyo"
    assert datetime.fromisoformat(change["from"]) == midnight
    assert api.read(f"/users/{id_}/stats")["time_zone"] == "UTC"
    api.books.set_clock(midnight + timedelta(hours=12))
    assert api.read(f"/users/{id_}")["user"]["time_zone"] == "Asia/Tokyo"
    assert api.read(f"/users/{id_}")["time_zone_change"] is None
    assert api.read(f"/users/{id_}/stats")["time_zone"] == "Asia/Tokyo"


def test_a_second_change_within_30_days_is_refused_whole(api: Api) -> None:
    id_ = api.user("UTC")
    api.call("PATCH", f"/users/{id_}", json={"time_zone": "Asia/Tokyo"})
    before, rows = api.read(f"/users/{id_}"), api.rows()
    answer = api.call(
        "PATCH", f"/users/{id_}", json={"display_name": "New", "time_zone": "Europe/Berlin"}
    )
    assert (answer.status_code, answer.json["code"]) == (422, "validation_failed")
    assert answer.json["param"] == "time_zone"
    assert (api.read(f"/users/{id_}"), api.rows()) == (before, rows)


def test_the_same_zone_again_changes_nothing(api: Api) -> None:
    id_ = api.user("UTC")
    first = api.call("PATCH", f"/users/{id_}", json={"time_zone": "Asia/Tokyo"}).json
    before = api.rows()
    assert api.call("PATCH", f"/users/{id_}", json={"time_zone": "Asia/Tokyo"}).json == first
    assert api.rows() == before


def test_the_zone_one_has_is_no_change(api: Api) -> None:
    id_ = api.user("Asia/Tokyo")
    answer = api.call("PATCH", f"/users/{id_}", json={"time_zone": "Asia/Tokyo"})
    assert (answer.status_code, answer.json["time_zone_change"]) == (200, None)
