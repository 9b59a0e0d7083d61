"""Input that no honest caller sends: a clear refusal each, and nothing written."""

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from portal.api import calls
from tests.api.conftest import Api
from tests.api.files import CSV, as_csv
from tests.api.purse import Purse
from tests.factories import convert_due

MEDIA, MALFORMED = "unsupported_media_type", "malformed_json"
USER, WALLET = "/users/<user_id>", "/users/<user_id>/wallets/<asset>"
LISTS = [
    f"{USER}/tokens/today",
    f"{USER}/usd/history",
    f"{WALLET}/transactions",
    f"{WALLET}/holds",
    "/conversions",
    "/events",
    "/imports",
    "/webhook-endpoints/<endpoint_id>/stalls",
]
STALLS = """
INSERT INTO webhook_stalls (endpoint_id, owner_id, seq, attempts, since, next_at, last_failure)
SELECT :endpoint, n, 1, 1, ledger.clock(), ledger.clock() + interval '1 day', '' FROM generate_series(1, 2) n
"""


@pytest.fixture
def user(api: Api) -> str:
    return api.user()


def refused(answer: TestResponse, status: int, code: str, param: str | None = None) -> str:
    """The detail of a refusal that must be this one."""
    assert answer.json is not None
    found = (answer.status_code, answer.json["code"], answer.json.get("param"))
    assert found == (status, code, param), answer.text
    return str(answer.json["detail"])


def send(api: Api, user: str, data: bytes, media: str = "application/json", **more: str) -> Any:
    key = api.new_key()
    path = f"/users/{user}/wins"
    return api.call("POST", path, data=data, content_type=media, key=key, headers=more)


@pytest.mark.parametrize(
    "media",
    [
        "application/json; charset=utf-8",
        'application/json; charset="UTF-8"',
        "Application/JSON;charset=Utf8",
        "application/json; charset=us-ascii",
        "application/json; profile=x",
    ],
)
def test_json_may_name_its_one_charset(api: Api, user: str, media: str) -> None:
    assert send(api, user, json.dumps(api.win()).encode(), media).status_code == 201


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "utf-7", "utf-8-sig", "x" * 5000])
def test_json_in_another_charset_is_refused(api: Api, user: str, charset: str) -> None:
    before = api.rows()
    media = f"application/json; charset={charset}"
    refused(send(api, user, json.dumps(api.win()).encode(), media), 415, MEDIA)
    assert api.rows() == before


@pytest.mark.parametrize(
    "media",
    [
        "",
        "json",
        "application/jsonp",
        "application/json, text/plain",
        "text/json",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "*/*",
        "application/",
        "\xff",
        ";",
    ],
)
def test_any_other_content_type_is_refused(api: Api, user: str, media: str) -> None:
    before = api.rows()
    refused(send(api, user, json.dumps(api.win()).encode(), media), 415, MEDIA)
    assert api.rows() == before


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip", "x"])
def test_a_compressed_body_is_refused(api: Api, user: str, coding: str) -> None:
    body = gzip.compress(json.dumps(api.win()).encode())
    detail = refused(send(api, user, body, **{"Content-Encoding": coding}), 415, MEDIA)
    assert "compressed" in detail


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"amount": "1", "amount": "2"}', "amount"),
        (b'{"a": {"b": [{"deep": 1, "deep": 1}]}}', "deep"),
        (b'{"": 1, "": 2}', ""),
        (b'{"\\u0061": 1, "a": 2}', "a"),
        ('{"é": 1, "é": 2}'.encode(), "é"),
    ],
)
def test_a_key_that_is_there_twice_is_named(api: Api, user: str, body: bytes, name: str) -> None:
    detail = refused(send(api, user, body), 400, MALFORMED, name)
    assert "twice" in detail


