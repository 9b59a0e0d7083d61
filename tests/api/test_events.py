"""The event feed over HTTP: what an event says, the order, the cursor, the filters."""

from base64 import urlsafe_b64decode
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from portal.ledger.events import Position
from portal.services import clients, events, holds
from tests.api.conftest import Api
from tests.concurrency.programs import eventually
from tests.factories import convert_due


def feed(api: Api, query: str = "", limit: int = 50) -> list[dict[str, Any]]:
    """Every event there is, page by page."""
    found: list[dict[str, Any]] = []
    page = api.read(f"/events?limit={limit}{query}")
    found += page["events"]
    filters = "".join(f"&{part}" for part in query.split("&") if part.startswith("types"))
    while page["has_more"]:
        page = api.read(f"/events?limit={limit}&after={page['next_cursor']}{filters}")
        assert len(page["events"]) <= limit
        found += page["events"]
    return found


def of_user(api: Api, user: str, count: int, query: str = "") -> list[dict[str, Any]]:
    """A user's events, once so many are there."""

    def found() -> list[dict[str, Any]]:
        mine = [each for each in feed(api, query) if each["data"]["user_id"] == user]
        return mine if len(mine) >= count else []

    told = eventually(f"{count} events of user {user}", found)
    assert len(told) == count
    return told


def test_a_win_is_told_as_its_call_answered_it(api: Api) -> None:
    user = api.user()
    answered = api.won(user, "1.5")["win"]
    [event] = of_user(api, user, 1)
    assert event == {
        "id": answered["entry_id"],
        "type": "win.booked",
        "timestamp": answered["booked_at"],
        "data": answered,
    }


def test_a_change_of_a_wallet_tells_what_moved_and_what_is_there_after(api: Api) -> None:
    owner = api.books.owner()
    api.books.bonus(owner, "LOYALTY_POINT", "10")
    held = api.books.hold(owner, "LOYALTY_POINT", "4")
    api.books.spend(owner, "LOYALTY_POINT", "1.5")
    api.books.capture(owner, held, "LOYALTY_POINT", "3")
    told = [each["data"] for each in of_user(api, str(owner), 4)]
    names = ("kind", "amount", "held_change", "balance", "held", "available")
    assert [tuple(data[name] for name in names) for data in told] == [
        ("bonus", "10", "0", "10", "0", "10"),
        ("hold", "0", "4", "10", "4", "6"),
        ("spend", "-1.5", "0", "8.5", "4", "4.5"),
        ("capture", "-3", "-4", "5.5", "0", "5.5"),
    ]
    assert {data["asset"] for data in told} == {"LOYALTY_POINT"}
    lines = api.read(f"/users/{owner}/wallets/LOYALTY_POINT/transactions")["transactions"]
    for data, line in zip(told, reversed(lines), strict=True):
        same = ("entry_id", "kind", "amount", "held_change", "occurred_at", "booked_at")
        assert [data[name] for name in same] == [line[name] for name in same]
        assert (data["balance"], data["reference"]) == (line["balance_after"], line["reference"])


def test_a_reversal_tells_what_it_took_back_of_tokens_too(api: Api) -> None:
    owner = api.books.owner()
    api.books.reverse(owner, api.books.win(owner, "2"))
    _, reversal = of_user(api, str(owner), 2)
    names = ("kind", "asset", "amount", "balance", "held", "available")
    assert [reversal["data"][name] for name in names] == ["reversal", "DREAM", "-2", "0", "0", "0"]


def test_a_hold_that_expires_is_told_as_such_and_one_released_by_hand_is_not(api: Api) -> None:
    owner = api.books.owner()
    api.books.top_up(owner, "GOLD_COIN", "10")
    first = api.books.hold(owner, "GOLD_COIN", "3", api.books.now() + timedelta(minutes=5))
    api.books.release(owner, api.books.hold(owner, "GOLD_COIN", "2"), "GOLD_COIN")
    api.books.set_clock(api.books.now() + timedelta(minutes=6))
    with api.app.app_context():
        holds.expire_due()
    told = of_user(api, str(owner), 5)
    assert [each["type"] for each in told] == ["wallet.changed"] * 4 + ["hold.expired"]
    assert told[-1]["data"]["hold_id"] == f"{owner}-{first}"
    assert told[-1]["data"]["available"] == "10"


def test_a_conversion_tells_hour_tokens_usd_and_rate(api: Api) -> None:
    owner = api.books.owner()
    api.books.win(owner, "2")
    hour = api.books.next_hour()
    with api.app.app_context():
        convert_due()
    event = of_user(api, str(owner), 2)[-1]
    assert event["type"] == "conversion.done"
    assert event["data"] == {
        "entry_id": f"{owner}-2",
        "user_id": str(owner),
        "hour": f"{hour:%Y-%m-%dT%H:%M:%SZ}",
        "tokens": "2",
        "usd": "0.3",
        "rate": "0.15",
        "booked_at": event["timestamp"],
    }


def test_pages_of_any_size_have_every_event_once_in_order(api: Api) -> None:
    owners = [api.books.owner() for _ in range(3)]
    for _ in range(4):
        for owner in owners:
            api.books.bonus(owner, "GOLD_COIN", "1")
    of_user(api, str(owners[2]), 4)
    whole = feed(api, limit=200)
    assert len({event["id"] for event in whole}) == len(whole)
    times = [event["timestamp"] for event in whole]
    assert times == sorted(times)
    assert [event["id"] for event in feed(api, limit=1)] == [event["id"] for event in whole]
    assert [event["id"] for event in feed(api, limit=7)] == [event["id"] for event in whole]
    mine = [event["id"] for event in whole if event["data"]["user_id"] == str(owners[0])]
    assert mine == [f"{owners[0]}-{seq}" for seq in range(1, 5)]


