"""Addresses and methods: HEAD, OPTIONS, Allow, and the codes a problem may carry."""

import re

import pytest
from flask import Flask

from portal.api.problems import CODES
from tests.api.conftest import Api

PROMISED = {
    400: {"malformed_json", "idempotency_key_missing", "idempotency_key_invalid"},
    401: {"unauthorized"},
    403: {"forbidden"},
    404: {"not_found", "unknown_user", "unknown_asset", "unknown_entry"},
    405: {"method_not_allowed"},
    409: {"user_exists", "hour_not_next"},
    413: {"payload_too_large"},
    415: {"unsupported_media_type"},
    422: {
        *(
            "validation_failed",
            "invalid_amount",
            "occurred_at_out_of_range",
            "daily_limit_exceeded",
        ),
        *("insufficient_funds", "idempotency_key_reused", "already_reversed", "not_reversible"),
        "invalid_cursor",
    },
    500: {"internal_error"},
    503: {"unavailable"},
}
"""Of api.md, what this issue's calls can answer."""


def test_every_promised_code_has_its_promised_status() -> None:
    for status, codes in PROMISED.items():
        assert {code: CODES[code][0] for code in codes} == dict.fromkeys(codes, status)


def urls(app: Flask) -> list[tuple[str, set[str]]]:
    """Every address, with all the methods that it takes."""
    found: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)  # the first of a choice
            path = re.sub("<[^>]+>", "1", path)
            found[path] = found.get(path, set()) | (rule.methods or set())
    return list(found.items())


def test_every_address_answers_options_without_a_key(api: Api) -> None:
    for path, methods in urls(api.app):
        answer = api.app.test_client().options(path)
        assert answer.status_code == 200, path
        assert methods <= set(answer.headers["Allow"].split(", "))


def test_head_answers_what_get_does_without_a_body(api: Api) -> None:
    user = api.user()
    for path in (f"/users/{user}", f"/users/{user}/stats", "/assets", "/healthz", "/readyz"):
        head, get = api.call("HEAD", path), api.get(path)
        assert (head.status_code, head.data) == (200, b"")
        assert head.content_type == get.content_type == "application/json"


def test_head_needs_a_key_as_get_does(api: Api) -> None:
    assert api.call("HEAD", "/assets", token=None).status_code == 401


def test_a_method_that_is_not_there_is_told_which_are(api: Api) -> None:
    for path, methods in urls(api.app):
        for method in {"PUT", "DELETE"} - methods:
            answer = api.app.test_client().open(path, method=method)
            assert (answer.status_code, answer.content_type) == (405, "application/problem+json")
            allowed = set(answer.headers["Allow"].split(", "))
            assert allowed >= methods
            assert method not in allowed


def test_every_answer_names_its_request(api: Api) -> None:
    answers = [api.get("/assets"), api.get("/nothing"), api.get("/healthz", token=None)]
    ids = {answer.headers["X-Request-Id"] for answer in answers}
    assert len(ids) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)


@pytest.mark.parametrize("path", ["//api/v1/assets", "/api//v1/assets", "/api/v1//assets"])
def test_doubled_slashes_lead_nowhere(api: Api, path: str) -> None:
    headers = {"Authorization": f"Bearer {api.token}", "Host": "evil.example"}
    for method in ("GET", "POST"):
        answer = api.app.test_client().open(path, method=method, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
        assert "Location" not in answer.headers
