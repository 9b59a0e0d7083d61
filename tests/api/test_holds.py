"""Holds over HTTP: credits set aside, then captured or released, once; and what a hold says of itself."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import Api
from tests.api.purse import Purse, figures, refused, replayed

ANSWER = ["transaction", "balance", "held", "available", "hold"]
HOLD = [
    *("hold_id", "asset", "state", "amount", "captured", "booked_at", "expires_at"),
    *("ended_at", "ended_by", "reference", "description"),
]
SECOND = timedelta(seconds=1)
LONGEST = timedelta(days=31)


@pytest.fixture
def purse(api: Api) -> Purse:
    """A wallet of 100 Gold Coins."""
    made = Purse(api, api.user())
    made.top_up("100")
    return made


def told(line: dict[str, Any]) -> tuple[str, ...]:
    """What a transaction says it did to the wallet."""
    return line["kind"], line["amount"], line["held_change"], line["balance_after"]


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def open_and_move_on(purse: Purse, amount: str = "30") -> str:
    """A hold of an hour, two hours later."""
    until = purse.api.now() + timedelta(hours=1)
    hold = purse.hold(amount, expires_at=iso(until))
    purse.api.books.set_clock(until + timedelta(hours=1))
    return hold


def test_a_hold_is_answered_as_promised(purse: Purse) -> None:
    answer = purse.book("holds", "30", reference="order 7", description="a sword")
    assert list(answer) == ANSWER
    assert figures(answer) == ("100", "30", "70")
    transaction, hold = answer["transaction"], answer["hold"]
    assert (transaction["kind"], transaction["amount"]) == ("hold", "30")
    assert transaction["entry_id"] == hold["hold_id"] == f"{purse.user}-2"
    assert list(hold) == HOLD
    booked = datetime.fromisoformat(transaction["booked_at"])
    assert hold == {
        "hold_id": f"{purse.user}-2",
        "asset": "GOLD_COIN",
        "state": "open",
        "amount": "30",
        "captured": None,
        "booked_at": transaction["booked_at"],
        "expires_at": iso(booked + timedelta(days=7)),
        "ended_at": None,
        "ended_by": None,
        "reference": "order 7",
        "description": "a sword",
    }
    assert purse.held(hold["hold_id"]) == hold
    assert purse.now() == ("100", "30", "70")
    assert told(purse.lines()[0]) == ("hold", "0", "30", "100")


@pytest.mark.parametrize("amount", [None, "30"])
def test_a_whole_capture_spends_all_that_was_held(purse: Purse, amount: str | None) -> None:
    hold = purse.hold("30")
    answer = purse.capture(hold, amount, reference="order 7")
    assert answer.status_code == 201
    assert answer.json
    assert list(answer.json) == ANSWER
    assert figures(answer.json) == purse.now() == ("70", "0", "70")
    transaction, ended = answer.json["transaction"], answer.json["hold"]
    assert (transaction["kind"], transaction["amount"]) == ("capture", "30")
    assert (transaction["entry_id"], transaction["reference"]) == (f"{purse.user}-3", "order 7")
    assert (ended["state"], ended["captured"], ended["amount"]) == ("captured", "30", "30")
    assert ended["ended_by"] == transaction["entry_id"]
    assert ended["ended_at"] == transaction["booked_at"]
    assert purse.held(hold) == ended
    assert told(purse.lines()[0]) == ("capture", "-30", "-30", "70")


def test_a_part_captured_gives_the_rest_back_in_the_same_transaction(purse: Purse) -> None:
    hold = purse.hold("30")
    answer = purse.capture(hold, "20").json
    assert answer
    assert figures(answer) == purse.now() == ("80", "0", "80")
    assert answer["transaction"]["amount"] == answer["hold"]["captured"] == "20"
    assert (answer["hold"]["amount"], answer["hold"]["state"]) == ("30", "captured")
    assert told(purse.lines()[0]) == ("capture", "-20", "-30", "80")


def test_a_release_gives_all_of_it_back(purse: Purse) -> None:
    hold = purse.hold("30")
    answer = purse.release(hold, reason="sold out").json
    assert answer
    assert list(answer) == ANSWER
    assert figures(answer) == purse.now() == ("100", "0", "100")
    assert (answer["transaction"]["kind"], answer["transaction"]["amount"]) == ("release", "30")
    assert answer["transaction"]["reference"] is None
    assert (answer["hold"]["state"], answer["hold"]["captured"]) == ("released", None)
    assert answer["hold"]["ended_by"] == answer["transaction"]["entry_id"]
    assert told(purse.lines()[0]) == ("release", "0", "-30", "100")


def test_holds_stand_beside_each_other(api: Api) -> None:
    points = Purse(api, api.user(), "LOYALTY_POINT")
    points.book("bonuses", "10")
    one, two = points.hold("2.5"), points.hold("7.25")
    assert points.now() == ("10", "9.75", "0.25")
    assert points.capture(one, "0.01").status_code == 201
    assert points.now() == ("9.99", "7.25", "2.74")
    assert points.held(two)["state"] == "open"
    assert points.release(two).status_code == 201
    assert points.now() == ("9.99", "0", "9.99")


def test_no_more_than_is_available_can_be_held_or_spent(purse: Purse) -> None:
    purse.hold("60")
    before = purse.api.rows()
    there = {"balance": "100", "held": "60", "available": "40"}
    for call in ("holds", "spends"):
        refused(purse.send(call, "41"), "insufficient_funds", **there)
    assert purse.api.rows() == before
    purse.hold("40")
    assert purse.now() == ("100", "100", "0")


@pytest.mark.parametrize("first", ["capture", "release"])
@pytest.mark.parametrize("second", ["capture", "release"])
def test_a_hold_ends_once(purse: Purse, first: str, second: str) -> None:
    hold = purse.hold("30")
    assert getattr(purse, first)(hold).status_code == 201
    before = purse.api.rows()
    refused(getattr(purse, second)(hold), "hold_not_open")
    assert purse.api.rows() == before


def test_a_capture_above_the_hold_is_told_what_is_held(purse: Purse) -> None:
    hold = purse.hold("30")
    before = purse.api.rows()
    refused(purse.capture(hold, "31", key="k"), "capture_exceeds_hold", held="30")
    assert purse.api.rows() == before
    assert purse.capture(hold, "30", key="k").status_code == 201
    refused(purse.capture(hold, "31"), "hold_not_open")


def test_only_holds_of_the_wallet_are_known(purse: Purse) -> None:
    hold, theirs = purse.hold("30"), Purse(purse.api, purse.api.user())
    diamonds = Purse(purse.api, purse.user, "DIAMOND")
    top_up = f"{purse.user}-1"
    wrong = [(theirs, hold), (diamonds, hold), (purse, top_up), (theirs, f"{theirs.user}-1")]
    wrong += [
        (purse, f"{purse.user}-{seq}")
        for seq in ("3", "0", "02", "-2", "", "2 ", "2-2", "１", str(2**63), "9" * 40)
    ]
    wrong += [(purse, text) for text in ("2", "-", "nonsense", f"0{hold}", "%00", "🎲")]
    before = purse.api.rows()
    for each, id_ in wrong:
        refused(each.capture(id_), "unknown_hold")
        refused(each.release(id_), "unknown_hold")
        refused(purse.api.get(f"{each.path}/holds/{id_}"), "unknown_hold")
    nobody = Purse(purse.api, "999999999999")
    refused(nobody.release("999999999999-1"), "unknown_user")
    refused(purse.api.get(f"{nobody.path}/holds/999999999999-1"), "unknown_user")
    assert purse.api.rows() == before
    assert purse.held(hold)["state"] == "open"


# --- Time


@pytest.mark.parametrize("after", [-timedelta(days=1), -SECOND, LONGEST + 9 * SECOND])
def test_a_hold_expires_within_31_days(purse: Purse, after: timedelta) -> None:
    before = purse.api.rows()
    answer = purse.send("holds", "1", expires_at=iso(purse.api.now() + after))
    refused(answer, "expires_at_out_of_range")
    assert purse.api.rows() == before


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_a_hold_expires_within_the_calendar(purse: Purse, at: str) -> None:
    refused(purse.send("holds", "1", expires_at=at), "expires_at_out_of_range")


def test_a_hold_may_last_31_days(purse: Purse) -> None:
    until = purse.api.now() + LONGEST - SECOND
    hold = purse.held(purse.hold("1", expires_at=until.isoformat()))
    assert hold["expires_at"] == iso(until)


def test_a_hold_whose_time_is_over_can_be_released_and_not_captured(purse: Purse) -> None:
    hold = open_and_move_on(purse)
    assert purse.held(hold)["state"] == "open", "until a release books it"
    assert purse.now() == ("100", "30", "70")
    refused(purse.capture(hold), "hold_not_open")
    ended = purse.release(hold).json
    assert ended
    assert (ended["hold"]["state"], ended["available"]) == ("expired", "100")


def test_a_retry_of_a_capture_after_the_holds_time_is_a_replay(purse: Purse) -> None:
    until = iso(purse.api.now() + timedelta(hours=1))
    hold = purse.hold("30", expires_at=until)
    first = purse.capture(hold, "20", key="k")
    purse.api.books.set_clock(purse.api.now() + timedelta(hours=2))
    again = purse.capture(hold, "20", key="k")
    replayed(first, again)
    assert again.json["hold"]["state"] == "captured"  # type: ignore[index]