def test_the_cursor_of_a_page_goes_on_where_it_ended_however_much_later(api: Api) -> None:
    owner = api.books.owner()
    api.books.bonus(owner, "GOLD_COIN", "1")
    of_user(api, str(owner), 1)
    page = api.read("/events?limit=200")
    while page["has_more"]:
        page = api.read(f"/events?limit=200&after={page['next_cursor']}")
    again = api.read(f"/events?after={page['next_cursor']}")
    assert again == {"events": [], "next_cursor": page["next_cursor"], "has_more": False}
    api.books.bonus(owner, "GOLD_COIN", "2")
    path = f"/events?after={page['next_cursor']}"
    [event] = eventually("the next event", lambda: api.read(path)["events"])
    assert event["id"] == f"{owner}-2"


def test_since_starts_with_the_first_event_booked_then_or_later(api: Api) -> None:
    owner = api.books.owner()
    for _ in range(3):
        api.books.bonus(owner, "GOLD_COIN", "1")
    second = of_user(api, str(owner), 3)[1]
    told = feed(api, f"&since={second['timestamp']}")
    assert [event["id"] for event in told] == [f"{owner}-2", f"{owner}-3"]


def test_types_pass_over_the_others_and_still_move_on(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "SCANNED", 2)
    owner = api.books.owner()
    api.books.win(owner, "0.1")
    for _ in range(9):
        api.books.bonus(owner, "GOLD_COIN", "1")
    api.books.win(owner, "0.2")
    of_user(api, str(owner), 11)
    since = api.read(f"/users/{owner}/wallets/DREAM/transactions")["transactions"][-1]["booked_at"]
    path, seen, empty = f"/events?types=win.booked&limit=1&since={since}", [], 0
    for _ in range(30):
        page = api.read(path)
        seen += [event["id"] for event in page["events"]]
        empty += not page["events"]
        if not page["has_more"]:
            break
        path = f"/events?types=win.booked&limit=1&after={page['next_cursor']}"
    assert seen == [f"{owner}-1", f"{owner}-11"]
    assert empty > 0


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("after=abc", "invalid_cursor", "after"),
        ("after=", "invalid_cursor", "after"),
        ("types=win", "validation_failed", "types"),
        ("types=", "validation_failed", "types"),
        ("since=2026-01-01T00:00:00", "validation_failed", "since"),
        ("limit=0", "validation_failed", "limit"),
        ("cursor=x", "validation_failed", "cursor"),
    ],
)
def test_a_query_that_is_wrong_is_refused_by_name(
    api: Api, query: str, code: str, param: str
) -> None:
    answer = api.get(f"/events?{query}")
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert answer.json["param"] == param


def test_after_and_since_together_and_the_cursor_of_another_list_are_refused(api: Api) -> None:
    cursor = api.read("/events")["next_cursor"]
    assert api.get(f"/events?after={cursor}&since=2026-01-01T00:00:00Z").status_code == 422
    assert api.get(f"/conversions?cursor={cursor}").json["code"] == "invalid_cursor"


def test_a_bound_clients_cursors_tell_nothing_of_users_that_it_may_not_see_and_skip_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "SCANNED", 2)
    hidden, game = 10**14 + 7, f"game-{api.new_key()}"
    with api.books.engine.begin() as connection:
        connection.execute(text("SELECT ledger.open_owner(:id, 'UTC')"), {"id": hidden})
    user, token = api.user(), api.key_with("read", client="bound")
    with api.app.app_context():
        clients.set_limits("bound", regions=[api.app.extensions["dreamland"].settings.regions[0]])
    for number in range(4):
        api.books.bonus(hidden, "GOLD_COIN", "1")
        body = api.win(game=game, reference=str(number))
        assert api.post(f"/users/{user}/wins", body, key=api.new_key()).status_code == 201
        api.books.bonus(hidden, "GOLD_COIN", "1")
    of_user(api, str(hidden), 8)
    path, seen, page = "/events?limit=1", [], {"has_more": True}
    while page["has_more"]:
        page = api.get(path, token=token).json
        seen += [
            each["data"]["reference"] for each in page["events"] if each["data"].get("game") == game
        ]
        said = page["next_cursor"] + "=" * (-len(page["next_cursor"]) % 4)
        assert str(hidden).encode() not in urlsafe_b64decode(said.partition(".")[0])
        path = f"/events?limit=1&after={page['next_cursor']}"
    assert seen == ["0", "1", "2", "3"]


def test_the_feed_needs_the_scope_to_read(api: Api) -> None:
    assert api.get("/events", token=api.key_with("wins:write")).json["code"] == "forbidden"


@pytest.mark.parametrize(
    ("interest", "wanted"),
    [
        (events.Interest(regions=[0]), {"win.booked", "wallet.changed"}),
        (events.Interest(regions=[1]), set()),
        (events.Interest(games=["maze"]), {"wallet.changed"}),
        (events.Interest(games=[]), {"wallet.changed"}),
    ],
)
def test_a_client_bound_to_regions_or_games_is_told_of_those_alone(
    api: Api, interest: events.Interest, wanted: set[str]
) -> None:
    """Entries made by the factories name no game."""
    owner = api.books.owner()
    api.books.win(owner, "0.1")
    api.books.bonus(owner, "GOLD_COIN", "1")
    first = of_user(api, str(owner), 2)[0]["timestamp"]
    with api.app.app_context():
        position = Position.before(datetime.fromisoformat(first))
        told, _ = events.told(position, interest, 50)
    assert {event["type"] for event in told} == wanted
