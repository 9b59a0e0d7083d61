"""Reversals over HTTP: a top-up, bonus or spend is turned round once, and never below zero."""

import pytest

from tests.api.conftest import Api
from tests.api.purse import Purse, figures, refused, replayed

ANSWER = ["transaction", "balance", "held", "available"]


@pytest.fixture
def purse(api: Api) -> Purse:
    """A wallet of 100 Gold Coins, of one top-up."""
    made = Purse(api, api.user())
    made.top_up("100")
    return made


def entry(purse: Purse, call: str, amount: str) -> str:
    """The id of an entry that was booked."""
    return str(purse.book(call, amount)["transaction"]["entry_id"])


@pytest.mark.parametrize(
    ("call", "change"), [("top-ups", "-7"), ("bonuses", "-7"), ("spends", "7")]
)
def test_a_reversal_is_answered_as_promised(purse: Purse, call: str, change: str) -> None:
    made = entry(purse, call, "7")
    answer = purse.reverse(made, reason="the wrong user")
    assert answer.status_code == 201
    assert answer.json
    assert list(answer.json) == ANSWER
    assert figures(answer.json) == ("100", "0", "100")
    transaction = answer.json["transaction"]
    assert transaction.pop("booked_at").endswith("Z")
    assert transaction == {
        "entry_id": f"{purse.user}-3",
        "kind": "reversal",
        "asset": "GOLD_COIN",
        "amount": "7",
        "reference": None,
    }
    line = purse.lines()[0]
    assert (line["kind"], line["amount"], line["held_change"]) == ("reversal", change, "0")
    assert line["balance_after"] == "100"


def test_decimals_are_turned_round_too(api: Api) -> None:
    points = Purse(api, api.user(), "LOYALTY_POINT")
    made = entry(points, "bonuses", "0.25")
    answer = points.reverse(made).json
    assert answer
    assert (answer["transaction"]["amount"], answer["balance"]) == ("0.25", "0")
    assert answer["transaction"]["asset"] == "LOYALTY_POINT"


@pytest.mark.parametrize("call", ["top-ups", "bonuses", "spends"])
def test_an_entry_is_reversed_once(purse: Purse, call: str) -> None:
    made = entry(purse, call, "7")
    assert purse.reverse(made).status_code == 201
    before = purse.api.rows()
    refused(purse.reverse(made), "already_reversed")
    assert purse.api.rows() == before


def test_the_same_reversal_again_is_the_same_transaction(purse: Purse) -> None:
    made = entry(purse, "spends", "40")
    first = purse.reverse(made, key="k")
    purse.hold("30")
    again = purse.reverse(made, key="k")
    replayed(first, again)
    assert figures(again.json) == ("100", "30", "70")
    refused(purse.reverse(made, key="k", reason="another"), "idempotency_key_reused")
    refused(purse.reverse(f"{purse.user}-1", key="k"), "idempotency_key_reused")
    refused(purse.send("spends", "1", key="k"), "idempotency_key_reused")


def test_keys_of_reversals_belong_to_their_client(purse: Purse) -> None:
    made = entry(purse, "spends", "40")
    shop = purse.api.key_with("wallets:write", client="shop")
    assert purse.reverse(made, key="k").status_code == 201
    refused(purse.reverse(made, key="k", token=shop), "already_reversed")


@pytest.mark.parametrize("call", ["top-ups", "bonuses"])
def test_what_was_spent_meanwhile_cannot_be_taken_back(api: Api, call: str) -> None:
    purse = Purse(api, api.user())
    made = entry(purse, call, "50")
    purse.spend("1")
    before = api.rows()
    answer = purse.reverse(made, key="k")
    refused(answer, "insufficient_funds", balance="49", held="0", available="49")
    assert api.rows() == before
    purse.book("bonuses", "1")
    assert purse.reverse(made, key="k").json["balance"] == "0"  # type: ignore[index]


def test_what_is_held_cannot_be_taken_back(purse: Purse) -> None:
    hold = purse.hold("1")
    top_up = f"{purse.user}-1"
    answer = purse.reverse(top_up)
    refused(answer, "insufficient_funds", balance="100", held="1", available="99")
    assert purse.release(hold).status_code == 201
    assert purse.reverse(top_up).status_code == 201


def test_what_is_no_top_up_bonus_or_spend_is_not_reversible(purse: Purse) -> None:
    user = purse.user
    win = purse.api.won(user, "1")["win"]["entry_id"]
    hold = purse.hold("5")
    capture = purse.capture(hold).json["transaction"]["entry_id"]  # type: ignore[index]
    released = purse.hold("5")
    release = purse.release(released).json["transaction"]["entry_id"]  # type: ignore[index]
    spend = purse.spend("1")
    reversal = purse.reverse(spend).json["transaction"]["entry_id"]  # type: ignore[index]
    hour = purse.api.books.next_hour()
    purse.api.books.convert(hour)
    conversion = purse.api.read(f"/users/{user}/wallets/USD/transactions")["transactions"][0]
    assert conversion["kind"] == "conversion"
    before = purse.api.rows()
    for made in (win, hold, capture, released, release, reversal, conversion["entry_id"]):
        refused(purse.reverse(made), "not_reversible")
    assert purse.api.rows() == before


def test_only_entries_of_the_user_are_known(purse: Purse) -> None:
    other = Purse(purse.api, purse.api.user())
    theirs = other.top_up("5")
    own = f"{purse.user}-1"
    for made in (
        theirs,
        f"{purse.user}-2",
        f"{purse.user}-999999",
        f"{purse.user}-0",
        f"{purse.user}-01",
        f"{purse.user}--1",
        f"{purse.user}-",
        f"{purse.user}-1-1",
        f"0{own}",
        f"{own} ",
        f"{purse.user}-{2**63}",
        f"{purse.user}-" + "9" * 40,
        "1",
        "nonsense",
        f"{purse.user}-１",
    ):
        refused(purse.reverse(made), "unknown_entry")
    refused(other.reverse(own), "unknown_entry")
    refused(Purse(purse.api, "999999999999").reverse("999999999999-1"), "unknown_user")
    assert purse.reverse(own).status_code == 201


def test_a_reversal_that_was_refused_leaves_its_key_free(purse: Purse) -> None:
    for made, code in (
        (f"{purse.user}-7", "unknown_entry"),
        (purse.hold("1"), "not_reversible"),
    ):
        refused(purse.reverse(made, key="k"), code)
    assert purse.send("spends", "1", key="k").status_code == 201
