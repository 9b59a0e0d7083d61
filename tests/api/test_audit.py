"""What calls of the API leave in the audit log: who called, from where, by which request."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import URL

from portal.api import calls
from portal.services import audit, audit_log, clients
from portal.services.audit_log import Event, Filters
from tests.api.conftest import Api
from tests.factories import convert_due

URL_OF_NOBODY = "http://127.0.0.1:65009/nobody-listens"
pytestmark = pytest.mark.usefixtures("redis")


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


def log(api: Api, name: str) -> list[Event]:
    """What a client did, oldest first."""
    with api.app.app_context():
        return audit_log.page(Filters(who=name), None, 100)[::-1]


def test_what_a_client_sets_up_is_recorded_as_its_own(api: Api) -> None:
    name = api.new_key()
    key = api.key_with(*clients.SCOPES, client=name)
    sent: dict[str, Any] = {"token": key, "headers": {"User-Agent": "studio/1.0"}}
    made = api.post("/webhook-endpoints", {"url": URL_OF_NOBODY}, **sent)
    path = f"/webhook-endpoints/{made.json['endpoint']['endpoint_id']}"
    answers = [
        made,
        api.call("PATCH", path, json={"description": "ours"}, **sent),
        api.call("POST", f"{path}/secrets", **sent),
        api.post(f"{path}/replays", {"since": api.now().isoformat()}, **sent),
        api.call("DELETE", path, **sent),
    ]
    events = log(api, name)
    assert [event.action.partition(".")[2] for event in events] == [
        *("made", "changed", "rotated", "replayed", "deleted")
    ]
    for event, answer in zip(events, answers, strict=True):
        assert answer.status_code < 300, answer.text
        assert (event.actor, event.name, event.sign_in_id) == ("client", name, None)
        assert (event.address, event.browser) == ("127.0.0.1", "studio/1.0")
        assert event.request_id == answer.headers["X-Request-Id"]
    assert made.json["secret"] not in str(events)


def test_what_is_refused_or_only_read_is_not_recorded(api: Api) -> None:
    name = api.new_key()
    key = api.key_with(*clients.SCOPES, client=name)
    refused = api.post("/webhook-endpoints", {"url": "ftp://nowhere"}, token=key)
    assert refused.status_code == 422
    api.get("/webhook-endpoints", token=key)
    api.post("/conversions", {"hour": "2026-01-01T00:00:00Z"}, token=key)
    assert log(api, name) == []


def test_an_hour_that_a_client_asks_for_is_recorded_once(api: Api) -> None:
    name = api.new_key()
    key = api.key_with(*clients.SCOPES, client=name)
    with api.app.app_context():
        convert_due()
    api.won(api.user(), "0.5")
    hour = api.books.next_hour().isoformat().replace("+00:00", "Z")
    assert api.post("/conversions", {"hour": hour}, token=key).status_code == 202
    with api.app.app_context():
        convert_due()
    assert api.post("/conversions", {"hour": hour}, token=key).status_code == 200
    [event] = log(api, name)
    assert (event.action, event.target_id) == ("conversion.asked", hour)
    assert event.at < api.now() < event.at + timedelta(hours=1)


def test_every_call_by_which_an_admin_changes_something_is_recorded_and_no_win_is(api: Api) -> None:
    for route in calls.routes(api.app):
        is_admins = route.scope == "admin" and route.method != "GET"
        assert getattr(route.view, "recorded", False) == is_admins, route


def test_after_a_call_the_actor_is_the_system_again(api: Api) -> None:
    api.post("/webhook-endpoints", {"url": URL_OF_NOBODY})
    assert audit.actor() is audit.SYSTEM
