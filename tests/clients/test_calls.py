"""Every call of the client against a live server: what goes in comes out, exactly."""

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from dreamland_client import (
    AlreadyReversed,
    DailyLimitExceeded,
    Dreamland,
    Forbidden,
    HoldNotOpen,
    HourNotNext,
    IdempotencyKeyReused,
    InsufficientFunds,
    InvalidAmount,
    NewWin,
    NotFound,
    OccurredAtOutOfRange,
    PaymentReferenceReused,
    Problem,
    Unauthorized,
    UserExists,
    ValidationFailed,
)
from tests.clients.conftest import Live

pytestmark = pytest.mark.usefixtures("at_noon")

SMALLEST = Decimal("0.000000000000000001")
ANY = {"game": "maze", "reference": "r1"}


def test_a_user_is_made_found_and_changed(client: Dreamland) -> None:
    made = client.create_user(external_id="ida", display_name="Ida", time_zone="Europe/Berlin")
    assert client.create_user(external_id="ida", display_name="Ida", time_zone="Europe/Berlin") == (
        made
    )
    assert made.created_at.utcoffset() == timedelta(0)
    with pytest.raises(UserExists):
        client.create_user(external_id="ida", display_name="Another")
    changed = client.change_user(made.id, display_name="Ida B.", time_zone="Asia/Tokyo")
    assert (changed.user.display_name, changed.user.time_zone) == ("Ida B.", "Europe/Berlin")
    assert changed.time_zone_change is not None
    assert changed.time_zone_change.time_zone == "Asia/Tokyo"
    assert client.user(made.id) == changed
    assert client.change_user(made.id, email="ida@players.example").user.email is not None
    assert client.change_user(made.id, display_name="Ida C.").user.email is not None
    assert client.change_user(made.id, email=None).user.email is None
    with pytest.raises(NotFound) as raised:
        client.user("99999999")
    assert raised.value.code == "unknown_user"


def test_a_win_keeps_every_digit_and_its_key(live: Live, client: Dreamland) -> None:
    user = live.user(client)
    at = live.books.now().astimezone(timezone(timedelta(hours=5, minutes=30)))
    amount = Decimal("1.500000000000000001")
    first = client.book_win(user, amount=amount, occurred_at=at, **ANY)
    assert not first.is_replayed
    assert (first.win.amount, first.win.occurred_at) == (amount, at)
    assert first.today.remaining == 5 - amount
    key = first.idempotency_key
    again = client.book_win(user, amount=amount, occurred_at=at, **ANY, idempotency_key=key)
    assert again.is_replayed
    assert again.win == first.win
    with pytest.raises(IdempotencyKeyReused):
        client.book_win(user, amount="2", occurred_at=at, **ANY, idempotency_key=key)
    with pytest.raises(DailyLimitExceeded) as raised:
        client.book_win(user, amount=4, occurred_at=at, **ANY)
    assert raised.value.remaining == Decimal("3.499999999999999999")
    with pytest.raises(InvalidAmount):
        client.book_win(user, amount=Decimal("1e-19"), occurred_at=at, **ANY)
    with pytest.raises(OccurredAtOutOfRange):
        client.book_win(user, amount="1", occurred_at=at - timedelta(days=3), **ANY)


@pytest.mark.parametrize(
    ("given", "booked"),
    [
        (Decimal("1E-18"), SMALLEST),
        (Decimal("1.50000000000000000000000"), Decimal("1.5")),
        (Decimal("2E+0"), Decimal(2)),
        (2, Decimal(2)),
        ("0.10", Decimal("0.1")),
    ],
)
def test_an_amount_is_booked_as_it_was_meant(
    live: Live, client: Dreamland, given: Any, booked: Decimal
) -> None:
    now = live.books.now()
    assert client.book_win(live.user(client), amount=given, occurred_at=now, **ANY).win.amount == (
        booked
    )


def test_a_batch_tells_what_became_of_each(live: Live, client: Dreamland) -> None:
    user, now = live.user(client), live.books.now()
    amounts = ("1", "4.5", "2")
    wins = [NewWin(user, a, now, "maze", f"r{n}", f"k{n}") for n, a in enumerate(amounts)]
    results = client.book_wins([*wins, wins[0]])
    assert [r.status for r in results] == ["posted", "rejected", "posted", "replayed"]
    assert isinstance(results[1].error, DailyLimitExceeded)
    assert results[1].error.remaining == 4
    assert results[1].idempotency_key == "k1"
    assert results[3].win == results[0].win
    for wrong in ([], wins * 400):
        with pytest.raises(ValueError, match="1 to 1,000"):
            client.book_wins(wrong)


def test_the_wins_of_the_day_come_page_by_page_newest_first(live: Live, client: Dreamland) -> None:
    user, now = live.user(client), live.books.now()
    client.book_wins([NewWin(user, "0.1", now, "maze", "r", f"k{n}") for n in range(23)])
    wins = list(client.wins_today(user, page_size=5))
    assert [win.entry_id for win in wins] == [f"{user}-{n}" for n in range(23, 0, -1)]
    page = client.today(user, limit=5)
    assert page.wins == tuple(wins[:5])
    assert client.today(user, limit=5, cursor=page.next_cursor).wins == tuple(wins[5:10])
    assert (page.total, page.remaining) == (Decimal("2.3"), Decimal("2.7"))
    assert client.stats(user).tokens_today == Decimal("2.3")
    with pytest.raises(Problem, match="invalid_cursor"):
        client.today(user, cursor="forged")


