"""Top-ups, bonuses and spends over HTTP: answered as promised, booked once, never below zero."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from portal.services import assets
from tests.api.conftest import Api
from tests.api.purse import Purse, figures, refused, replayed

MAX = 2**256 - 1
ANSWER = ["transaction", "balance", "held", "available"]
TRANSACTION = ["entry_id", "kind", "asset", "amount", "booked_at", "reference"]


@pytest.fixture
def purse(api: Api) -> Purse:
    """An empty wallet of Gold Coins."""
    return Purse(api, api.user())


@pytest.fixture
def points(purse: Purse) -> Purse:
    """The same user's Loyalty Points, which have two decimals."""
    return Purse(purse.api, purse.user, "LOYALTY_POINT")


def test_a_user_who_earns_100_points_and_spends_30_has_70_and_sees_both(points: Purse) -> None:
    earned = points.book("bonuses", "100", reference="level 9")
    spent = points.book("spends", "30", reference="a hat")
    assert (earned["balance"], spent["balance"]) == ("100", "70")
    assert points.now() == ("70", "0", "70")
    said = [(t["kind"], t["amount"], t["balance_after"], t["reference"]) for t in points.lines()]
    assert said == [("spend", "-30", "70", "a hat"), ("bonus", "100", "100", "level 9")]


@pytest.mark.parametrize(
    ("call", "kind", "balance"),
    [("top-ups", "top_up", "1012"), ("bonuses", "bonus", "1012"), ("spends", "spend", "988")],
)
def test_a_movement_is_answered_as_promised(
    purse: Purse, call: str, kind: str, balance: str
) -> None:
    purse.top_up("1000")
    purse.hold("5")
    answer = purse.send(call, "12", reference="r 7", description="a dozen")
    assert answer.status_code == 201
    assert answer.content_type == "application/json"
    assert "Idempotent-Replayed" not in answer.headers
    assert answer.json
    assert list(answer.json) == ANSWER
    assert figures(answer.json) == (balance, "5", str(int(balance) - 5))
    made = answer.json["transaction"]
    assert list(made) == TRANSACTION
    assert made["entry_id"] == f"{purse.user}-3"
    assert (made["kind"], made["asset"], made["amount"]) == (kind, "GOLD_COIN", "12")
    assert made["reference"] == "r 7"
    assert made["booked_at"].endswith("Z")
    at = datetime.fromisoformat(made["booked_at"])
    assert abs(at - purse.api.now()) < timedelta(seconds=5)
    assert purse.lines()[0]["entry_id"] == made["entry_id"]


@pytest.mark.parametrize("asset", ["GOLD_COIN", "DIAMOND", "LOYALTY_POINT"])
def test_every_credit_has_a_wallet_of_its_own(api: Api, asset: str) -> None:
    user = api.user()
    Purse(api, user, asset).top_up("7")
    wallets = {w["asset"]: figures(w) for w in api.read(f"/users/{user}/wallets")["wallets"]}
    assert wallets.pop(asset) == ("7", "0", "7")
    assert set(wallets.values()) == {("0", "0", "0")}


def test_an_asset_that_was_added_today_is_moved_like_the_others(api: Api) -> None:
    with api.app.app_context():
        assert assets.add("RUBY", "Rubies", 3)
    purse = Purse(api, api.user(), "RUBY")
    purse.top_up("1.005")
    purse.hold("0.005")
    assert purse.now() == ("1.005", "0.005", "1")
    refused(purse.send("spends", "0.0001"), "invalid_amount")


@pytest.mark.parametrize(
    ("amount", "told"), [("1.0", "1"), ("1.00", "1"), ("0.01", "0.01"), ("10.50", "10.5")]
)
def test_decimals_are_those_of_the_asset_and_zeros_at_the_end_are_not_told(
    points: Purse, amount: str, told: str
) -> None:
    answer = points.book("bonuses", amount)
    assert (answer["transaction"]["amount"], answer["balance"]) == (told, told)
    assert points.book("spends", amount)["balance"] == "0"


def test_amounts_of_every_size_are_exact(purse: Purse) -> None:
    purse.top_up(str(MAX))
    purse.book("bonuses", str(MAX))
    assert purse.now() == (str(2 * MAX), "0", str(2 * MAX))
    hold = purse.hold(str(MAX))
    assert purse.book("spends", str(MAX - 1))["available"] == "1"
    assert purse.capture(hold, str(MAX - 3)).status_code == 201
    assert purse.now() == ("4", "0", "4")
    refused(purse.send("spends", "5"), "insufficient_funds", balance="4", available="4")
    refused(purse.send("top-ups", str(MAX + 1)), "invalid_amount")


def test_the_greatest_amount_of_an_asset_with_decimals(points: Purse) -> None:
    digits = str(MAX)
    amount = f"{digits[:-2]}.{digits[-2:]}"
    assert points.book("top-ups", amount)["balance"] == amount
    assert points.lines()[0]["amount"] == amount
    refused(points.send("bonuses", str(MAX)), "invalid_amount")


# --- Keys


@pytest.mark.parametrize(
    ("call", "then", "now"),
    [("top-ups", "60", "1060"), ("bonuses", "60", "1060"), ("spends", "40", "1040")],
)
def test_the_same_request_again_is_the_same_transaction_beside_the_wallet_of_now(
    purse: Purse, call: str, then: str, now: str
) -> None:
    purse.top_up("50")
    said = {"amount": "10", "key": "k", "reference": purse.api.new_key()}
    first = purse.send(call, **said)
    assert figures(first.json) == (then, "0", then)
    purse.book("bonuses", "1000")
    purse.hold("3")
    before = purse.api.rows()
    again = purse.send(call, **said)
    replayed(first, again)
    assert figures(again.json) == (now, "3", str(int(now) - 3))
    assert purse.api.rows() == before