def test_one_twice_among_a_hundred_thousand_keys_is_found_at_once(api: Api, user: str) -> None:
    body = "{" + ",".join(f'"k{n}":0' for n in range(80_000)) + ',"k79999":0}'
    refused(send(api, user, body.encode()), 400, MALFORMED, "k79999")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'{"a":' * 100_000, "deep"),
        (b"[" * 100_000 + b"]" * 100_000, "deep"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "UTF-8"),
        ("{}".encode("utf-16"), "UTF-8"),
        (b"\xef\xbb\xbf{}", "JSON"),
        (b'{"a": \x00}', "JSON"),
        (b"{'a': 1}", "line 1 column 2"),
        (b'{"a": 1,}', "JSON"),
        (b'{"a": 01}', "JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too long"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": // a comment\n 1}', "JSON"),
    ],
    ids=range(13),
)
def test_a_body_that_is_not_json_is_told_why(api: Api, user: str, body: bytes, word: str) -> None:
    assert word in refused(send(api, user, body), 400, MALFORMED)


@pytest.mark.parametrize("query", ["x=1", "%ff=1", "=1", "a&b", "%00", "limit=1"])
def test_a_call_with_a_body_takes_no_query(api: Api, user: str, query: str) -> None:
    before = api.rows()
    for path, body in ((f"/users/{user}/wins", api.win()), ("/wins/batch", {"wins": [api.win()]})):
        answer = api.post(f"{path}?{query}", body, key=api.new_key())
        assert refused(answer, 422, "validation_failed", (answer.json or {}).get("param", ""))
    assert api.rows() == before


def test_a_parameter_is_given_once(api: Api, user: str) -> None:
    for path, name in (("/conversions", "limit"), (f"/users/{user}/usd/history", "from")):
        refused(api.get(f"{path}?{name}=1&{name}=1"), 422, "validation_failed", name)
    twice = f"/users/{user}/wallets/USD?at=x&at=2026-11-20T00:00:00Z"
    refused(api.get(twice), 422, "validation_failed", "at")


@pytest.mark.parametrize(
    "junk", ["%ff%fe", "%00", "%0a", "%F0%9F%8E%B2", "%zz", "%", "%2e%2e", "٣"]
)
def test_junk_in_a_path_is_nobody_s(api: Api, user: str, junk: str) -> None:
    refused(api.get(f"/users/{junk}"), 404, "unknown_user")
    refused(api.get(f"/users/{user}/wallets/{junk}"), 404, "unknown_asset")
    refused(api.get(f"/users/{user}/wallets/GOLD_COIN/holds/{junk}"), 404, "unknown_hold")
    refused(api.get(f"/users/a%2f{junk}"), 404, "not_found")


@pytest.mark.parametrize("junk", ["%ff%fe", "%00", "1%00", "%F0%9F%8E%B2", "٣", "1e1", "0x10", "١"])
def test_junk_in_a_query_is_no_value(api: Api, user: str, junk: str) -> None:
    refused(api.get(f"/conversions?limit={junk}"), 422, "validation_failed", "limit")
    refused(api.get(f"/conversions?cursor={junk}"), 422, "invalid_cursor", "cursor")
    history = f"/users/{user}/usd/history"
    refused(api.get(f"{history}?from={junk}"), 422, "validation_failed", "from")
    refused(api.get(f"/users/{user}/wallets/USD?at={junk}"), 422, "validation_failed", "at")


@pytest.mark.parametrize("value", ["\xff\xfe", "\x00", "a\x00b", "\xc3\xa9", "\t", " "])
def test_junk_in_a_header_is_no_key(api: Api, user: str, value: str) -> None:
    environ = {"HTTP_IDEMPOTENCY_KEY": value}
    answer = api.post(f"/users/{user}/wins", api.win(), environ_overrides=environ)
    refused(answer, 400, "idempotency_key_invalid")
    environ = {"HTTP_AUTHORIZATION": f"Bearer {value}"}
    refused(api.get("/assets", token=None, environ_overrides=environ), 401, "unauthorized")


def lists(purse: Purse) -> list[str]:
    """Every list of a user with a page and more, and the first page's cursor."""
    user = f"/users/{purse.user}"
    return [f"{purse.path}/transactions", f"{purse.path}/holds", f"{user}/tokens/today"]


