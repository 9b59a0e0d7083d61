"""A batch of wins: each item stands for itself, in order, as if sent one by one."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.api.conftest import Api


@pytest.fixture
def user(api: Api) -> str:
    return api.user()


def item(api: Api, user: object, **fields: object) -> dict[str, object]:
    return api.win() | {"user_id": user, "idempotency_key": api.new_key()} | fields


def send(api: Api, *items: object) -> Any:
    answer = api.post("/wins/batch", {"wins": items})
    assert answer.status_code == 200, answer.text
    assert [result["index"] for result in answer.json["results"]] == list(range(len(items)))
    counts = dict.fromkeys(("posted", "replayed", "rejected"), 0)
    for result in answer.json["results"]:
        counts[result["status"]] += 1
    assert {name: answer.json[name] for name in counts} == counts
    return answer.json["results"]


def outcomes(results: Any) -> list[str]:
    return [each["error"]["code"] if "error" in each else each["status"] for each in results]


def test_an_item_is_the_same_request_as_a_single_call(api: Api, user: str) -> None:
    body = api.win(amount="1")
    single = api.post(f"/users/{user}/wins", body, key="k")
    again = send(api, body | {"user_id": user, "idempotency_key": "k", "amount": "1.0"})
    assert again[0] == {"index": 0, "status": "replayed", "win": single.json["win"]}
    other = item(api, user)
    posted = send(api, other)[0]
    key = str(other.pop("idempotency_key"))
    del other["user_id"]
    replay = api.post(f"/users/{user}/wins", other, key=key)
    assert (replay.status_code, replay.json["win"]) == (200, posted["win"])


def test_items_are_decided_in_order_as_if_sent_one_by_one(api: Api, user: str) -> None:
    sizes = ("3", "3", "2", "0.000000000000000001")
    results = send(api, *(item(api, user, amount=size) for size in sizes))
    limit = "daily_limit_exceeded"
    assert outcomes(results) == ["posted", limit, "posted", limit]
    assert results[1]["error"] | {"detail": ""} == {
        "code": limit,
        "detail": "",
        "limit": "5",
        "used": "3",
        "remaining": "2",
    }
    assert [r["win"]["entry_id"] for r in results if "win" in r] == [f"{user}-1", f"{user}-2"]


def test_a_key_twice_in_a_batch_is_replayed_or_reused(api: Api, user: str) -> None:
    first = item(api, user)
    results = send(api, first, first, first | {"amount": "0.7"}, first | {"amount": "0.10"})
    assert outcomes(results) == ["posted", "replayed", "idempotency_key_reused", "replayed"]
    assert results[0]["win"] == results[1]["win"] == results[3]["win"]


def test_the_same_batch_again_is_replayed_whole(api: Api, user: str) -> None:
    items = [item(api, each) for each in (user, api.user(), user)]
    first, before = send(api, *items), api.rows()
    again = send(api, *items)
    assert outcomes(again) == ["replayed"] * 3
    assert [each["win"] for each in again] == [each["win"] for each in first]
    assert api.rows() == before


BAD: list[tuple[Any, str, str | None]] = [
    (None, "validation_failed", None),
    ([], "validation_failed", None),
    ("win", "validation_failed", None),
    (1, "validation_failed", None),
    ({}, "idempotency_key_missing", "idempotency_key"),
    ({"idempotency_key": ""}, "idempotency_key_invalid", None),
    ({"idempotency_key": 1}, "idempotency_key_invalid", None),
    ({"idempotency_key": None}, "idempotency_key_invalid", None),
    ({"idempotency_key": "k" * 256}, "idempotency_key_invalid", None),
    ({"idempotency_key": "a b"}, "idempotency_key_invalid", None),
    ({"idempotency_key": "ü"}, "idempotency_key_invalid", None),
    ({"user_id": None}, "validation_failed", "user_id"),
    ({"user_id": 1}, "validation_failed", "user_id"),
    ({"user_id": ["1"]}, "validation_failed", "user_id"),
    ({"user_id": "999999999999"}, "unknown_user", None),
    ({"user_id": "0"}, "unknown_user", None),
    ({"user_id": "\x00"}, "unknown_user", None),
    ({"user_id": "9" * 30}, "unknown_user", None),
    ({"amount": "0"}, "invalid_amount", "amount"),
    ({"amount": 1}, "invalid_amount", "amount"),
    ({"amount": 10**400}, "invalid_amount", "amount"),
    ({"amount": "6"}, "daily_limit_exceeded", None),
    ({"occurred_at": "now"}, "validation_failed", "occurred_at"),
    ({"occurred_at": "2020-01-01T00:00:00Z"}, "occurred_at_out_of_range", None),
    ({"occurred_at": "9999-12-31T23:59:59Z"}, "occurred_at_out_of_range", None),
    ({"occurred_at": "0001-01-01T00:00:00Z"}, "occurred_at_out_of_range", None),
    ({"game": ""}, "validation_failed", "game"),
    ({"game": "\x00"}, "validation_failed", "game"),
    ({"reference": "\ud800"}, "validation_failed", "reference"),
    ({"reference": "x" * 201}, "validation_failed", "reference"),
    ({"bonus": "1"}, "validation_failed", "bonus"),
    ({"\ud800": "1"}, "validation_failed", None),
]


@pytest.mark.parametrize(("bad", "code", "param"), BAD, ids=[str(bad)[:40] for bad, _, _ in BAD])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati"])
def test_a_bad_item_fails_alone(
    api: Api, user: str, bad: Any, code: str, param: str | None, zone: str
) -> None:
    wrong: Any = bad
    if isinstance(bad, dict) and bad:
        wrong = item(api, api.user(zone)) | bad
        if "user_id" in bad and bad["user_id"] is None:
            del wrong["user_id"]
    results = send(api, item(api, user), wrong, item(api, user))
    assert outcomes(results) == ["posted", code, "posted"]
    error = results[1]["error"]
    assert error["detail"]
    assert param is None or error["param"] == param


def test_a_bad_item_leaves_its_key_free(api: Api, user: str) -> None:
    wrong = item(api, user, amount="9")
    assert outcomes(send(api, wrong)) == ["daily_limit_exceeded"]
    assert outcomes(send(api, wrong | {"amount": "1"})) == ["posted"]


def test_a_batch_of_only_bad_items_is_answered_too(api: Api) -> None:
    before = api.rows()
    assert outcomes(send(api, *[{}] * 1000)) == ["idempotency_key_missing"] * 1000
    assert api.rows() == before


def test_a_thousand_items_are_one_batch(api: Api) -> None:
    users = [api.user() for _ in range(25)]
    results = send(api, *(item(api, users[n % 25], amount="0.1") for n in range(1000)))
    assert outcomes(results) == ["posted"] * 1000
    assert results[999]["win"]["entry_id"] == f"{users[24]}-40"
    assert api.read(f"/users/{users[24]}/stats")["tokens_today"] == "4"


def test_items_of_users_in_many_zones_count_on_their_own_days(api: Api) -> None:
    at = api.now()
    zones = {"Pacific/Kiritimati": 14, "UTC": 0, "Pacific/Pago_Pago": -11}
    items = [item(api, api.user(zone), occurred_at=at.isoformat()) for zone in zones]
    days = [result["win"]["day"] for result in send(api, *items)]
    assert days == [str((at + timedelta(hours=hours)).date()) for hours in zones.values()]


def test_a_batch_needs_no_header_of_its_own(api: Api, user: str) -> None:
    wins = {"wins": [item(api, user)]}
    answer = api.call("POST", "/wins/batch", data=json.dumps(wins), content_type="application/json")
    assert answer.status_code == 200
