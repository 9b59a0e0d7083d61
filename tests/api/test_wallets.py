"""Wallets over HTTP: balances now and before, transactions, USD by day, assets."""

import re
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest

from portal import ledger
from tests.api.conftest import Api
from tests.factories import convert_due, start_of_hour

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def rich(api: Api) -> str:
    """A user with tokens, USD and credits, in a zone that is not UTC."""
    user = api.user("Asia/Kolkata")
    owner = int(user)
    for _ in range(3):
        api.won(user, "1.5")
        api.won(user, "0.000000000000000001")
        end_hour(api)
    api.books.top_up(owner, "GOLD_COIN", "500")
    api.books.spend(owner, "GOLD_COIN", "120")
    api.books.bonus(owner, "LOYALTY_POINT", "12.5")
    api.won(user, "0.25")
    return user


def end_hour(api: Api) -> None:
    """Let the hour end and convert it."""
    api.books.next_hour()
    with api.app.app_context():
        convert_due()


def test_the_assets_are_those_of_the_chart(api: Api) -> None:
    assert api.read("/assets")["assets"] == [
        {"code": "DREAM", "name": "Dream token", "scale": 18, "kind": "token"},
        {"code": "USD", "name": "US dollar", "scale": 18, "kind": "currency"},
        {"code": "GOLD_COIN", "name": "Gold Coins", "scale": 0, "kind": "credit"},
        {"code": "DIAMOND", "name": "Diamonds", "scale": 0, "kind": "credit"},
        {"code": "LOYALTY_POINT", "name": "Loyalty Points", "scale": 2, "kind": "credit"},
    ]


def test_all_wallets_are_listed_used_or_not(api: Api, rich: str) -> None:
    wallets = api.read(f"/users/{rich}/wallets")["wallets"]
    assert all(list(each) == ["asset", "balance", "held", "available"] for each in wallets)
    assert all((each["held"], each["available"]) == ("0", each["balance"]) for each in wallets)
    held = {each["asset"]: each["balance"] for each in wallets}
    assert held == {
        "DREAM": "0.25",
        "USD": "0.675",
        "GOLD_COIN": "380",
        "DIAMOND": "0",
        "LOYALTY_POINT": "12.5",
    }
    assert {w["balance"] for w in api.read(f"/users/{api.user()}/wallets")["wallets"]} == {"0"}
    for asset, balance in held.items():
        wallet = api.read(f"/users/{rich}/wallets/{asset}")
        assert (wallet["asset"], wallet["balance"]) == (asset, balance)
        assert abs(datetime.fromisoformat(wallet["at"]) - api.now()) < timedelta(seconds=5)


def test_a_balance_at_a_time_is_what_was_booked_until_then(api: Api, rich: str) -> None:
    for asset in ("DREAM", "USD", "GOLD_COIN"):
        rows = api.read(f"/users/{rich}/wallets/{asset}/transactions")["transactions"]
        for newer, row in zip([None, *rows], rows, strict=False):
            if newer and newer["booked_at"] == row["booked_at"]:
                continue  # two of one instant: the last of them counts
            at = row["booked_at"]
            assert api.read(f"/users/{rich}/wallets/{asset}?at={at}") == {
                "asset": asset,
                "at": at,
                "balance": row["balance_after"],
                "held": "0",
                "available": row["balance_after"],
            }
        first = datetime.fromisoformat(rows[-1]["booked_at"]) - timedelta(microseconds=1)
        answer = api.read(f"/users/{rich}/wallets/{asset}?at={quote(first.isoformat())}")
        assert answer["balance"] == "0"


@pytest.mark.parametrize(
    ("at", "balance"), [("0001-01-01T00:00:00Z", "0"), ("9999-12-31T23:59:59Z", "380")]
)
def test_a_balance_can_be_asked_for_at_any_time_that_exists(
    api: Api, rich: str, at: str, balance: str
) -> None:
    assert api.read(f"/users/{rich}/wallets/GOLD_COIN?at={at}")["balance"] == balance


def test_transactions_are_newest_first_and_lead_to_each_other(api: Api, rich: str) -> None:
    for asset, count in (
        ("DREAM", 10),
        ("USD", 3),
        ("GOLD_COIN", 2),
        ("LOYALTY_POINT", 1),
        ("DIAMOND", 0),
    ):
        path = f"/users/{rich}/wallets/{asset}/transactions"
        rows = api.read(path)["transactions"]
        assert len(rows) == count
        seqs = [int(row["entry_id"].removeprefix(f"{rich}-")) for row in rows]
        assert seqs == sorted(seqs, reverse=True)
        for size in (1, 2, 3, 9, 10, 11, 200):
            assert api.pages(path, "transactions", size) == rows


def test_a_transaction_is_answered_as_promised(api: Api, rich: str) -> None:
    row = api.read(f"/users/{rich}/wallets/GOLD_COIN/transactions")["transactions"][0]
    assert list(row) == [
        *("entry_id", "kind", "amount", "held_change", "balance_after"),
        *("occurred_at", "booked_at", "reference"),
    ]
    assert (row["kind"], row["amount"], row["balance_after"]) == ("spend", "-120", "380")
    assert row["occurred_at"] == row["booked_at"]
    conversion = api.read(f"/users/{rich}/wallets/USD/transactions")["transactions"][0]
    assert conversion["kind"] == "conversion"
    assert re.search(r":59:59\.999999Z$", conversion["occurred_at"])


