"""What is kept of a request: one line of log without anything its client wrote, and its metrics."""

import re
from typing import Any

import pytest
from prometheus_client import REGISTRY

from tests.api.conftest import Api

SECRET = "a-text-of-the-client"


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("portal")]


def counted(method: str, route: str, status: int, code: str = "-") -> float:
    labels = {"method": method, "route": route, "status": str(status), "code": code}
    return REGISTRY.get_sample_value("dreamland_requests_total", labels) or 0


def test_every_request_has_one_line_with_its_route_and_client(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    user = api.user()
    caplog.set_level("INFO")
    caplog.clear()
    answer = api.get(f"/users/{user}/stats")
    [line] = lines(caplog)
    request_id = answer.headers["X-Request-Id"]
    route = "/api/v1/users/<user_id>/stats"
    assert re.fullmatch(rf"{request_id} client=\d+ GET {route} 200 - \d+\.\d ms", line)
    assert [record.levelname for record in caplog.records] == ["INFO"]


REQUESTS: list[tuple[dict[str, Any], str]] = [
    ({"method": "GET", "path": f"/{SECRET}"}, "- 404 not_found"),
    ({"method": SECRET.upper(), "path": "/assets"}, "- - 405 method_not_allowed"),
    ({"method": "GET", "path": f"/assets?{SECRET}=1"}, "/assets 422 validation_failed"),
    ({"method": "GET", "path": f"/users/{SECRET}"}, "<user_id> 404 unknown_user"),
    (
        {"method": "POST", "path": "/users", "json": {SECRET: SECRET}},
        "/users 422 validation_failed",
    ),
    ({"method": "GET", "path": "/assets", "token": SECRET}, "client=- GET"),
    (
        {"method": "GET", "path": "/assets", "headers": {"User-Agent": SECRET, "Referer": SECRET}},
        "/assets 200 -",
    ),
]


@pytest.mark.parametrize(("request_", "said"), REQUESTS, ids=[said for _, said in REQUESTS])
def test_no_text_of_a_client_is_in_the_log(
    api: Api, caplog: pytest.LogCaptureFixture, request_: dict[str, Any], said: str
) -> None:
    caplog.set_level("INFO")
    caplog.clear()
    api.call(**request_)
    [line] = lines(caplog)
    assert said in line
    assert SECRET not in caplog.text.lower()


def test_health_has_a_line_only_when_it_is_bad(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    caplog.clear()
    api.get("/healthz", token=None)
    assert lines(caplog) == []
    api.post("/healthz", {}, token=None)
    assert len(lines(caplog)) == 1


def test_requests_are_counted_by_route_status_and_code(api: Api) -> None:
    user, route = api.user(), "/api/v1/users/<user_id>/wins"
    before = counted("POST", route, 201), counted("POST", route, 422, "daily_limit_exceeded")
    api.won(user, "1")
    api.won(user, "2")
    api.post(f"/users/{user}/wins", api.win(amount="3"), key="over")
    after = counted("POST", route, 201), counted("POST", route, 422, "daily_limit_exceeded")
    assert (after[0] - before[0], after[1] - before[1]) == (2, 1)
    timed = {"method": "POST", "route": route}
    assert REGISTRY.get_sample_value("dreamland_request_seconds_count", timed)
    assert REGISTRY.get_sample_value("dreamland_batch_entries_count", {"lane": "poster"})


def test_whatever_callers_send_the_series_stay_few(api: Api) -> None:
    api.get("/nowhere")
    api.call("BREW", "/assets")
    api.call("BREW", "/nowhere")
    before = len(list(REGISTRY.collect()))
    series = sum(len(metric.samples) for metric in REGISTRY.collect())
    for number in range(20):
        api.get(f"/nowhere/{number}")
        api.call(f"BREW{number}", "/assets")
    assert len(list(REGISTRY.collect())) == before
    assert sum(len(metric.samples) for metric in REGISTRY.collect()) <= series + 5
    assert counted("GET", "-", 404, "not_found") > 20


def test_metrics_are_not_on_the_public_port(api: Api) -> None:
    assert api.app.test_client().get("/metrics").status_code == 404
