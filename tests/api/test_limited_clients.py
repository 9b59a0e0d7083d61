"""Clients limited to games, regions or networks: what they may not do is forbidden, and said plainly."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from portal import create_app
from portal.services import clients
from portal.services.users import REGION_SHIFT
from tests.api.conftest import Api
from tests.conftest import settings_for


@pytest.fixture(scope="module")
def regions(
    api: Api, shared_database: URL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """The same books, served for three regions from behind a proxy."""
    settings = settings_for(shared_database, Path(tmp_path_factory.mktemp("regions")))
    app = create_app(replace(settings, regions=("eu", "us", "asia"), proxies=1))
    yield replace(api, app=app)
    app.extensions["dreamland"].engine.dispose()


def limited(api: Api, **limits: Any) -> str:
    """A key of every scope, of a client with these limits."""
    name = f"limited-{next(api.numbers)}"
    token = api.key_with(*clients.SCOPES, client=name)
    with api.app.app_context():
        clients.set_limits(name, **limits)
    return token


def forbidden(answer: Any, *words: str) -> None:
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden"), answer.text
    assert all(word in answer.json["detail"] for word in words)


# --- Games


def test_a_client_of_a_game_books_wins_of_that_game_only(api: Api) -> None:
    token, user = limited(api, games=["maze"]), api.user()
    path = f"/users/{user}/wins"
    assert api.post(path, api.win(game="maze"), key="a", token=token).status_code == 201
    before = api.rows()
    forbidden(api.post(path, api.win(game="rush"), key="b", token=token), "games maze")
    assert api.rows() == before


def test_a_batch_item_of_another_game_is_rejected_and_the_others_are_booked(api: Api) -> None:
    token, user = limited(api, games=["maze"]), api.user()
    items = [
        api.win(game=game, user_id=user, idempotency_key=game) for game in ("rush", "maze", "sky")
    ]
    answer = api.post("/wins/batch", {"wins": items}, token=token).json
    assert [result["status"] for result in answer["results"]] == ["rejected", "posted", "rejected"]
    assert answer["results"][0]["error"]["code"] == "forbidden"
    assert "games maze" in answer["results"][0]["error"]["detail"]


# --- Regions


def test_a_user_of_another_region_is_out_of_reach_on_every_route(regions: Api) -> None:
    """Every route whose path names a user, those that are added later too."""
    token, user = limited(regions, regions=["eu"]), regions.user(region="us")
    assert int(user) >> REGION_SHIFT == 1
    before = regions.rows()
    rules = regions.app.url_map.iter_rules()
    routes = [rule for rule in rules if rule.rule.startswith("/api/v1/users/")]
    asked = 0
    for rule in routes:
        assert "user_id" in rule.arguments
        values = dict.fromkeys(rule.arguments, f"{user}-1") | {
            "user_id": user,
            "asset": "GOLD_COIN",
        }
        path = rule.rule.replace("/api/v1", "")
        for name, value in values.items():
            path = path.replace(f"<{name}>", value)
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            forbidden(regions.call(method, path, key="k", token=token, json={}), "other regions")
            asked += 1
    assert asked > 15
    assert regions.rows() == before


@pytest.mark.parametrize("noun", ["", "/stats", "/wallets", "/tokens/today"])
def test_a_client_of_another_region_is_not_told_what_is_current(regions: Api, noun: str) -> None:
    path = f"/users/{regions.user(region='us')}{noun}"
    known = regions.get(path).headers["ETag"]
    for region, status in (("us", 304), ("eu", 403)):
        token = limited(regions, regions=[region])
        for tags in (known, "*"):
            answer = regions.get(path, token=token, headers={"If-None-Match": tags})
            assert answer.status_code == status
            assert ("ETag" in answer.headers) is (status == 304)


def test_a_batch_item_for_a_user_of_another_region_is_rejected(regions: Api) -> None:
    token = limited(regions, regions=["eu", "asia"])
    users = [regions.user(region=region) for region in ("eu", "us", "asia")]
    items = [regions.win(user_id=user, idempotency_key=user) for user in users]
    answer = regions.post("/wins/batch", {"wins": items}, token=token).json
    assert [result["status"] for result in answer["results"]] == ["posted", "rejected", "posted"]
    assert answer["results"][1]["error"]["code"] == "forbidden"


def test_a_user_is_made_in_the_regions_of_the_client_only(regions: Api) -> None:
    token = limited(regions, regions=["us"])
    body = {"external_id": "in-us", "display_name": "Uma", "region": "us"}
    assert regions.post("/users", body, token=token).status_code == 201
    for region in ({"region": "eu"}, {"region": None}, {}):
        other = {"external_id": "elsewhere", "display_name": "Uma"} | region
        forbidden(regions.post("/users", other, token=token), "other regions")
    unknown = regions.post("/users", body | {"region": "mars"}, token=token)
    assert (unknown.status_code, unknown.json["code"]) == (422, "validation_failed")


def test_a_client_of_a_region_reads_what_is_of_all_users(regions: Api) -> None:
    token = limited(regions, regions=["us"])
    assert regions.get("/conversions", token=token).status_code == 200
    assert regions.get("/assets", token=token).status_code == 200


# --- Networks


def test_a_call_from_another_network_is_forbidden_whatever_its_scope(api: Api) -> None:
    token = limited(api, networks=["127.0.0.0/8"])
    assert api.get("/assets", token=token).status_code == 200
    elsewhere = {"REMOTE_ADDR": "192.0.2.1"}
    answer = api.get("/assets", token=token, environ_overrides=elsewhere)
    forbidden(answer, "other networks")


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(regions: Api) -> None:
    token = limited(regions, networks=["192.0.2.0/24"])

    def status(seen: str) -> int:
        headers = {"X-Forwarded-For": seen}
        return regions.get("/assets", token=token, headers=headers).status_code

    assert status("192.0.2.9") == 200
    assert status("198.51.100.1, 192.0.2.9") == 200
    assert status("192.0.2.9, 198.51.100.1") == 403  # what the caller wrote itself counts nothing


def test_without_a_proxy_what_a_caller_says_of_its_address_counts_nothing(api: Api) -> None:
    token = limited(api, networks=["192.0.2.0/24"])
    forbidden(api.get("/assets", token=token, headers={"X-Forwarded-For": "192.0.2.9"}))


# --- Rotation


def test_a_request_sent_with_the_old_key_is_a_replay_with_the_new_one(api: Api) -> None:
    old, user = api.key_with("wins:write", "read", client="rotating"), api.user()
    body, path = api.win(), f"/users/{user}/wins"
    first = api.post(path, body, key="one", token=old)
    with api.app.app_context():
        caller = clients.caller_of(old)
        assert caller
        new, _ = clients.rotate(caller.key_id)
    for token in (new, old):
        again = api.post(path, body, key="one", token=token)
        assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
        assert again.json["win"] == first.json["win"]
    other = api.post(path, api.win(amount="0.2"), key="one", token=new)
    assert other.json["code"] == "idempotency_key_reused"
