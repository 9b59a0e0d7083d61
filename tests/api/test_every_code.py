"""Each code of the closed list, provoked for real. That none outside it is sent, every caller checks.

A new code is a new function here: `@provokes("the_code")`, answering what the call was answered.
"""

import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from portal import create_app
from portal.api.problems import CODES
from portal.services import clients, periods
from tests.api.conftest import Api
from tests.api.purse import Purse

Provocation = Callable[[Api], TestResponse]
PROVOCATIONS: dict[str, Provocation] = {}


def provokes(code: str) -> Callable[[Provocation], Provocation]:
    """Register how a code is provoked."""

    def register(provocation: Provocation) -> Provocation:
        assert code not in PROVOCATIONS
        PROVOCATIONS[code] = provocation
        return provocation

    return register


@pytest.mark.parametrize("code", CODES)
def test_the_code_is_sent_when_its_reason_is_there(api: Api, code: str) -> None:
    assert code in PROVOCATIONS, f"add a function to this module: @provokes({code!r})"
    answer = PROVOCATIONS[code](api)
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["code"] == code, answer.text
    assert (answer.status_code, answer.json["title"]) == CODES[code]


def test_no_other_code_is_provoked() -> None:
    assert set(PROVOCATIONS) == set(CODES)


PROMISED = {
    *("malformed_json", "idempotency_key_missing", "idempotency_key_invalid", "unauthorized"),
    *("forbidden", "not_found", "unknown_user", "unknown_asset", "unknown_entry"),
    *("method_not_allowed", "user_exists", "hour_not_next", "payload_too_large"),
    *("unsupported_media_type", "validation_failed", "invalid_amount", "occurred_at_out_of_range"),
    *("daily_limit_exceeded", "insufficient_funds", "idempotency_key_reused", "already_reversed"),
    *("not_reversible", "payment_reference_reused", "period_closed", "asset_not_allowed"),
    *("invalid_cursor", "internal_error", "rate_limited", "unavailable"),
}
"""Those of the API's first promise: more may come, none of these goes."""


def test_every_code_that_was_promised_is_still_there() -> None:
    assert set(CODES) >= PROMISED


def win(api: Api, key: str | None = "k", user: str = "", **fields: object) -> TestResponse:
    return api.post(f"/users/{user or api.user()}/wins", api.win(**fields), key=key)


def raw(api: Api, data: bytes, media: str = "application/json") -> TestResponse:
    return api.call("POST", "/users", data=data, content_type=media)


def purse(api: Api) -> Purse:
    """A wallet with a hundred."""
    made = Purse(api, api.user())
    made.top_up("100")
    return made


@provokes("malformed_json")
def _(api: Api) -> TestResponse:
    return raw(api, b'{"display_name": "Ida", "display_name": "Eve"}')


@provokes("idempotency_key_missing")
def _(api: Api) -> TestResponse:
    return win(api, key=None)


@provokes("idempotency_key_invalid")
def _(api: Api) -> TestResponse:
    return win(api, key="a b")


@provokes("unauthorized")
def _(api: Api) -> TestResponse:
    return api.get("/assets", token="dream_wrong")


@provokes("forbidden")
def _(api: Api) -> TestResponse:
    return api.get("/assets", token=api.key_with("wins:write"))


@provokes("not_found")
def _(api: Api) -> TestResponse:
    return api.get("/nothing")


@provokes("unknown_user")
def _(api: Api) -> TestResponse:
    return api.get("/users/999999999999")


@provokes("unknown_asset")
def _(api: Api) -> TestResponse:
    return api.get(f"/users/{api.user()}/wallets/EUR")


@provokes("unknown_entry")
def _(api: Api) -> TestResponse:
    made = Purse(api, api.user())
    return made.reverse(f"{made.user}-9")


@provokes("unknown_hold")
def _(api: Api) -> TestResponse:
    made = Purse(api, api.user())
    return made.capture(f"{made.user}-9")


@provokes("method_not_allowed")
def _(api: Api) -> TestResponse:
    return api.call("DELETE", "/assets")


@provokes("user_exists")
def _(api: Api) -> TestResponse:
    known = api.read(f"/users/{api.user()}")["user"]["external_id"]
    return api.post("/users", {"external_id": known, "display_name": "Somebody else"})


@provokes("hour_not_next")
def _(api: Api) -> TestResponse:
    return api.post("/conversions", {"hour": "2200-01-01T00:00:00Z"})


@provokes("payload_too_large")
def _(api: Api) -> TestResponse:
    return raw(api, b" " * 1_100_000)


@provokes("unsupported_media_type")
def _(api: Api) -> TestResponse:
    return raw(api, b"{}", "text/plain")


