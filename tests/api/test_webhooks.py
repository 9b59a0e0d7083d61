"""Webhook endpoints over HTTP: made, seen, changed, rotated, replayed, by the client they belong to."""

import copy
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from portal.ledger.events import FRESH_S
from portal.services import clients
from portal.services.webhooks.addresses import NOT_PUBLIC
from portal.services.webhooks.claims import Claims
from portal.services.webhooks.delivery import Courier
from portal.services.webhooks.endpoints import MAX_ENDPOINTS
from tests.api.conftest import Api
from tests.receiver import Receiver

PATH = "/webhook-endpoints"
GONE = "http://127.0.0.1:65009/nobody-listens"
pytestmark = pytest.mark.usefixtures("redis")


@pytest.fixture
def client(api: Api) -> str:
    """The key of a client that has no endpoint yet."""
    return api.key_with(*clients.SCOPES, client=api.new_key())


def make(api: Api, client: str, url: str = GONE, **fields: Any) -> Any:
    answer = api.post(PATH, {"url": url, **fields}, token=client)
    assert answer.status_code == 201, answer.text
    return answer.json


def deliver(api: Api, endpoint_id: str) -> None:
    time.sleep(2 * FRESH_S)  # what was booked just now is settled
    with api.app.app_context(), Claims() as claims:
        courier = Courier(int(endpoint_id), claims)
        courier.work()
        courier.close()


def test_an_endpoint_is_made_with_a_secret_that_is_shown_this_once(api: Api, client: str) -> None:
    made = make(api, client, description="the shop", events=["win.booked"])
    endpoint = made["endpoint"]
    assert made["secret"].startswith("whsec_")
    assert (endpoint["url"], endpoint["description"]) == (GONE, "the shop")
    assert (endpoint["events"], endpoint["state"]) == (["win.booked"], "enabled")
    one = api.get(f"{PATH}/{endpoint['endpoint_id']}", token=client).json
    assert one == {"endpoint": endpoint}
    assert api.get(PATH, token=client).json == {"endpoints": [endpoint]}
    assert "whsec_" not in api.get(PATH, token=client).text


def test_an_endpoint_is_its_clients_alone(api: Api, client: str) -> None:
    path = f"{PATH}/{make(api, client)['endpoint']['endpoint_id']}"
    other = api.key_with(*clients.SCOPES, client=api.new_key())
    calls = [
        api.get(path, token=other),
        api.call("PATCH", path, json={"state": "disabled"}, token=other),
        api.call("DELETE", path, token=other),
        api.post(f"{path}/secrets", {}, token=other),
        api.post(f"{path}/replays", {"event_id": "1-1"}, token=other),
        api.get(f"{path}/stalls", token=other),
    ]
    assert {(each.status_code, each.json["code"]) for each in calls} == {(404, "unknown_endpoint")}
    assert api.get(PATH, token=other).json == {"endpoints": []}
    assert api.get(path, token=client).json["endpoint"]["state"] == "enabled"


def test_endpoints_need_the_scope_admin(api: Api) -> None:
    reader = api.key_with("read")
    assert api.get(PATH, token=reader).json["code"] == "forbidden"
    assert api.post(PATH, {"url": GONE}, token=reader).json["code"] == "forbidden"


@pytest.mark.parametrize("id_", ["0", "x", "99999999", str(2**63), "-1"])
def test_an_endpoint_that_is_not_there_is_unknown(api: Api, id_: str) -> None:
    answer = api.get(f"{PATH}/{id_}").json
    assert answer["code"] == "unknown_endpoint"
    assert answer["detail"].endswith("GET /api/v1/webhook-endpoints lists yours")


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "validation_failed", "url"),
        ({"url": 1}, "validation_failed", "url"),
        ({"url": GONE, "events": []}, "validation_failed", "events"),
        ({"url": GONE, "events": ["win"]}, "validation_failed", "events.0"),
        ({"url": GONE, "since": "2026-01-01T00:00:00"}, "validation_failed", "since"),
        ({"url": GONE, "secret": "x"}, "validation_failed", "secret"),
        ({"url": "ftp://127.0.0.1/"}, "url_not_allowed", "url"),
        ({"url": "http://a:b@127.0.0.1/"}, "url_not_allowed", "url"),
        ({"url": "http://127.0.0.1/#part"}, "url_not_allowed", "url"),
        ({"url": "http://127.0.0.1:22/"}, "url_not_allowed", "url"),
        ({"url": "http://127.0.0.1:99999/"}, "url_not_allowed", "url"),
        ({"url": "http:///path"}, "url_not_allowed", "url"),
        ({"url": "http://[::1/"}, "url_not_allowed", "url"),
        ({"url": "http://127.0.0.1/a b"}, "url_not_allowed", "url"),
        ({"url": "http://no-such-host.invalid/"}, "url_not_allowed", "url"),
        ({"url": "nonsense"}, "url_not_allowed", "url"),
    ],
)
def test_what_is_wrong_is_refused_by_name(
    api: Api, client: str, body: dict[str, Any], code: str, param: str
) -> None:
    answer = api.post(PATH, body, token=client)
    assert (answer.status_code, answer.json["code"], answer.json["param"]) == (422, code, param)
    assert api.get(PATH, token=client).json == {"endpoints": []}