def test_a_conversion_is_one_entry_in_both_wallets(api: Api, rich: str) -> None:
    out = api.read(f"/users/{rich}/wallets/DREAM/transactions")["transactions"]
    into = api.read(f"/users/{rich}/wallets/USD/transactions")["transactions"]
    converted = {row["entry_id"]: row["amount"] for row in out if row["kind"] == "conversion"}
    assert set(converted) == {row["entry_id"] for row in into}
    assert set(converted.values()) == {"-1.500000000000000001"}
    assert {row["amount"] for row in into} == {"0.225"}
    assert {row["held_change"] for row in out + into} == {"0"}


def test_a_cursor_fits_its_own_list_and_user_only(api: Api, rich: str) -> None:
    other = api.user()
    cursors = {}
    for tail in (
        "wallets/DREAM/transactions",
        "wallets/USD/transactions",
        "wallets/GOLD_COIN/transactions",
    ):
        cursors[tail] = api.read(f"/users/{rich}/{tail}?limit=1")["next_cursor"]
    cursors["tokens/today"] = api.read(f"/users/{rich}/tokens/today?limit=1")["next_cursor"]
    paths = [*cursors, "usd/history"]
    for made_for, cursor in cursors.items():
        assert cursor
        for user, path in [(rich, path) for path in paths] + [(other, made_for)]:
            answer = api.get(f"/users/{user}/{path}?cursor={cursor}")
            if (user, path) == (rich, made_for):
                assert answer.status_code == 200
            else:
                assert (answer.status_code, answer.json["code"]) == (422, "invalid_cursor")


def test_a_changed_cursor_is_refused(api: Api, rich: str) -> None:
    path = f"/users/{rich}/wallets/DREAM/transactions"
    cursor = api.read(f"{path}?limit=1")["next_cursor"]
    for place in range(0, len(cursor), 7):
        forged = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        assert api.get(f"{path}?cursor={forged}").json["code"] == "invalid_cursor"


# --- USD by day


def test_usd_of_today_is_not_history_yet_and_of_yesterday_is(api: Api) -> None:
    user = api.user("UTC")
    api.won(user, "1")
    end_hour(api)
    today = str(api.now().date())
    assert api.read(f"/users/{user}/usd/history")["days"] == []
    api.books.set_clock((api.now() + timedelta(days=1)).replace(hour=1, minute=0))
    assert api.read(f"/users/{user}/usd/history") == {
        "asset": "USD",
        "days": [{"day": today, "tokens": "1", "amount": "0.15", "conversions": 1}],
        "total": "0.15",
        "next_cursor": None,
    }


def test_the_usd_of_an_hour_belongs_to_the_local_day_of_its_last_microsecond(api: Api) -> None:
    """In Kolkata a day ends at 18:30 UTC: the hour from 18 to 19 is of the next day, won before or not."""
    user = api.user("Asia/Kolkata")
    at = (api.now() + timedelta(days=1)).replace(hour=18, minute=10, second=0, microsecond=0)
    api.books.set_clock(at)
    won = api.won(user, "1")["win"]
    end_hour(api)
    api.books.set_clock(at + timedelta(days=2))
    history = api.read(f"/users/{user}/usd/history")["days"]
    assert [day["day"] for day in history] == [str(at.date() + timedelta(1))]
    assert won["day"] == str(at.date())


def test_history_pages_and_ranges_sum_up(api: Api) -> None:
    user = api.user("UTC")
    first = (api.now() + timedelta(days=1)).replace(hour=5, minute=10)
    amounts = ["1", "2", "3"]
    for n, amount in enumerate(amounts):
        api.books.set_clock(first + timedelta(days=n))
        api.won(user, amount)
        with api.app.app_context():
            api.books.next_hour()
            convert_due()
    api.books.set_clock(first + timedelta(days=len(amounts)))
    path = f"/users/{user}/usd/history"
    whole = api.read(path)
    assert [day["tokens"] for day in whole["days"]] == amounts[::-1]
    assert whole["total"] == "0.9"
    for size in (1, 2, 3, 4):
        assert api.pages(path, "days", size) == whole["days"]
    days = [day["day"] for day in whole["days"]]
    part = api.read(f"{path}?from={days[2]}&to={days[1]}&limit=1")
    assert (part["days"][0]["day"], part["total"]) == (days[1], "0.45")
    assert len(api.pages(f"{path}?from={days[2]}&to={days[1]}", "days", 1)) == 2
    one = api.read(f"{path}?from={days[1]}&to={days[1]}")
    assert ([day["day"] for day in one["days"]], one["total"]) == ([days[1]], "0.3")
    for empty in ("from=2999-01-01", "to=1999-01-01", "from=0001-01-01&to=0001-01-02"):
        assert api.read(f"{path}?{empty}") | {"asset": ""} == {
            "asset": "",
            "days": [],
            "total": "0",
            "next_cursor": None,
        }
    assert api.read(f"{path}?from=0001-01-01&to=9999-12-31")["total"] == "0.9"


def test_todays_wins_say_whether_they_were_converted(api: Api) -> None:
    api.books.set_clock((api.now() + timedelta(days=1)).replace(hour=3))
    user = api.user("UTC")
    api.won(user, "1")
    end_hour(api)
    api.won(user, "2")
    api.won(
        user, "0.5", start_of_hour(api.now()) - timedelta(minutes=1)
    )  # late, booked in this hour
    wins = api.read(f"/users/{user}/tokens/today")["wins"]
    assert [(win["amount"], win["converted"]) for win in wins] == [
        ("0.5", False),
        ("2", False),
        ("1", True),
    ]
    end_hour(api)
    assert {win["converted"] for win in api.read(f"/users/{user}/tokens/today")["wins"]} == {True}


def test_assets_are_read_by_anyone_who_may_read(api: Api) -> None:
    with api.books.engine.connect() as connection:
        assert list(ledger.assets(connection)) == [a["code"] for a in api.read("/assets")["assets"]]