@provokes("validation_failed")
def _(api: Api) -> TestResponse:
    return win(api, game="")


@provokes("invalid_amount")
def _(api: Api) -> TestResponse:
    return win(api, amount=0.5)


@provokes("occurred_at_out_of_range")
def _(api: Api) -> TestResponse:
    return win(api, occurred_at=(api.now() + timedelta(hours=1)).isoformat())


@provokes("daily_limit_exceeded")
def _(api: Api) -> TestResponse:
    return win(api, amount="5.000000000000000001")


@provokes("insufficient_funds")
def _(api: Api) -> TestResponse:
    return purse(api).send("spends", "101")


@provokes("asset_not_allowed")
def _(api: Api) -> TestResponse:
    return Purse(api, api.user(), "USD").send("spends", "1")


@provokes("payment_reference_reused")
def _(api: Api) -> TestResponse:
    made, reference = purse(api), api.new_key()
    body = {"amount": "1", "reference": reference}
    assert api.post(f"{made.path}/top-ups", body, key=api.new_key()).status_code == 201
    return api.post(f"{made.path}/top-ups", body, key=api.new_key())


@provokes("hold_not_open")
def _(api: Api) -> TestResponse:
    made = purse(api)
    hold = made.hold("5")
    assert made.release(hold).status_code == 201
    return made.capture(hold)


@provokes("capture_exceeds_hold")
def _(api: Api) -> TestResponse:
    made = purse(api)
    return made.capture(made.hold("5"), "6")


@provokes("expires_at_out_of_range")
def _(api: Api) -> TestResponse:
    return purse(api).send("holds", "5", expires_at=(api.now() - timedelta(hours=1)).isoformat())


@provokes("idempotency_key_reused")
def _(api: Api) -> TestResponse:
    user, key = api.user(), api.new_key()
    assert win(api, key, user, reference="one").status_code == 201
    return win(api, key, user, reference="another")


@provokes("already_reversed")
def _(api: Api) -> TestResponse:
    made = purse(api)
    spent = made.spend("5")
    assert made.reverse(spent).status_code == 201
    return made.reverse(spent)


@provokes("not_reversible")
def _(api: Api) -> TestResponse:
    made = purse(api)
    return made.reverse(made.hold("5"))


@provokes("invalid_cursor")
def _(api: Api) -> TestResponse:
    return api.get("/conversions?cursor=forged")


@provokes("internal_error")
def _(api: Api) -> TestResponse:
    """A table is not where it should be, as after half a migration."""
    rename: Any = "ALTER TABLE conversion_runs RENAME TO elsewhere"
    with api.owner.begin() as connection:
        connection.execute(text(rename))
    try:
        return api.get("/conversions")
    finally:
        with api.owner.begin() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO conversion_runs"))


@provokes("unavailable")
def _(api: Api) -> TestResponse:
    """The database is at a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = api.app.extensions["dreamland"].settings
    url = f"postgresql+psycopg2://postgres@127.0.0.1:{port}/x"
    away = replace(api, app=create_app(replace(settings, database_url=url)))
    return away.get("/assets")


@provokes("unknown_import")
def _(api: Api) -> TestResponse:
    return api.get("/imports/999999999")


@provokes("rate_limited")
def _(api: Api) -> TestResponse:
    token = api.key_with("read", client="slow")
    with api.app.app_context():
        clients.limit("slow", 1)
    api.get("/assets", token=token)
    return api.get("/assets", token=token)


@provokes("unknown_endpoint")
def _(api: Api) -> TestResponse:
    return api.get("/webhook-endpoints/999999999")


@provokes("url_not_allowed")
def _(api: Api) -> TestResponse:
    return api.post("/webhook-endpoints", {"url": "ftp://games.example/"})


@provokes("too_many_endpoints")
def _(api: Api) -> TestResponse:
    token = api.key_with("admin", client="eager")
    for n in range(10):
        api.post("/webhook-endpoints", {"url": f"http://127.0.0.1/{n}"}, token=token)
    return api.post("/webhook-endpoints", {"url": "http://127.0.0.1/10"}, token=token)


@provokes("period_closed")
def _(api: Api) -> TestResponse:
    """The month that runs is closed, and opened again by who owns the database: others need it."""
    user = api.user()
    with api.app.app_context():
        periods.close(api.now().date().replace(day=1), running=True)
    answer = win(api, user=user)
    with api.owner.begin() as owner:
        owner.execute(text("ALTER TABLE ledger.closed_periods DISABLE TRIGGER ALL"))
        owner.execute(text("DELETE FROM ledger.closed_periods"))
        owner.execute(text("ALTER TABLE ledger.closed_periods ENABLE TRIGGER ALL"))
    return answer
