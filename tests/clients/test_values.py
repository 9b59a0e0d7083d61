"""Amounts and times: exact both ways, whatever Decimal's context and however large they are."""

import decimal
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamland_client import BadAnswer, Stats, exact_sum
from dreamland_client.reading import read
from dreamland_client.values import amount_text, time_of, time_text

LARGEST = Decimal(2**256 - 1)
STATS: dict[str, Any] = {
    "as_of": "2026-03-02T10:00:00.5Z",
    "day": "2026-03-02",
    "time_zone": "UTC",
    "tokens_today": "1.000000000000000001",
    "limit": "5",
    "remaining": "3.999999999999999999",
    "usd_balance": "0",
}


@given(st.integers(1, 2**256 - 1), st.integers(0, 18))
def test_every_amount_there_is_goes_out_and_comes_back(units: int, scale: int) -> None:
    with decimal.localcontext(prec=200):
        amount = Decimal(units).scaleb(-scale)
    text = amount_text(amount)
    assert Decimal(text) == amount
    assert not set(text) - set("0123456789.")
    assert amount_text(text) == text


def test_a_sum_keeps_every_digit_where_pythons_own_rounds() -> None:
    amounts = [LARGEST, Decimal("0.000000000000000001")]
    assert str(exact_sum(amounts)).startswith(str(LARGEST) + ".000000000000000001")
    assert sum(amounts, Decimal(0)) != exact_sum(amounts)


@pytest.mark.parametrize(
    "wrong", [Decimal("NaN"), Decimal("Infinity"), Decimal("1E+1000000"), Decimal("-0"), "٣", "1\n"]
)
def test_what_is_no_amount_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="an amount is"):
        amount_text(wrong)


def test_a_time_goes_out_in_utc_and_comes_back() -> None:
    at = datetime(2026, 3, 2, 10, 30, 1, 5, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    assert time_text(at) == "2026-03-02T04:45:01.000005Z"
    assert time_of(time_text(at)) == at
    assert time_of("2026-03-02T04:45:01Z") == datetime(2026, 3, 2, 4, 45, 1, tzinfo=UTC)


def test_an_answer_is_read_exactly_and_unknown_fields_are_passed_over() -> None:
    stats = read(Stats, STATS | {"of tomorrow": {}})
    assert stats.tokens_today == Decimal("1.000000000000000001")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("limit", 5),
        ("limit", 5.0),
        ("limit", "5e0"),
        ("limit", "NaN"),
        ("limit", None),
        ("day", "2026-3-2"),
        ("day", 1),
        ("as_of", "2026-03-02T10:00:00"),
        ("as_of", "now"),
        ("time_zone", None),
    ],
)
def test_an_answer_of_another_shape_is_refused_by_the_fields_name(name: str, wrong: Any) -> None:
    with pytest.raises(BadAnswer, match=f"Stats.{name}"):
        read(Stats, STATS | {name: wrong})
    without = {key: value for key, value in STATS.items() if key != name}
    with pytest.raises(BadAnswer, match=f"Stats.{name} is missing"):
        read(Stats, without)