def test_private_addresses_are_refused_where_the_settings_say_so(
    api: Api, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = api.app.extensions["dreamland"]
    strict = replace(runtime.settings, webhook_private=False)
    monkeypatch.setitem(api.app.extensions, "dreamland", _with(runtime, strict))
    for url in ("http://127.0.0.1:9000/", "http://[::1]:9000/", "http://localhost:9000/"):
        answer = api.post(PATH, {"url": url}, token=client)
        assert answer.json["code"] == "url_not_allowed"
        assert answer.json["detail"] == NOT_PUBLIC


def test_an_endpoint_needs_no_redis_and_one_event_again_says_try_later(
    api: Api, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = api.app.extensions["dreamland"]
    away = replace(runtime.settings, redis_url="redis://127.0.0.1:1/0")
    monkeypatch.setitem(api.app.extensions, "dreamland", _with(runtime, away))
    path = f"{PATH}/{make(api, client)['endpoint']['endpoint_id']}"
    owner = api.books.owner()
    api.books.bonus(owner, "GOLD_COIN", "1")
    answer = api.post(f"{path}/replays", {"event_id": f"{owner}-1"}, token=client)
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")


def _with(runtime: Any, settings: Any) -> Any:
    made = copy.copy(runtime)
    object.__setattr__(made, "settings", settings)
    return made


def test_a_client_has_so_many_endpoints_and_no_more(api: Api, client: str) -> None:
    made = [make(api, client)["endpoint"] for _ in range(MAX_ENDPOINTS)]
    answer = api.post(PATH, {"url": GONE}, token=client)
    assert (answer.status_code, answer.json["code"]) == (422, "too_many_endpoints")
    gone = api.call("DELETE", f"{PATH}/{made[0]['endpoint_id']}", token=client)
    assert (gone.status_code, gone.text) == (204, "")
    make(api, client)


def test_a_change_says_what_changes_and_nothing_else_does(api: Api, client: str) -> None:
    made = make(api, client, description="old", events=["win.booked"])["endpoint"]
    path = f"{PATH}/{made['endpoint_id']}"
    changed = api.call("PATCH", path, json={"events": None, "state": "disabled"}, token=client)
    assert changed.json["endpoint"] == made | {
        "events": None,
        "state": "disabled",
        "disabled_reason": "disabled by its client",
    }
    again = api.call("PATCH", path, json={"state": "enabled"}, token=client).json["endpoint"]
    assert again == made | {"events": None}
    wrong = api.call("PATCH", path, json={"url": "nonsense"}, token=client)
    assert wrong.json["code"] == "url_not_allowed"


def test_what_is_behind_and_failing_can_be_seen(api: Api, client: str, receiver: Receiver) -> None:
    made = make(api, client, receiver.url)
    path = f"{PATH}/{made['endpoint']['endpoint_id']}"
    owner = api.books.owner()
    for _ in range(3):
        api.books.bonus(owner, "GOLD_COIN", "1")
    assert api.get(path, token=client).json["endpoint"]["behind"] == 3
    receiver.answer = lambda _: 500
    deliver(api, made["endpoint"]["endpoint_id"])
    told = api.get(path, token=client).json["endpoint"]
    assert (told["behind"], told["last_failure"]) == (0, "answered 500")
    assert told["failing_since"] is not None
    [stall] = api.get(f"{path}/stalls", token=client).json["stalls"]
    assert stall["event_id"] == f"{owner}-1"
    assert (stall["user_id"], stall["attempts"]) == (str(owner), 1)


def test_stalls_page_by_cursor(api: Api, client: str, receiver: Receiver) -> None:
    made = make(api, client, receiver.url)
    receiver.answer = lambda _: 500
    owners = [api.books.owner() for _ in range(5)]
    for owner in owners:
        api.books.bonus(owner, "GOLD_COIN", "1")
    deliver(api, made["endpoint"]["endpoint_id"])
    path = f"{PATH}/{made['endpoint']['endpoint_id']}/stalls?limit=2"
    seen: list[str] = []
    cursor = ""
    for _ in range(5):
        page = api.get(path + cursor, token=client).json
        seen += [stall["user_id"] for stall in page["stalls"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [str(owner) for owner in owners]


def test_a_rotated_secret_signs_beside_the_new_one_for_a_day(
    api: Api, client: str, receiver: Receiver
) -> None:
    made = make(api, client, receiver.url)
    number = made["endpoint"]["endpoint_id"]
    rotated = api.post(f"{PATH}/{number}/secrets", {}, token=client)
    assert rotated.status_code == 201
    assert rotated.json["secret"] != made["secret"]
    assert rotated.json["endpoint"]["old_secret_until"] is not None
    owner = api.books.owner()
    for secrets, is_verified in (([made["secret"]], True), ([rotated.json["secret"]], True)):
        receiver.secrets = secrets
        api.books.bonus(owner, "GOLD_COIN", "1")
        deliver(api, number)
        assert (receiver.unverified == []) is is_verified
    assert receiver.seen[0].headers["webhook-signature"].count("v1,") == 2
    api.books.set_clock(api.books.now() + timedelta(hours=24))
    api.books.bonus(owner, "GOLD_COIN", "1")
    deliver(api, number)
    assert receiver.unverified == []
    assert receiver.seen[-1].headers["webhook-signature"].count("v1,") == 1
    receiver.secrets = [made["secret"]]
    api.books.bonus(owner, "GOLD_COIN", "1")
    deliver(api, number)
    assert len(receiver.unverified) == 1


def test_a_rotation_that_is_repeated_answers_the_same_secret_and_ends_none_early(
    api: Api, client: str, receiver: Receiver
) -> None:
    made = make(api, client, receiver.url)
    number = made["endpoint"]["endpoint_id"]
    rotated = api.post(f"{PATH}/{number}/secrets", {}, token=client).json
    api.books.set_clock(api.books.now() + timedelta(hours=23))
    assert api.post(f"{PATH}/{number}/secrets", {}, token=client).json == rotated
    receiver.secrets = [made["secret"]]
    api.books.bonus(api.books.owner(), "GOLD_COIN", "1")
    deliver(api, number)
    assert len(receiver.seen) == 1
    assert receiver.unverified == []
    api.books.set_clock(api.books.now() + timedelta(hours=1))
    third = api.post(f"{PATH}/{number}/secrets", {}, token=client).json["secret"]
    assert third not in (made["secret"], rotated["secret"])


def test_an_endpoint_can_start_in_the_past(api: Api, client: str, receiver: Receiver) -> None:
    owner = api.books.owner()
    since = api.books.now()
    api.books.bonus(owner, "GOLD_COIN", "1")
    made = make(api, client, receiver.url, since=since.isoformat())
    receiver.secrets = [made["secret"]]
    deliver(api, made["endpoint"]["endpoint_id"])
    assert [message.id for message in receiver.taken] == [f"{owner}-1"]
    assert receiver.unverified == []


def test_a_client_bound_to_games_is_told_of_no_other_games_wins(
    api: Api, client: str, receiver: Receiver
) -> None:
    made = make(api, client, receiver.url)
    with api.owner.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE api_clients SET games = '{chess}' WHERE id ="
            f" (SELECT client_id FROM webhook_endpoints WHERE id = {made['endpoint']['endpoint_id']})"
        )
    user = api.user()
    api.won(user, "0.1")  # in maze
    api.books.bonus(int(user), "GOLD_COIN", "1")
    deliver(api, made["endpoint"]["endpoint_id"])
    assert [message.id for message in receiver.taken] == [f"{user}-2"]