@pytest.mark.parametrize("call", ["top-ups", "bonuses", "spends"])
def test_a_request_is_the_same_however_its_amount_is_written(points: Purse, call: str) -> None:
    points.book("bonuses", "9")
    said = {"key": "k", "reference": points.api.new_key()}
    first = points.send(call, "1", **said)
    for amount in ("1.0", "1.00"):
        replayed(first, points.send(call, amount, **said))
    refused(points.send(call, "1.01", **said), "idempotency_key_reused")


def test_what_is_left_out_is_what_stands_there_when_nothing_is_said(purse: Purse) -> None:
    first = purse.send("top-ups", "1", key="k", reference=(paid := purse.api.new_key()))
    for more in ({"provider": "default"}, {"provider": None}, {"description": None}):
        replayed(first, purse.send("top-ups", "1", key="k", reference=paid, **more))
    for more in ({"provider": "another"}, {"description": ""}):
        refused(
            purse.send("top-ups", "1", key="k", reference=paid, **more), "idempotency_key_reused"
        )
    bonus = purse.send("bonuses", "1", key="b", reference="r")
    replayed(bonus, purse.send("bonuses", "1", key="b", reference="r", reason=None))


CHANGES: list[tuple[str, dict[str, Any]]] = [
    *((call, {"amount": "2"}) for call in ("top-ups", "bonuses", "spends")),
    *((call, {"reference": "r2"}) for call in ("top-ups", "bonuses", "spends")),
    *((call, {"description": "other"}) for call in ("top-ups", "bonuses", "spends")),
    ("top-ups", {"provider": "other"}),
    ("bonuses", {"reason": "other"}),
]


@pytest.mark.parametrize(
    ("call", "change"), CHANGES, ids=[f"{call} {next(iter(change))}" for call, change in CHANGES]
)
def test_a_key_with_another_request_is_refused(
    purse: Purse, call: str, change: dict[str, Any]
) -> None:
    purse.book("bonuses", "9")
    said = {"amount": "1", "key": "k", "reference": purse.api.new_key()}
    assert purse.send(call, **said).status_code == 201
    before = purse.api.rows()
    refused(purse.send(call, **said | change), "idempotency_key_reused")
    assert purse.api.rows() == before


def test_a_key_is_one_for_all_kinds_and_assets_of_a_user(purse: Purse, points: Purse) -> None:
    said = {"amount": "1", "key": "k", "reference": purse.api.new_key()}
    assert purse.send("top-ups", **said).status_code == 201
    before = purse.api.rows()
    for call in ("bonuses", "spends", "holds"):
        refused(purse.send(call, **said), "idempotency_key_reused")
    for call in ("top-ups", "bonuses"):
        refused(points.send(call, **said), "idempotency_key_reused")
    win = purse.api.post(f"/users/{purse.user}/wins", purse.api.win(), key="k")
    refused(win, "idempotency_key_reused")
    assert purse.api.rows() == before


def test_the_keys_of_two_users_and_of_two_clients_are_apart(purse: Purse) -> None:
    other = purse.api.key_with("wallets:write", client="shop")
    said = {"amount": "1", "key": "k", "reference": "r"}
    assert purse.send("bonuses", **said).status_code == 201
    assert purse.send("bonuses", **said, token=other).status_code == 201
    assert Purse(purse.api, purse.api.user()).send("bonuses", **said).status_code == 201
    assert purse.now()[0] == "2"


def test_a_retry_a_month_later_still_finds_its_transaction(purse: Purse) -> None:
    first = purse.send("top-ups", "5", key="k", reference="month-old")
    purse.api.books.set_clock(purse.api.now() + timedelta(days=31))
    replayed(first, purse.send("top-ups", "5", key="k", reference="month-old"))


# --- Funds


def test_a_spend_above_what_is_available_tells_what_there_is(points: Purse) -> None:
    points.book("bonuses", "10.5")
    points.hold("4")
    before = points.api.rows()
    refused(
        points.send("spends", "6.51"),
        "insufficient_funds",
        balance="10.5",
        held="4",
        available="6.5",
    )
    assert points.api.rows() == before
    assert points.book("spends", "6.5")["available"] == "0"


def test_a_spend_that_was_refused_leaves_its_key_free(purse: Purse) -> None:
    said = {"amount": "5", "key": "k", "reference": "r"}
    refused(purse.send("spends", **said), "insufficient_funds", balance="0")
    purse.top_up("5")
    first = purse.send("spends", **said)
    replayed(first, purse.send("spends", **said))
    assert purse.now() == ("0", "0", "0")


def test_the_key_of_a_spend_that_was_refused_may_be_anothers(purse: Purse) -> None:
    refused(purse.send("spends", "5", key="k"), "insufficient_funds")
    assert purse.send("bonuses", "1", key="k").status_code == 201


def test_a_user_spends_nothing_of_another_user_or_asset(purse: Purse, points: Purse) -> None:
    Purse(purse.api, purse.api.user()).top_up("100")
    points.book("bonuses", "100")
    refused(purse.send("spends", "1"), "insufficient_funds", balance="0", held="0", available="0")
