"""What services leave in the audit log: each change its record, a refused or repeated one none."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from portal.ledger.errors import LedgerError
from portal.services import assets, audit_log, clients, clock, conversions, fees, periods, rates
from portal.services.audit_log import Event, Filters
from portal.services.fees import FeeRule
from portal.services.webhooks import endpoints
from tests.factories import Books, start_of_hour

pytestmark = pytest.mark.usefixtures("context")

HOUR = timedelta(hours=1)
URL = "http://127.0.0.1:9999/hook?key=hidden"
SHOWN = "http://127.0.0.1:9999/hook?…"


def log() -> list[Event]:
    """All of it, oldest first."""
    return audit_log.page(Filters(), None, 1000)[::-1]


def told(events: list[Event]) -> list[tuple[str, str, str | None]]:
    return [(each.action, each.target, each.target_id) for each in events]


def last(action: str) -> Event:
    event = log()[-1]
    assert event.action == action
    return event


def leaves_nothing(change: Callable[[], Any]) -> None:
    before = log()
    with suppress(LedgerError):
        change()
    assert log() == before


def waiting_hour(books: Books) -> datetime:
    """An hour that is closed and has no rate yet."""
    hour = start_of_hour(books.now()) - HOUR
    with books.engine.begin() as connection:
        connection.execute(text("SELECT ledger.close_hour(:hour)"), {"hour": hour})
    return hour


def test_a_rate_set_by_hand(books: Books) -> None:
    hour = waiting_hour(books)
    rates.set_rate(hour, "0.15", "the source was down")
    event = last("rate.set")
    assert event.target_id == hour.isoformat().replace("+00:00", "Z")
    assert event.after == {"rate": "0.15", "reason": "the source was down"}
    leaves_nothing(lambda: rates.set_rate(hour, "0.16", "again"))
    leaves_nothing(lambda: rates.set_rate(hour + 9 * HOUR, "0.16", "not closed"))
    leaves_nothing(lambda: rates.set_rate(hour, "-1", "nonsense"))


def test_a_month_closed(books: Books) -> None:
    month = (books.now().date().replace(day=1) - timedelta(days=1)).replace(day=1)
    periods.close(month)
    event = last("period.closed")
    assert (event.target, event.target_id) == ("month", f"{month:%Y-%m}")
    leaves_nothing(lambda: periods.close(month))
    leaves_nothing(lambda: periods.close(books.now().date().replace(day=1)))


def test_a_credit_added() -> None:
    assets.add("EMERALD", "Emeralds", 2)
    event = last("asset.added")
    assert event.target_id == "EMERALD"
    assert event.after == {"name": "Emeralds", "scale": 2}
    leaves_nothing(lambda: assets.add("EMERALD", "Emeralds", 2))
    leaves_nothing(lambda: assets.add("EMERALD", "Others", 2))


def test_a_fee_rule_added_with_the_one_before_it(books: Books) -> None:
    start = start_of_hour(books.now()) + HOUR
    fees.add_rule(FeeRule("conversion", start, "cheaper", 10**15, 50))
    event = last("fee_rule.added")
    assert event.target_id == "conversion"
    first = {"start": None, "provider": "exchange", "fixed": "0", "basis_points": 100}
    assert event.before == first
    assert event.after is not None
    assert event.after["fixed"] == "0.001"
    fees.add_rule(FeeRule("conversion", start + HOUR, "dearer", 0, 60))
    again = last("fee_rule.added")
    assert again.before == event.after
    leaves_nothing(lambda: fees.add_rule(FeeRule("conversion", start + HOUR, "twice", 0, 1)))
    leaves_nothing(lambda: fees.add_rule(FeeRule("win", books.now() - HOUR, "late", 0, 0)))


def test_the_clock_moved(books: Books) -> None:
    books.win(books.owner())  # empty books let the clock go back
    at = books.now() + timedelta(days=2)
    clock.move(at)
    event = last("clock.moved")
    assert event.before is not None
    assert event.before["time"][:10] < at.isoformat()[:10]
    leaves_nothing(lambda: clock.move(at - timedelta(days=1)))


def test_a_conversion_asked_for_until_it_runs(books: Books) -> None:
    books.win(books.owner())
    hour = books.next_hour()
    leaves_nothing(lambda: conversions.request(hour + HOUR, lambda: None))
    conversions.request(hour, lambda: None)
    assert last("conversion.asked").target_id == hour.isoformat().replace("+00:00", "Z")
    conversions.advance(hour, lambda *_: None)
    leaves_nothing(lambda: conversions.request(hour, lambda: None))
    conversions.convert_chunk(hour, 1)
    leaves_nothing(lambda: conversions.request(hour, lambda: None))


def test_a_client_made_and_limited() -> None:
    client, _ = clients.add("studio")
    assert told(log()) == [("client.made", "client", str(client.id))]
    leaves_nothing(lambda: clients.add("studio"))
    clients.set_limits("studio", games=["maze"], rate_limit=90)
    event = last("client.limited")
    assert event.before == {"name": "studio", "games": None, "rate_limit": None}
    assert event.after == {"name": "studio", "games": ["maze"], "rate_limit": 90}
    leaves_nothing(lambda: clients.set_limits("studio", rate_limit=90))
    leaves_nothing(lambda: clients.set_limits("studio", regions=["mars"]))
    leaves_nothing(lambda: clients.set_limits("nobody", rate_limit=1))


def test_a_key_created_rotated_and_revoked_never_with_the_key(engine: Engine) -> None:
    token = clients.create_key("studio", ["wins:write", "read"])
    made, created = log()
    assert made.action == "client.made"
    assert created.after == {
        "client": "studio",
        "begins": token[:12],
        "scopes": ["read", "wins:write"],
    }
    number = int(str(created.target_id))
    new, until = clients.rotate(number)
    rotated = last("key.rotated")
    assert rotated.target_id == str(number)
    assert rotated.after is not None
    assert rotated.after["new_begins"] == new[:12]
    assert rotated.after["expires_at"] == until.isoformat().replace("+00:00", "Z")
    clients.revoke(number)
    assert last("key.revoked").target_id == str(number)
    leaves_nothing(lambda: clients.revoke(number))
    leaves_nothing(lambda: clients.rotate(number))
    with engine.connect() as connection:
        everything = str(connection.execute(text("SELECT * FROM audit_events")).all())
    assert not any(secret[12:] in everything for secret in (token, new))


def test_all_keys_of_a_client_revoked_each_with_its_record() -> None:
    tokens = [clients.create_key("leaving", ["read"]) for _ in range(3)]
    clients.revoke(clients.find_key(tokens[0][:12]))
    endpoint = endpoints.make(clients.named("leaving"), URL, None, None, None)
    before = len(log())
    assert clients.revoke_all("leaving") == 3
    events = log()[before:]
    assert [each.action for each in events] == [
        "webhook_endpoint.changed",
        "key.revoked",
        "key.revoked",
    ]
    assert events[0].target_id == str(endpoint.id)
    leaves_nothing(lambda: clients.revoke_all("leaving"))
    leaves_nothing(lambda: clients.revoke_all("nobody"))


def test_a_webhook_endpoint_from_its_making_to_its_end(books: Books) -> None:
    client = clients.named("studio")
    number = endpoints.make(client, URL, "ours", ["win.booked"], None).id
    made = last("webhook_endpoint.made")
    assert made.target_id == str(number)
    assert made.after == {
        "client_id": client,
        "url": SHOWN,
        "description": "ours",
        "events": ["win.booked"],
        "state": "enabled",
        "signed_by": 1,
    }
    endpoints.change(client, number, {"state": "disabled"})
    changed = last("webhook_endpoint.changed")
    assert [change.field for change in changed.changes] == ["state"]
    endpoints.rotate(client, number)
    assert [change.field for change in last("webhook_endpoint.rotated").changes] == ["signed_by"]
    leaves_nothing(lambda: endpoints.rotate(client, number))
    endpoints.replay_since(client, number, books.now() - HOUR)
    assert last("webhook_endpoint.replayed").target_id == str(number)
    leaves_nothing(lambda: endpoints.change(client + 1, number, {"state": "enabled"}))
    leaves_nothing(lambda: endpoints.remove(client + 1, number))
    endpoints.remove(client, number)
    assert last("webhook_endpoint.deleted").before == changed.after | {"signed_by": 2}  # type: ignore[operator]
    leaves_nothing(lambda: endpoints.remove(client, number))
