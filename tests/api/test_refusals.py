"""Every refusal of the API: its status, code and param; nothing written; one line in the log."""

import io
import json
import re
from typing import Any

import pytest

from portal.api.problems import CODES
from tests.api.cases import BATCH, TODAY, USD, USER, WALLET, WINS, Case, get
from tests.api.conftest import Api
from tests.api.purse import Purse
from tests.api.wallet_cases import CALLS, HOLDS, WALLETS

AUTH = {
    "no credentials": Case(401, "unauthorized", token=None),
    "no credentials for a read": get(401, "unauthorized", USER, token=None),
    "an unknown key": Case(401, "unauthorized", token="dream_wrong"),
    "a key of another scheme": Case(401, "unauthorized", headers={"Authorization": "Basic abc"}),
    "an empty bearer": Case(401, "unauthorized", headers={"Authorization": "Bearer "}),
    "a bare word": Case(401, "unauthorized", headers={"Authorization": "Bearer"}),
    "an empty header": Case(401, "unauthorized", headers={"Authorization": ""}),
    "a key in bad bytes": Case(
        401, "unauthorized", environ={"HTTP_AUTHORIZATION": "Bearer \xff\xfe"}
    ),
    "a key too long": Case(
        401, "unauthorized", headers={"Authorization": "Bearer " + "x" * 10_000}
    ),
    "credentials come before the body": Case(401, "unauthorized", token=None, raw=b"{"),
    "no credentials for the batch": Case(401, "unauthorized", token=None, path=BATCH),
    "no credentials for conversions": Case(401, "unauthorized", token=None, path="/conversions"),
}
KEYS = {
    "no key": Case(400, "idempotency_key_missing", key=None),
    "an empty key": Case(400, "idempotency_key_invalid", key=""),
    "a key of 256 characters": Case(400, "idempotency_key_invalid", key="k" * 256),
    "a key with a space": Case(400, "idempotency_key_invalid", key="a b"),
    "a key with a tab": Case(400, "idempotency_key_invalid", key="a\tb"),
    "a key with DEL": Case(400, "idempotency_key_invalid", key="a\x7f"),
    "a key beyond ASCII": Case(400, "idempotency_key_invalid", key="schlüssel"),
    "a key with a header in it": Case(
        400, "idempotency_key_invalid", key=None, environ={"HTTP_IDEMPOTENCY_KEY": "a\r\nX-Evil: 1"}
    ),
}
BODIES = {
    "half an object": Case(400, "malformed_json", raw=b'{"amount": '),
    "nothing": Case(400, "malformed_json", raw=b""),
    "no JSON": Case(400, "malformed_json", raw=b"amount=1"),
    "quotes of Python": Case(400, "malformed_json", raw=b"{'amount': '1'}"),
    "more after the end": Case(400, "malformed_json", raw=b"{} {}"),
    "NaN": Case(400, "malformed_json", raw=b'{"amount": NaN}'),
    "Infinity": Case(400, "malformed_json", raw=b'{"amount": -Infinity}'),
    "a key twice": Case(400, "malformed_json", raw=b'{"amount": "1", "amount": "2"}'),
    "a key twice deep inside": Case(400, "malformed_json", raw=b'{"a": [{"b": 1, "b": 1}]}'),
    "bytes that are no UTF-8": Case(400, "malformed_json", raw=b'{"amount": "\xff\xfe"}'),
    "UTF-8 cut short": Case(400, "malformed_json", raw=b'{"amount": "\xe2\x82'),
    "an overlong zero": Case(400, "malformed_json", raw=b'{"amount": "\xc0\x80"}'),
    "a raw line break in text": Case(400, "malformed_json", raw=b'{"amount": "a\nb"}'),
    "200,000 brackets": Case(400, "malformed_json", raw=b"[" * 200_000),
    "100,000 objects deep": Case(
        400, "malformed_json", raw=b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    ),
    "a number of 5,000 digits": Case(
        400, "malformed_json", raw=b'{"amount": ' + b"9" * 5000 + b"}"
    ),
    "a list": Case(422, "validation_failed", raw=b"[1]"),
    "null": Case(422, "validation_failed", raw=b"null"),
    "a number": Case(422, "validation_failed", raw=b"1"),
    "a text": Case(422, "validation_failed", raw=b'"win"'),
    "a list for the batch": Case(422, "validation_failed", raw=b"[]", path=BATCH),
    "no content type": Case(415, "unsupported_media_type", raw=b"{}", environ={"CONTENT_TYPE": ""}),
    "plain text": Case(
        415, "unsupported_media_type", raw=b"{}", headers={"Content-Type": "text/plain"}
    ),
    "a form": Case(
        415,
        "unsupported_media_type",
        raw=b"a=1",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ),
    "another JSON": Case(
        415,
        "unsupported_media_type",
        raw=b"{}",
        headers={"Content-Type": "application/problem+json"},
    ),
    "a byte over 1 MiB": Case(413, "payload_too_large", raw=b" " * (1024 * 1024 + 1)),
    "a batch over 1 MiB": Case(413, "payload_too_large", raw=b" " * 2_000_000, path=BATCH),
    "a user over 1 MiB": Case(413, "payload_too_large", raw=b" " * 2_000_000, path="/users"),
}
FIELDS = {
    **{
        f"no {name}": Case(422, "validation_failed", name, change={name: None})
        for name in ("occurred_at", "game", "reference")
    },
    "no amount": Case(422, "validation_failed", "amount", change={"amount": None}),
    "a field too many": Case(422, "validation_failed", "bonus", change={"bonus": "1"}),
    "a field with a lone surrogate": Case(422, "validation_failed", change={"\ud800": 1}),
    "a field named by a line break": Case(422, "validation_failed", change={"a\nb 2026 forged": 1}),
    "a field with a long name": Case(422, "validation_failed", "x" * 200, change={"x" * 5000: 1}),
    **{
        f"amount {amount!r}"[:30]: Case(422, "invalid_amount", "amount", change={"amount": amount})
        for amount in (
            0.5,
            1,
            0,
            -1,
            True,
            [],
            {},
            ["1"],
            "",
            "0",
            "-1",
            "+1",
            "1e3",
            "01",
            ".5",
            "1.",
            "0.0000000000000000001",
            " 1",
            "1\n",
            "1 ",
            "NaN",
            "١",
            "１",
            "1,5",
            "9" * 79,
            "1" * 5000,
            10**400,
        )
    },
    **{
        f"occurred_at {at!r}"[:60]: Case(
            422, "validation_failed", "occurred_at", change={"occurred_at": at}
        )
        for at in (
            "",
            "now",
            "2026-11-20",
            "2026-11-20T12:00:00",
            "2026-11-20T12:00Z",
            1795176000,
            True,
            [],
            "2026-11-20T12:00:00+0200",
            "2026-11-20T12:00:00+02",
            "2026-13-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-11-20T24:00:01Z",
            "2026-11-20T12:00:60Z",
            "2026-11-20T12:00:00+24:00",
            "0000-01-01T00:00:00Z",
            "2026-11-20T12:00:00Z ",
            "٢026-11-20T12:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "z" * 100,
            "9999-12-31T23:59:59-14:00",
            "2026-11-20T12:00:00." + "1" * 60 + "Z",
            "20261120T120000Z",
        )
    },
    **{
        f"{name} {words!r}"[:40]: Case(422, "validation_failed", name, change={name: words})
        for name in ("game", "reference")
        for words in (
            "",
            "a\x00b",
            "a\nb",
            "\x7f",
            "\x85",
            "x" * 201,
            1,
            ["a"],
            "\ud800",
            "a\udfffb",
            False,
        )
    },
}
TIMES = {
    f"a win at {at}": Case(422, "occurred_at_out_of_range", change={"occurred_at": at})
    for at in (
        "2020-01-01T00:00:00Z",
        "2200-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "1582-10-10T00:00:00Z",
        "1970-01-01T00:00:00Z",
    )
}
IDS = (
    "999999999999",
    "0",
    "-1",
    "01",
    "abc",
    "1e3",
    "9" * 19,
    "9" * 30,
    "１",
    "1 ",
    "%00",
    "1.0",
    "null",
    "%F0",
)
USERS = {
    **{f"user {id_!r}": get(404, "unknown_user", f"/users/{id_}") for id_ in IDS},
    **{f"stats of {id_!r}": get(404, "unknown_user", f"/users/{id_}/stats") for id_ in IDS[:5]},
    **{
        f"unknown user, {tail}": get(404, "unknown_user", f"/users/999999999999{tail}")
        for tail in (
            "/wallets",
            "/wallets/USD",
            "/wallets/USD/transactions",
            "/tokens/today",
            "/usd/history",
        )
    },
    "a win of an unknown user": Case(404, "unknown_user", path="/users/999999999999/wins"),
    "a win of user 0, the house": Case(404, "unknown_user", path="/users/0/wins"),
    "a change of an unknown user": Case(
        404, "unknown_user", method="PATCH", path="/users/999999999999", body={"display_name": "x"}
    ),
    "a move of an unknown user": Case(
        404, "unknown_user", method="PATCH", path="/users/999999999999", body={"time_zone": "UTC"}
    ),
}
NEW = {"external_id": "new", "display_name": "New"}
PEOPLE = {
    **{
        f"a user without {name}": Case(
            422,
            "validation_failed",
            name,
            path="/users",
            body={k: v for k, v in NEW.items() if k != name},
        )
        for name in NEW
    },
    **{
        f"a user with {name} {value!r}"[:60]: Case(
            422, "validation_failed", name, path="/users", body=NEW | {name: value}
        )
        for name, value in [
            *(
                ("time_zone", zone)
                for zone in ("Mars/Olympus", "utc", "UTC+1", "+01:00", "", "../UTC", "posixrules")
            ),
            *(
                ("time_zone", zone)
                for zone in ("localtime", "right/UTC", "\x00", "\ud800", 1, None, "x" * 65)
            ),
            *(
                ("email", email)
                for email in ("nobody", "a@", "@b", "a b@c", "a@b\n", "x" * 251 + "@b.c", 1)
            ),
            *(("region", region) for region in ("atlantis", "", 0, "\x00")),
            *(
                ("external_id", id_)
                for id_ in ("", "x" * 201, 1, None, "a\x00", "\ud800", "a\u0085b")
            ),
            *(("display_name", name) for name in ("", "x" * 201, None, "a\tb", "\udfff")),
            *((name, "1") for name in ("id", "admin", "created_at", "day_limit")),
        ]
    },
    **{
        f"a change of {name} to {value!r}": Case(
            422, "validation_failed", name, method="PATCH", path=USER, body={name: value}
        )
        for name, value in [
            *(
                ("display_name", None),
                ("display_name", ""),
                ("time_zone", None),
                ("time_zone", "Mars/Olympus"),
            ),
            *(("external_id", "other"), ("region", "global"), ("id", "1"), ("email", "nobody")),
        ]
    },
}
LISTS = (TODAY, USD, WALLET + "/USD/transactions", "/conversions", HOLDS)
READS = {
    **{
        f"limit {limit!r} of {path}": get(
            422, "validation_failed", f"{path}?limit={limit}", "limit"
        )
        for path in LISTS
        for limit in (
            "0",
            "201",
            "-1",
            "abc",
            "1.5",
            "",
            "１",
            "99999999999999999999",
            "1%00",
            "+5",
        )
    },
    **{
        f"cursor {cursor!r} of {path}"[:70]: get(
            422, "invalid_cursor", f"{path}?cursor={cursor}", "cursor"
        )
        for path in LISTS
        for cursor in ("zzz", "", "%00", "a.b", "MQ.x", "eyJ0.abc", "%F0%9F%8E%B2", "x" * 5000)
    },
    **{
        f"an unknown parameter of {path}": get(
            422, "validation_failed", f"{path}?offset=5", "offset"
        )
        for path in (
            *(*LISTS, WALLET, WALLET + "/USD", "/assets", USER + "/stats", USER),
            HOLDS + "/{user}-4",
        )
    },
    **{
        f"{name} {day!r}": get(422, "validation_failed", f"{USD}?{name}={day}", name)
        for name in ("from", "to")
        for day in (
            "",
            "yesterday",
            "2026-13-01",
            "2026-02-30",
            "20261120",
            "2026-11-20T00:00:00Z",
            "0000-01-01",
            "２026-11-20",
            "2026-11-1",
            "10000-01-01",
            "-001-01-01",
        )
    },
    "from after to": get(422, "validation_failed", USD + "?from=2026-11-20&to=2026-11-19", "from"),
    **{
        f"at {at!r}": get(422, "validation_failed", f"{WALLET}/USD?at={at}", "at")
        for at in (
            "",
            "now",
            "2026-11-20",
            "2026-11-20T12:00:00",
            "2026-11-20T12:00:00+02:00",
            "0",
            "%00",
        )
    },
    "import": get(404, "unknown_import", "/imports/9223372036854775807"),
    **{
        f"asset {asset!r}{tail}": get(404, "unknown_asset", f"{WALLET}/{asset}{tail}")
        for asset in ("EUR", "usd", "FEES", "%00", "DREAM%20", "%F0%9F%8E%B2", "GOLD_COIN'--")
        for tail in ("", "/transactions")
    },
}
HOURS = {
    "an hour that is not over": Case(
        409, "hour_not_next", path="/conversions", body={"hour": "2200-01-01T00:00:00Z"}
    ),
    "an hour long ago": Case(
        409, "hour_not_next", path="/conversions", body={"hour": "2020-01-01T00:00:00Z"}
    ),
    "the first hour of all": Case(
        409, "hour_not_next", path="/conversions", body={"hour": "0001-01-01T00:00:00Z"}
    ),
    "the last hour of all": Case(
        409, "hour_not_next", path="/conversions", body={"hour": "9999-12-31T23:00:00Z"}
    ),
    **{
        f"hour {hour!r}": Case(
            422, "validation_failed", "hour", path="/conversions", body={"hour": hour}
        )
        for hour in (
            "2026-11-20T12:30:00Z",
            "2026-11-20T12:00:01Z",
            "2026-11-20T12:00:00+05:30",
            "12",
            None,
            12,
        )
    },
    "no hour": Case(422, "validation_failed", "hour", path="/conversions", body={}),
    "more than an hour": Case(
        422,
        "validation_failed",
        "rate",
        path="/conversions",
        body={"hour": "2026-11-20T12:00:00Z", "rate": "1"},
    ),
}
ITEM = {"user_id": "1", "idempotency_key": "k"}
BATCHES = {
    "no items": Case(422, "validation_failed", "wins", path=BATCH, body={"wins": []}),
    "1,001 items": Case(422, "validation_failed", "wins", path=BATCH, body={"wins": [{}] * 1001}),
    "no wins": Case(422, "validation_failed", "wins", path=BATCH, body={}),
    "wins as an object": Case(
        422, "validation_failed", "wins", path=BATCH, body={"wins": {"0": ITEM}}
    ),
    "wins as text": Case(422, "validation_failed", "wins", path=BATCH, body={"wins": "all"}),
    "a field beside wins": Case(
        422, "validation_failed", "bonus", path=BATCH, body={"wins": [ITEM], "bonus": 1}
    ),
}
ADDRESSES = {
    "no such path": get(404, "not_found", "/nothing"),
    "no such path at the root": get(404, "not_found", "/nothing/at/all"),
    "a path too long": get(404, "not_found", "/users/1/wins/2/3"),
    "a trailing slash": get(404, "not_found", "/assets/"),
    "a path with a line break": get(404, "not_found", "/nothing%0a2026-11-20 forged"),
    "a path with a carriage return and ESC": get(404, "not_found", "/nothing%0d%1b[31m"),
    "DELETE of wins": Case(405, "method_not_allowed", method="DELETE"),
    "GET of wins": Case(405, "method_not_allowed", method="GET"),
    "PUT of a user": Case(405, "method_not_allowed", method="PUT", path=USER),
    "POST of stats": Case(405, "method_not_allowed", path=USER + "/stats"),
    "PATCH of health": Case(405, "method_not_allowed", method="PATCH", path="/healthz"),
    "a made-up method": Case(405, "method_not_allowed", method="BREW", path="/assets"),
}
CASES = AUTH | KEYS | BODIES | FIELDS | TIMES | USERS | PEOPLE | READS | HOURS | BATCHES | ADDRESSES
assert not CASES.keys() & WALLETS.keys()
CASES |= WALLETS


