"""Holds sent again, and holds listed: the same transaction at every retry, every state in the list."""

from datetime import timedelta
from typing import Any

import pytest

from portal.services import holds
from tests.api.conftest import Api
from tests.api.purse import Purse, figures, refused, replayed

HOUR = timedelta(hours=1)


@pytest.fixture
def purse(api: Api) -> Purse:
    """A wallet of 100 Gold Coins."""
    made = Purse(api, api.user())
    made.top_up("100")
    return made


def test_a_hold_sent_again_is_the_same_one_as_it_is_now(purse: Purse) -> None:
    said = {"amount": "30", "key": "k", "reference": "r"}
    first = purse.send("holds", **said)
    assert first.json
    replayed(first, purse.send("holds", **said))
    assert purse.capture(first.json["hold"]["hold_id"], "20").status_code == 201
    purse.top_up("5")
    before = purse.api.rows()
    again = purse.send("holds", **said)
    replayed(first, again)
    assert figures(again.json) == ("85", "0", "85")
    assert again.json
    assert (again.json["hold"]["state"], again.json["hold"]["captured"]) == ("captured", "20")
    assert purse.api.rows() == before


@pytest.mark.parametrize("call", ["captures", "releases"])
def test_an_ending_sent_again_is_the_same_beside_the_wallet_of_now(purse: Purse, call: str) -> None:
    ending = f"holds/{purse.hold('30')}/{call}"
    first = purse.send(ending, key="k")
    assert first.json
    purse.top_up("1000")
    purse.hold("7")
    before = purse.api.rows()
    again = purse.send(ending, key="k")
    replayed(first, again)
    assert again.json
    assert again.json["hold"] == first.json["hold"]
    assert int(again.json["balance"]) == int(first.json["balance"]) + 1000
    assert again.json["held"] == "7"
    assert purse.api.rows() == before


def test_the_same_moment_in_another_zone_is_the_same_hold(purse: Purse) -> None:
    at = (purse.api.now() + HOUR).replace(microsecond=500000)
    said = {"amount": "3", "key": "k", "reference": "r"}
    first = purse.send("holds", **said, expires_at=at.isoformat())
    for text in (at.isoformat().replace("+00:00", "Z"), at.strftime("%Y-%m-%d %H:%M:%S.5-00:00")):
        replayed(first, purse.send("holds", **said, expires_at=text))


HOLDS: list[dict[str, Any]] = [
    {"amount": "4"},
    {"reference": "r2"},
    {"description": "x"},
    {"expires_at": "later"},
]
ENDINGS: list[tuple[str, dict[str, Any]]] = [
    ("captures", {}),
    ("captures", {"amount": "30"}),
    ("captures", {"amount": "20", "reference": "r"}),
    ("captures", {"amount": "20", "description": "d"}),
    ("releases", {}),
    ("releases", {"reason": "r"}),
]


@pytest.mark.parametrize("change", HOLDS, ids=lambda change: next(iter(change)))
def test_a_key_with_another_hold_is_refused(purse: Purse, change: dict[str, Any]) -> None:
    if "expires_at" in change:
        change = {"expires_at": (purse.api.now() + HOUR).isoformat()}
    said = {"amount": "3", "key": "k", "reference": "r"}
    assert purse.send("holds", **said).status_code == 201
    before = purse.api.rows()
    refused(purse.send("holds", **said | change), "idempotency_key_reused")
    for call in ("spends", "bonuses", "top-ups"):
        refused(purse.send(call, **said), "idempotency_key_reused")
    assert purse.api.rows() == before


@pytest.mark.parametrize(("call", "body"), ENDINGS, ids=str)
def test_a_key_with_another_ending_is_refused(
    purse: Purse, call: str, body: dict[str, Any]
) -> None:
    hold, other = purse.hold("30"), purse.hold("30")
    first = purse.capture(hold, "20", key="k")
    before = purse.api.rows()
    refused(purse.send(f"holds/{hold}/{call}", key="k", **body), "idempotency_key_reused")
    refused(purse.capture(other, "20", key="k"), "idempotency_key_reused")
    assert purse.api.rows() == before
    replayed(first, purse.capture(hold, "20", key="k"))


def test_keys_of_holds_belong_to_their_client_and_user(purse: Purse) -> None:
    shop = purse.api.key_with("wallets:write", client="shop")
    said = {"amount": "3", "key": "k", "reference": "r"}
    other = Purse(purse.api, purse.api.user())
    other.top_up("3")
    for each, token in ((purse, ""), (purse, shop), (other, "")):
        assert each.send("holds", **said, token=token).status_code == 201
    assert (purse.now()[1], other.now()[1]) == ("6", "3")