def filled(api: Api) -> Purse:
    purse = Purse(api, api.user())
    purse.top_up("10")
    for _ in range(2):
        purse.hold("1")
        api.won(purse.user, "0.1")
    return purse


def cursor_of(api: Api, path: str) -> str:
    made = api.read(f"{path}?limit=1")["next_cursor"]
    assert isinstance(made, str)
    return made


def test_a_cursor_fits_its_own_list_of_its_own_user_only(api: Api) -> None:
    mine, other = filled(api), filled(api)
    paths = lists(mine) + lists(other) + ["/conversions"]
    for path in lists(mine):
        cursor = cursor_of(api, path)
        assert api.get(f"{path}?cursor={cursor}").status_code == 200
        for another in paths:
            if another != path:
                answer = api.get(f"{another}?cursor={cursor}")
                refused(answer, 422, "invalid_cursor", "cursor")


def addressed(rule: str, purse: Purse, endpoint: str) -> str:
    path = rule.replace("<user_id>", purse.user).replace("<asset>", purse.asset)
    return path.replace("<endpoint_id>", endpoint)


@pytest.fixture(scope="module")
def cursors(api: Api) -> dict[str, tuple[str, str]]:
    """By list: its path, up to the value of its cursor, and one that fits it."""
    purse = filled(api)
    for _ in range(2):
        api.won(purse.user, "0.1")
        api.books.set_clock(api.now() + timedelta(days=1))
        with api.app.app_context():
            convert_due()
    api.won(purse.user, "0.1")
    api.won(purse.user, "0.1")
    for _ in range(2):
        file = as_csv([api.win(user_id=purse.user, idempotency_key="k")])
        key = api.new_key()
        answer = api.call("POST", "/imports", data=file, content_type=CSV, key=key)
        assert answer.status_code == 202, answer.text
    made = api.post("/webhook-endpoints", {"url": "http://127.0.0.1:65009/"}).json
    endpoint = str(made["endpoint"]["endpoint_id"]) if made else ""
    with api.owner.begin() as connection:
        connection.execute(text(STALLS), {"endpoint": endpoint})
    paths = {rule: addressed(rule, purse, endpoint) for rule in LISTS}
    params = {rule: "after" if rule == "/events" else "cursor" for rule in LISTS}
    return {rule: (f"{path}?{params[rule]}=", cursor_of(api, path)) for rule, path in paths.items()}


def test_no_list_is_left_out(api: Api) -> None:
    listing = {
        route.rule.rule.removeprefix("/api/v1")
        for route in calls.routes(api.app)
        if route.call.query and {"cursor", "after"} & set(route.call.query.model_fields)
    }
    assert listing == set(LISTS)


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize("rule", LISTS)
def test_a_cursor_of_any_other_list_is_refused(
    api: Api, cursors: dict[str, tuple[str, str]], rule: str
) -> None:
    asked, own = cursors[rule]
    assert api.get(f"{asked}{own}").status_code == 200
    param = "after" if rule == "/events" else "cursor"
    for another in LISTS:
        if another != rule:
            refused(api.get(f"{asked}{cursors[another][1]}"), 422, "invalid_cursor", param)


def test_a_cursor_with_one_letter_changed_or_missing_is_none(api: Api) -> None:
    for path in lists(filled(api)):
        cursor = cursor_of(api, path)
        for place in range(len(cursor) - 1):  # the last letter has bits that mean nothing
            forged = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
            refused(api.get(f"{path}?cursor={forged}"), 422, "invalid_cursor", "cursor")
            cut = cursor[:place]
            refused(api.get(f"{path}?cursor={cut}"), 422, "invalid_cursor", "cursor")
        for more in ("A", ".", "%00", "A" * 20_000):
            refused(api.get(f"{path}?cursor={cursor}{more}"), 422, "invalid_cursor", "cursor")


def test_a_wish_to_speak_another_protocol_is_passed_over(api: Api) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x"}
    assert api.get("/assets", headers=headers).status_code == 200
