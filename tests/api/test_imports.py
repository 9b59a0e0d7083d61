"""Imports over HTTP: a file is taken once a key, booked line by line, and what was refused is told."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from portal.api import imports as routes
from portal.services import clients
from portal.services.imports import store, work
from tests.api.conftest import Api
from tests.api.files import COLUMNS, CSV, JSON_LINES, as_csv, as_json_lines, rows


@pytest.fixture
def user(api: Api) -> str:
    return api.user()


def item(api: Api, user: str, **fields: object) -> dict[str, Any]:
    return api.win(amount="0.01") | {"user_id": user, "idempotency_key": api.new_key()} | fields


def send(api: Api, data: bytes, kind: str = CSV, key: str | None = None, **options: Any) -> Any:
    key = key or api.new_key()
    return api.call("POST", "/imports", data=data, content_type=kind, key=key, **options)


def booked(api: Api, data: bytes, kind: str = CSV) -> Any:
    """The import of a file that must be taken, once it is done."""
    answer = send(api, data, kind)
    assert answer.status_code == 202, answer.text
    finish(api, answer.json["import"]["id"])
    return api.read(f"/imports/{answer.json['import']['id']}")["import"]


def finish(api: Api, import_id: str) -> None:
    with api.app.app_context():
        number: int | None = 1
        while number is not None:
            number = work.work(int(import_id), number)


def counts(made: Any) -> tuple[int, int, int, int]:
    return made["lines"], made["posted"], made["replayed"], made["rejected"]


def report(api: Api, made: Any) -> list[dict[str, str]]:
    answer = api.get(f"/imports/{made['id']}/report")
    assert (answer.status_code, answer.mimetype) == (200, CSV)
    return rows(answer.text)


def test_a_file_is_taken_and_waits(api: Api, user: str) -> None:
    answer = send(api, as_csv([item(api, user), item(api, user)]))
    assert answer.status_code == 202
    made = answer.json["import"]
    assert made.pop("id").isdecimal()
    assert made.pop("created_at").endswith("Z")
    assert made == {
        "format": "csv",
        "state": "queued",
        "lines": 2,
        "processed": 0,
        "posted": 0,
        "replayed": 0,
        "rejected": 0,
        "started_at": None,
        "finished_at": None,
        "report_until": None,
    }


@pytest.mark.parametrize("kind", [CSV, JSON_LINES, "application/jsonl"])
def test_the_wins_of_a_file_are_booked_and_the_rest_is_reported(
    api: Api, user: str, kind: str
) -> None:
    items = [item(api, user), item(api, user, amount="x"), item(api, user, game="ü,\"'")]
    made = booked(api, (as_csv if kind == CSV else as_json_lines)(items), kind)
    assert (made["state"], made["processed"], counts(made)) == ("done", 3, (3, 2, 0, 1))
    assert made["started_at"] <= made["finished_at"] < made["report_until"]
    wins = api.read(f"/users/{user}/tokens/today")["wins"]
    assert [win["game"] for win in wins] == ["ü,\"'", "maze"]
    [refused] = report(api, made)
    assert (refused["code"], refused["param"]) == ("invalid_amount", "amount")
    assert refused["line"] == ("3" if kind == CSV else "2")
    assert items[1]["idempotency_key"] in refused["content"]


def test_a_line_is_the_same_request_as_a_single_call(api: Api, user: str) -> None:
    body = api.win(amount="1")
    single = api.post(f"/users/{user}/wins", body, key="k")
    assert single.status_code == 201
    line = body | {"user_id": user, "idempotency_key": "k", "amount": "1.00"}
    made = booked(api, as_csv([line]))
    assert counts(made) == (1, 0, 1, 0)
    assert counts(booked(api, as_json_lines([line | {"amount": "2"}]), JSON_LINES)) == (1, 0, 0, 1)


def test_lines_of_a_user_are_decided_in_the_order_of_the_file(api: Api, user: str) -> None:
    amounts = ("3", "3", "2", "0.1")
    made = booked(api, as_csv([item(api, user, amount=amount) for amount in amounts]))
    assert counts(made) == (4, 2, 0, 2)
    refused = report(api, made)
    assert [(each["line"], each["code"]) for each in refused] == [
        ("3", "daily_limit_exceeded"),
        ("5", "daily_limit_exceeded"),
    ]


def test_an_import_takes_wins_of_30_days_where_a_call_takes_those_of_one(
    api: Api, user: str
) -> None:
    days = [timedelta(days=29, hours=23), timedelta(days=30, minutes=1), timedelta(seconds=-50)]
    days.append(timedelta(seconds=-120))
    items = [item(api, user, occurred_at=(api.now() - each).isoformat()) for each in days]
    made = booked(api, as_csv(items))
    assert counts(made) == (4, 2, 0, 2)
    codes = {each["line"]: each["code"] for each in report(api, made)}
    assert codes == {"3": "occurred_at_out_of_range", "5": "occurred_at_out_of_range"}
    single = api.post("/wins/batch", {"wins": [items[0] | {"idempotency_key": "other"}]})
    assert single.json["results"][0]["error"]["code"] == "occurred_at_out_of_range"


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"user_id": "999999999999"}, "unknown_user", ""),
    ({"user_id": ""}, "unknown_user", ""),
    ({"idempotency_key": ""}, "idempotency_key_invalid", ""),
    ({"idempotency_key": "a b"}, "idempotency_key_invalid", ""),
    ({"amount": "0"}, "invalid_amount", "amount"),
    ({"amount": "0,5"}, "invalid_amount", "amount"),
    ({"amount": "6"}, "daily_limit_exceeded", ""),
    ({"occurred_at": "2026-01-01"}, "validation_failed", "occurred_at"),
    ({"game": ""}, "validation_failed", "game"),
    ({"reference": "a\tb"}, "validation_failed", "reference"),
    ({"reference": "x" * 201}, "validation_failed", "reference"),
]


@pytest.mark.parametrize(("bad", "code", "param"), BAD, ids=[str(bad)[:40] for bad, _, _ in BAD])
def test_a_bad_line_is_refused_alone_with_the_code_of_a_batch_item(
    api: Api, user: str, bad: dict[str, Any], code: str, param: str
) -> None:
    made = booked(api, as_csv([item(api, user), item(api, user) | bad, item(api, user)]))
    assert counts(made) == (3, 2, 0, 1)
    [refused] = report(api, made)
    assert (refused["line"], refused["code"], refused["param"]) == ("3", code, param)
    assert refused["detail"]


LINES = [
    ("a,b", "validation_failed"),
    ('1,"k,0.1', "validation_failed"),
    ('1,"k"x,0.1,,,', "validation_failed"),
    ("1,2,3,4,5,6,7", "validation_failed"),
    ("a\rb,,,,,", "validation_failed"),
]


@pytest.mark.parametrize(("line", "code"), LINES, ids=repr)
def test_a_line_that_is_no_csv_harms_no_other(api: Api, user: str, line: str, code: str) -> None:
    good = as_csv([item(api, user)])
    made = booked(api, good + line.encode() + b"\n" + as_csv([item(api, user)]).split(b"\n")[1])
    assert counts(made) == (3, 2, 0, 1)
    [refused] = report(api, made)
    assert (refused["line"], refused["code"], refused["content"]) == ("3", code, line)


OBJECTS = [
    ("{", "malformed_json"),
    ("nonsense", "malformed_json"),
    ('{"a": NaN}', "malformed_json"),
    ('{"game": "a", "game": "b"}', "malformed_json"),
    ("[" * 10_000, "malformed_json"),
    ("[]", "validation_failed"),
    ('"win"', "validation_failed"),
    ("{}", "idempotency_key_missing"),
    ('{"idempotency_key": "k", "amount": 1}', "invalid_amount"),
    ('{"idempotency_key": "k", "\\ud800": 1}', "validation_failed"),
    ('{"\\u0000": 1, "\\u0000": 2}', "malformed_json"),
    ('{"\\u001b[2J": 1, "\\u001b[2J": 2}', "malformed_json"),
]


@pytest.mark.parametrize(("line", "code"), OBJECTS, ids=[line[:30] for line, _ in OBJECTS])
def test_a_line_that_is_no_json_harms_no_other(api: Api, user: str, line: str, code: str) -> None:
    good = as_json_lines([item(api, user)])
    made = booked(api, good + line.encode() + b"\n" + as_json_lines([item(api, user)]), JSON_LINES)
    assert counts(made) == (3, 2, 0, 1)
    [refused] = report(api, made)
    assert (refused["line"], refused["code"]) == ("2", code)


def test_a_win_with_a_field_that_no_database_can_store_harms_no_other(api: Api, user: str) -> None:
    odd = item(api, user) | {"\0\x85": 1}
    made = booked(api, as_json_lines([item(api, user), odd, item(api, user)]), JSON_LINES)
    assert counts(made) == (3, 2, 0, 1)
    [refused] = report(api, made)
    assert (refused["code"], refused["param"]) == ("validation_failed", "\ufffd\ufffd")


def test_columns_may_come_in_any_order_with_a_mark_quotes_blank_lines_and_either_line_end(
    api: Api, user: str
) -> None:
    data = as_csv([item(api, user), item(api, user)], tuple(reversed(COLUMNS)))
    header, first, second, _ = data.split(b"\n")
    quoted = b",".join(b'"%s"' % name for name in header.split(b","))
    made = booked(api, b"\xef\xbb\xbf" + b"\r\n".join([quoted, first, b"", b"  ", second]))
    assert counts(made) == (2, 2, 0, 0)


GOOD = ",".join(COLUMNS).encode() + b"\n"
FILES = [
    (b"", CSV, 422, "validation_failed"),
    (b"", JSON_LINES, 422, "validation_failed"),
    (b"\n \n", JSON_LINES, 422, "validation_failed"),
    (GOOD, CSV, 422, "validation_failed"),
    (b"1,k,0.1,2026-01-01T00:00:00Z,maze,r\n", CSV, 422, "validation_failed"),
    (GOOD.replace(b"game,", b"") + b"x\n", CSV, 422, "validation_failed"),
    (GOOD.replace(b"game,", b"game,bonus,") + b"x\n", CSV, 422, "validation_failed"),
    (GOOD.replace(b"game,", b"game,game,") + b"x\n", CSV, 422, "validation_failed"),
    (b'"user_id\n', CSV, 422, "validation_failed"),
    (GOOD + b"\xff\n", CSV, 422, "validation_failed"),
    (b'{"a": "\xc3"}\n', JSON_LINES, 422, "validation_failed"),
    (GOOD + b"a\0b\n", CSV, 422, "validation_failed"),
    (GOOD + b"x" * 20_000 + b"\n", CSV, 422, "validation_failed"),
    (b"x" * 200_000, JSON_LINES, 422, "validation_failed"),
    (GOOD + b"x\n", "application/json", 415, "unsupported_media_type"),
    (GOOD + b"x\n", "", 415, "unsupported_media_type"),
]


@pytest.mark.parametrize(("data", "kind", "status", "code"), FILES, ids=range(len(FILES)))
def test_what_is_no_file_of_wins_is_refused_whole_and_nothing_is_stored(
    api: Api, data: bytes, kind: str, status: int, code: str
) -> None:
    before = api.rows()
    answer = send(api, data, kind)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.json["detail"]
    assert api.rows() == before


def test_a_file_above_the_limits_is_too_large(api: Api) -> None:
    before, settings = api.rows(), api.app.extensions["dreamland"].settings
    too_long = GOOD + b"x\n" * settings.import_max_lines
    answers = [send(api, too_long), send(api, b"x" * (settings.import_max_bytes + 1))]
    assert [answer.status_code for answer in answers] == [413, 413]
    assert all(answer.json["code"] == "payload_too_large" for answer in answers)
    assert "split" in answers[0].json["detail"]
    assert api.rows() == before


def test_a_file_above_what_other_calls_take_is_taken(api: Api) -> None:
    data = GOOD + b"nonsense\n" * 150_000
    assert len(data) > api.app.config["MAX_CONTENT_LENGTH"]
    answer = send(api, data)
    assert (answer.status_code, answer.json["import"]["lines"]) == (202, 150_000)


def test_a_file_that_breaks_off_is_not_stored(api: Api, user: str) -> None:
    before, data = api.rows(), as_csv([item(api, user)])
    answer = send(api, data, environ_overrides={"CONTENT_LENGTH": str(len(data) + 10)})
    assert answer.status_code == 400
    assert api.rows() == before


def test_a_file_of_unknown_length_is_refused_as_it_might_break_off(api: Api, user: str) -> None:
    answer = send(
        api, as_csv([item(api, user)]), environ_overrides={"HTTP_TRANSFER_ENCODING": "chunked"}
    )
    assert (answer.status_code, answer.json["param"]) == (422, "Content-Length")


def test_the_same_file_with_the_same_key_is_the_same_import(api: Api, user: str) -> None:
    data, key = as_csv([item(api, user)]), api.new_key()
    first, again = send(api, data, key=key), send(api, data, key=key)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.headers.get("Idempotent-Replayed") is None
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json == first.json
    other = send(api, data + b"\n", key=key)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    finish(api, first.json["import"]["id"])
    done = send(api, data, key=key)
    assert (done.status_code, done.json["import"]["state"]) == (200, "done")


def test_the_same_file_from_eight_callers_at_once_is_one_import(api: Api, user: str) -> None:
    data, key, ready = as_csv([item(api, user)]), api.new_key(), threading.Barrier(8)

    def call(_: int) -> Any:
        ready.wait()
        while (answer := send(api, data, key=key)).status_code == 503:
            assert "coming in" in answer.json["detail"]
        return answer

    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(call, range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [202]
    assert len({answer.json["import"]["id"] for answer in answers}) == 1


def test_a_key_and_the_scope_are_needed(api: Api, user: str) -> None:
    data = as_csv([item(api, user)])
    without = api.call("POST", "/imports", data=data, content_type=CSV)
    assert (without.status_code, without.json["code"]) == (400, "idempotency_key_missing")
    token = api.key_with("wins:write", "read")
    for answer in (send(api, data, token=token), api.get("/imports", token=token)):
        assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


def test_the_same_file_under_another_key_adds_nothing(api: Api, user: str) -> None:
    data = as_csv([item(api, user), item(api, user, amount="6"), item(api, user)])
    first = booked(api, data)
    before = api.rows()["ledger.entries"]
    second = booked(api, data)
    assert (counts(first), counts(second)) == ((3, 2, 0, 1), (3, 0, 2, 1))
    assert api.rows()["ledger.entries"] == before
    assert report(api, second) == report(api, first)


def test_imports_are_listed_newest_first_each_client_its_own(api: Api, user: str) -> None:
    made = [send(api, as_csv([item(api, user)])).json["import"] for _ in range(3)]
    listed = api.pages("/imports", "imports", 2)
    assert listed[:3] == made[::-1]
    token = api.key_with("imports:write", client="stranger")
    assert api.get("/imports", token=token).json == {"imports": [], "next_cursor": None}
    cursor = api.read("/imports?limit=1")["next_cursor"]
    answer = api.get(f"/imports?cursor={cursor}", token=token)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_cursor")
    for path in ("", "/report"):
        answer = api.get(f"/imports/{made[0]['id']}{path}", token=token)
        assert (answer.status_code, answer.json["code"]) == (404, "unknown_import")


@pytest.mark.parametrize("name", ["0", "x", "-1", "9" * 19, "9" * 30, "9223372036854775807"])
def test_what_is_no_import_is_unknown(api: Api, name: str) -> None:
    answer = api.get(f"/imports/{name}")
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_import")


def test_a_report_has_no_cell_that_a_spreadsheet_would_run(api: Api) -> None:
    made = booked(api, GOOD + b"=cmd()\n+1\n-1\n@x\n\tx\nfine\n")
    contents = [each["content"] for each in report(api, made)]
    assert contents == ["'=cmd()", "'+1", "'-1", "'@x", "'\tx", "fine"]


def test_a_report_of_many_pages_has_every_line(api: Api) -> None:
    count = 2 * store.PAGE + 1
    made = booked(api, GOOD + b"x\n" * count)
    assert [int(each["line"]) for each in report(api, made)] == list(range(2, count + 2))


def test_the_content_of_a_chunk_is_dropped_once_it_is_booked(api: Api, user: str) -> None:
    made = booked(api, as_csv([item(api, user)]))
    with api.owner.connect() as connection:
        statement = f"SELECT count(content) FROM import_chunks WHERE import_id = {made['id']}"
        assert connection.exec_driver_sql(statement).scalar() == 0


def test_nobody_waits_for_a_turn_to_send_a_file(
    api: Api, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, key = as_csv([item(api, user)]), api.new_key()
    with routes._turn(-1), routes._turn(-2):
        busy = send(api, data, key=key)
    assert (busy.status_code, busy.json["code"]) == (503, "unavailable")
    assert busy.headers["Retry-After"]
    monkeypatch.setattr(routes, "UPLOAD_S", -1)
    late = ExitStack()
    with late:
        for stuck in (-1, -2, -3):
            late.enter_context(routes._turn(stuck))
        monkeypatch.undo()
        assert send(api, data, key=key).status_code == 202


def test_a_client_sends_one_file_at_a_time(api: Api, user: str) -> None:
    data, key = as_csv([item(api, user)]), api.new_key()
    with api.app.app_context():
        caller = clients.caller_of(api.token)
    assert caller
    with routes._turn(caller.client_id):
        busy = send(api, data, key=key)
        other = send(api, data, token=api.key_with("imports:write", client="other"))
    assert (busy.status_code, other.status_code) == (503, 202)
    assert "a file of yours" in busy.json["detail"]
    assert send(api, data, key=key).status_code == 202


def test_a_file_that_comes_in_too_slowly_is_not_stored(
    api: Api, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "UPLOAD_S", 0)
    before = api.rows()
    slow = send(api, as_csv([item(api, user)]))
    assert (slow.status_code, slow.json["code"]) == (503, "unavailable")
    assert "split it" in slow.json["detail"]
    assert api.rows() == before


def test_a_client_has_so_many_imports_waiting_and_no_more(api: Api, user: str) -> None:
    token, data = api.key_with("imports:write", client="eager"), as_csv([item(api, user)])
    keys = [api.new_key() for _ in range(20)]
    made = [send(api, data, key=key, token=token) for key in keys]
    assert {answer.status_code for answer in made} == {202}
    before, key = api.rows(), api.new_key()
    refused = send(api, data, key=key, token=token)
    assert (refused.status_code, refused.json["code"]) == (429, "rate_limited")
    assert "20 imports" in refused.json["detail"]
    assert int(refused.headers["Retry-After"]) > 1
    assert api.rows() == before
    assert send(api, data, key=keys[0], token=token).status_code == 200
    finish(api, made[0].json["import"]["id"])
    assert send(api, data, key=key, token=token).status_code == 202


def test_refused_lines_are_kept_for_their_time_and_then_forgotten(api: Api) -> None:
    """The last test: it moves the module's clock."""
    made, keep = booked(api, GOOD + b"x\n"), api.app.extensions["dreamland"].settings.import_keep
    with api.app.app_context():
        assert store.forget_due() == 0
    assert len(report(api, made)) == 1
    api.books.set_clock(api.now() + keep)
    with api.app.app_context():
        assert store.forget_due() > 0
        assert store.forget_due() == 0
    answer = api.get(f"/imports/{made['id']}/report")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert api.read(f"/imports/{made['id']}")["import"]["rejected"] == 1