def test_an_ending_that_was_refused_leaves_its_key_free(purse: Purse) -> None:
    hold = purse.hold("3")
    refused(purse.capture(hold, "4", key="k"), "capture_exceeds_hold")
    refused(purse.capture(f"{purse.user}-99", key="k"), "unknown_hold")
    assert purse.capture(hold, "3", key="k").status_code == 201
    refused(purse.capture(hold, key="k2"), "hold_not_open")
    assert purse.capture(purse.hold("5"), key="k2").status_code == 201


# --- The list


def states(purse: Purse) -> list[str]:
    """A hold of each state, made in this order."""
    captured, released, expired = (
        purse.hold("10"),
        purse.hold("10", expires_at=(purse.api.now() + 3 * HOUR).isoformat()),
        purse.hold("10", expires_at=(purse.api.now() + HOUR).isoformat()),
    )
    purse.capture(captured, "4")
    purse.release(released)
    purse.api.books.set_clock(purse.api.now() + 2 * HOUR)
    with purse.api.app.app_context():
        assert holds.expire_due()
    return [captured, released, expired, purse.hold("10")]


def test_holds_are_listed_newest_first_in_every_state(purse: Purse) -> None:
    made = states(purse)
    listed = purse.api.read(f"{purse.path}/holds")["holds"]
    assert [hold["hold_id"] for hold in listed] == made[::-1]
    assert [hold["state"] for hold in listed] == ["open", "expired", "released", "captured"]
    assert [hold["captured"] for hold in listed] == [None, None, None, "4"]
    assert [purse.held(hold["hold_id"]) for hold in listed] == listed
    for hold in listed:
        ended = hold["state"] != "open"
        assert [hold["ended_at"] is not None, hold["ended_by"] is not None] == [ended, ended]
    line = next(line for line in purse.lines() if line["entry_id"] == listed[1]["ended_by"])
    assert (line["kind"], line["held_change"]) == ("release", "-10")


def test_the_list_is_read_page_by_page(purse: Purse) -> None:
    states(purse)
    path = f"{purse.path}/holds"
    whole = purse.api.read(path)
    assert whole["next_cursor"] is None
    for size in (1, 2, 3, 4, 5, 200):
        assert purse.api.pages(path, "holds", size) == whole["holds"]


def test_a_hold_made_between_two_pages_moves_nothing(purse: Purse) -> None:
    made = [purse.hold("1") for _ in range(3)]
    path = f"{purse.path}/holds?limit=2"
    first = purse.api.read(path)
    purse.hold("1")
    second = purse.api.read(f"{path}&cursor={first['next_cursor']}")
    assert [hold["hold_id"] for hold in first["holds"] + second["holds"]] == made[::-1]


def test_a_list_has_the_holds_of_its_wallet_only(purse: Purse) -> None:
    hold = purse.hold("1")
    points = Purse(purse.api, purse.user, "LOYALTY_POINT")
    points.book("bonuses", "5")
    other = points.hold("0.5")
    for each, id_ in ((purse, hold), (points, other)):
        listed = purse.api.read(f"{each.path}/holds")["holds"]
        assert [found["hold_id"] for found in listed] == [id_]
    empty = Purse(purse.api, purse.user, "DIAMOND")
    assert purse.api.read(f"{empty.path}/holds") == {"holds": [], "next_cursor": None}


def test_a_cursor_fits_its_own_wallet_and_list_only(purse: Purse) -> None:
    for _ in range(2):
        purse.hold("1")
    cursor = purse.api.read(f"{purse.path}/holds?limit=1")["next_cursor"]
    theirs = Purse(purse.api, purse.api.user())
    diamonds = Purse(purse.api, purse.user, "DIAMOND")
    for path in (f"{theirs.path}/holds", f"{diamonds.path}/holds", f"{purse.path}/transactions"):
        refused(purse.api.get(f"{path}?cursor={cursor}"), "invalid_cursor", param="cursor")
    assert purse.api.get(f"{purse.path}/holds?cursor={cursor}").status_code == 200
    lines = purse.api.read(f"{purse.path}/transactions?limit=1")["next_cursor"]
    refused(purse.api.get(f"{purse.path}/holds?cursor={lines}"), "invalid_cursor")