def test_credits_are_topped_up_granted_spent_and_turned_round(
    live: Live, client: Dreamland
) -> None:
    user = live.user(client)
    paid = client.top_up(user, "GOLD_COIN", amount=500, reference=f"pay-{user}", provider="card")
    assert (paid.transaction.kind, paid.balance, paid.available) == ("top_up", 500, 500)
    with pytest.raises(PaymentReferenceReused):
        client.top_up(user, "GOLD_COIN", amount=500, reference=f"pay-{user}", provider="card")
    granted = client.bonus(user, "LOYALTY_POINT", amount="12.34", reference="b", reason="level 7")
    assert granted.transaction.amount == Decimal("12.34")
    spent = client.spend(user, "GOLD_COIN", amount=30, reference="o", description="a red hat")
    assert spent.balance == 470
    with pytest.raises(InsufficientFunds) as raised:
        client.spend(user, "GOLD_COIN", amount=471, reference="o")
    assert raised.value.available == 470
    entry = spent.transaction.entry_id
    back = client.reverse(user, entry, reason="returned", idempotency_key="back")
    assert (back.balance, back.idempotency_key) == (500, "back")
    assert client.reverse(user, entry, reason="returned", idempotency_key="back").is_replayed
    with pytest.raises(AlreadyReversed):
        client.reverse(user, entry, reason="returned")
    lines = list(client.transactions(user, "GOLD_COIN", page_size=2))
    assert [(line.kind, line.amount) for line in lines] == [
        ("reversal", 30),
        ("spend", -30),
        ("top_up", 500),
    ]
    assert client.wallet(user, "GOLD_COIN").balance == 500
    assert client.wallet(user, "GOLD_COIN", at=spent.transaction.booked_at).balance == 470
    balances = {wallet.asset: wallet.balance for wallet in client.wallets(user)}
    assert balances["LOYALTY_POINT"] == Decimal("12.34")
    assert {asset.code for asset in client.assets()} == set(balances)


def test_a_hold_is_captured_in_part_or_released(live: Live, client: Dreamland) -> None:
    user, asset = live.user(client), "DIAMOND"
    client.bonus(user, asset, amount=10, reference="b")
    until = live.books.now().replace(microsecond=0) + timedelta(days=1)
    made = client.hold(user, asset, amount=6, reference="h", expires_at=until)
    assert made.hold is not None
    assert (made.balance, made.held, made.available) == (10, 6, 4)
    assert (made.hold.state, made.hold.expires_at) == ("open", until)
    taken = client.capture(user, asset, made.hold.hold_id, amount=5, reference="c")
    assert taken.hold is not None
    assert (taken.hold.state, taken.hold.captured, taken.balance) == ("captured", 5, 5)
    with pytest.raises(HoldNotOpen):
        client.release(user, asset, made.hold.hold_id)
    other = client.hold(user, asset, amount=5, reference="h2").hold
    assert other is not None
    freed = client.release(user, asset, other.hold_id, reason="cancelled")
    assert (freed.held, freed.available) == (0, 5)
    holds = list(client.holds(user, asset, page_size=1))
    assert [hold.state for hold in holds] == ["released", "captured"]
    assert client.get_hold(user, asset, other.hold_id) == holds[0]


def test_conversions_and_the_usd_they_brought_are_read(live: Live, client: Dreamland) -> None:
    user = live.user(client)
    assert client.usd_history(user).total == 0
    assert list(client.usd_days(user, first=date(2026, 1, 1), last=date(2026, 1, 2))) == []
    assert list(client.conversions()) == []
    with pytest.raises(HourNotNext):
        client.convert(datetime(2030, 1, 1, tzinfo=UTC))
    with pytest.raises(ValidationFailed) as raised:
        client.convert(datetime(2026, 1, 1, 10, 30, tzinfo=UTC))
    assert raised.value.param == "hour"


def test_it_tells_whether_the_server_is_ready(live: Live, client: Dreamland) -> None:
    assert client.is_ready()
    with Dreamland("http://127.0.0.1:9", live.key) as nobody:
        assert not nobody.is_ready()


def test_a_wrong_key_is_told_at_once(live: Live) -> None:
    with Dreamland(live.base, "dream_wrong") as stranger, pytest.raises(Unauthorized):
        stranger.assets()


def test_every_kind_of_refusal_that_has_an_exception_of_its_own_is_one_that_the_server_sends() -> (
    None
):
    from dreamland_client.errors import BY_CODE  # noqa: PLC0415 - no part of its face
    from portal.api.problems import CODES  # noqa: PLC0415

    assert set(BY_CODE) - {"rate_limited"} <= set(CODES)
    assert BY_CODE["forbidden"] is Forbidden


def test_no_answer_can_be_changed(live: Live, client: Dreamland) -> None:
    stats = client.stats(live.user(client))
    for each in fields(stats):
        with pytest.raises(AttributeError):
            setattr(stats, each.name, None)