@pytest.fixture(scope="module")
def user(api: Api) -> str:
    """Who has what the cases of wallets name by its number, in this order."""
    made = api.user()
    purse, points = Purse(api, made), Purse(api, made, "LOYALTY_POINT")
    api.won(made, "1")  # 1
    purse.book("top-ups", "100", reference="paid", provider="psp")  # 2
    points.book("bonuses", "5", key="used")  # 3
    purse.hold("10")  # 4
    purse.release(purse.hold("10"))  # 5, 6
    purse.reverse(purse.spend("5"))  # 7, 8
    assert purse.now() == ("100", "10", "90")
    return made


def send(api: Api, case: Case, user: str) -> Any:
    options: dict[str, Any] = {
        "headers": dict(case.headers),
        "environ_overrides": dict(case.environ),
    }
    if case.raw is not None:
        options["data"] = case.raw
        options["headers"].setdefault("Content-Type", "application/json")
    elif case.method in ("POST", "PATCH"):
        body = case.body if case.body is not None else api.win(**case.change)
        left = {k: v for k, v in body.items() if v is not None or case.body is not None}
        options |= {"data": json.dumps(left), "content_type": "application/json"}
    path = case.path.replace("{user}", user)
    return api.call(case.method, path, key=case.key, token=case.token, **options)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_refused_with_its_code_and_nothing_is_written(
    api: Api, user: str, case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    before = api.rows()
    caplog.clear()
    answer = send(api, case, user)
    assert (answer.status_code, answer.json and answer.json.get("code")) == (case.status, case.code)
    check_problem(answer, case)
    check_log(caplog, answer, case, api.token)
    assert api.rows() == before


@pytest.mark.parametrize("size", [1024 * 1024, 2_000_000])
def test_a_body_without_a_length_is_not_cut_and_then_obeyed(api: Api, user: str, size: int) -> None:
    body = json.dumps(api.win()).encode().ljust(size) + b'{"amount": "4"}'
    before = api.rows()
    answer = api.app.test_client().post(
        f"/api/v1/users/{user}/wins",
        input_stream=io.BytesIO(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {api.token}", "Idempotency-Key": f"chunked-{size}"},
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    assert (answer.status_code, answer.json["code"]) == (413, "payload_too_large")
    assert api.rows() == before


def check_problem(answer: Any, case: Case) -> None:
    assert answer.content_type == "application/problem+json"
    problem = answer.json
    assert problem["status"] == case.status == CODES[case.code][0]
    assert problem["title"] == CODES[case.code][1]
    assert problem["type"].endswith(case.code)
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    if case.param:
        assert problem["param"] == case.param
    if case.status == 405:
        assert answer.headers["Allow"]
    if case.status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def check_log(caplog: pytest.LogCaptureFixture, answer: Any, case: Case, token: str) -> None:
    """One line, with the request's id and why, and nothing secret."""
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("portal")]
    assert len(lines) == 1
    assert answer.headers["X-Request-Id"] in lines[0]
    assert case.code in lines[0]
    assert str(case.status) in lines[0]
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", lines[0]), (
        "more than a line"
    )
    assert len(lines[0]) < 1000
    assert token not in lines[0]


SCOPES = [
    ("GET", USER, "read"),
    ("GET", USER + "/stats", "read"),
    ("GET", TODAY, "read"),
    ("GET", USD, "read"),
    ("GET", WALLET, "read"),
    ("GET", WALLET + "/USD", "read"),
    ("GET", WALLET + "/USD/transactions", "read"),
    ("GET", "/assets", "read"),
    ("GET", "/conversions", "read"),
    ("POST", "/users", "users:write"),
    ("PATCH", USER, "users:write"),
    ("POST", WINS, "wins:write"),
    ("POST", BATCH, "wins:write"),
    ("POST", "/conversions", "admin"),
    ("GET", HOLDS, "read"),
    ("GET", HOLDS + "/{user}-4", "read"),
    *(("POST", path, "wallets:write") for path in CALLS),
]


@pytest.mark.parametrize(
    ("method", "path", "scope"), SCOPES, ids=[f"{m} {p}" for m, p, _ in SCOPES]
)
def test_a_key_without_the_scope_is_forbidden(
    api: Api, user: str, method: str, path: str, scope: str
) -> None:
    others = [
        each
        for each in ("read", "users:write", "wins:write", "wallets:write", "admin")
        if each != scope
    ]
    token = api.key_with(*others)
    before = api.rows()
    answer = api.call(method, path.replace("{user}", user), token=token, key="k", json=api.win())
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert scope in answer.json["detail"]
    assert api.rows() == before
