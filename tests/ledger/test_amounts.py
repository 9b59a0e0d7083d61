"""Amounts: a decimal string outside, an `int` of base units inside, exact from 1 to 2^256-1."""

from fractions import Fraction
from random import Random

import pytest

from portal.ledger import amounts
from portal.ledger.amounts import MAX_AMOUNT, MAX_TEXT, parse, text
from portal.ledger.errors import InvalidAmount

SCALES = (0, 2, 18)
EDGES = (1, 9, 10, 99, 100, 10**17, 10**18 - 1, 10**18, 10**18 + 1, 2**63, 2**128, MAX_AMOUNT)


def some_amounts(seed: int) -> list[int]:
    """The edges, and amounts of every length."""
    rng = Random(seed)
    return [*EDGES, *(rng.randrange(1, 2 ** rng.randrange(1, 257)) for _ in range(500))]


@pytest.mark.parametrize("scale", SCALES)
def test_every_amount_comes_back_from_its_text(scale: int) -> None:
    for units in some_amounts(scale):
        assert parse(text(units, scale), scale) == units


@pytest.mark.parametrize("scale", SCALES)
def test_the_text_is_the_exact_value_without_trailing_zeros(scale: int) -> None:
    for units in some_amounts(scale + 100):
        written = text(units, scale)
        assert Fraction(written) * 10**scale == units
        assert amounts.CANONICAL.fullmatch(written)
        assert "." not in written or written[-1] not in "0."


@pytest.mark.parametrize("scale", [2, 18])
def test_trailing_zeros_within_the_scale_change_nothing(scale: int) -> None:
    assert parse("1." + "0" * scale, scale) == parse("1", scale) == 10**scale
    assert parse("0." + "0" * (scale - 1) + "1", scale) == 1


def test_a_negative_amount_is_written_with_a_minus() -> None:
    assert text(-1, 18) == "-0.000000000000000001"
    assert text(-150, 2) == "-1.5"
    assert text(-7, 0) == "-7"
    assert text(0, 18) == text(0, 0) == "0"


BAD = [
    *(
        "",
        " ",
        "0",
        "0.0",
        "00",
        "01",
        "00.1",
        "-1",
        "+1",
        "1.",
        ".1",
        "1..2",
        "1.2.3",
        "-0",
        "1e3",
    ),
    *("1E3", "0x10", "1_000", "1,000", "1 000", " 1", "1 ", "1\n", "\n1", "1\x00", "\t1", "1.5\n"),
    *("NaN", "nan", "Infinity", "-Infinity", "inf", "null", "None", "true", "one", "$1", "1$", "½"),
    *(
        "\u0661",
        "1\u0662",
        "\uff11",
        "1.\u0665",
        "\u00b2",
        "1\u066b5",
        "\U0001d7cf",
        "\ud800",
        "1\u200b",
    ),
    *("1" * 121, "0." + "1" * 119, "1" + "0" * 78, "9" * 79, "1." + "0" * 200, "1" * 10_000),
]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: repr(bad[:12]))
def test_anything_but_a_canonical_decimal_above_zero_is_refused(bad: str, scale: int) -> None:
    with pytest.raises(InvalidAmount):
        parse(bad, scale)


@pytest.mark.parametrize("bad", [1, 0, 1.5, True, None, b"1", ["1"], {"amount": "1"}, 10**30])
def test_anything_but_a_string_is_refused(bad: object) -> None:
    with pytest.raises(InvalidAmount):
        parse(bad, 18)


@pytest.mark.parametrize("scale", SCALES)
def test_one_decimal_more_than_the_scale_is_refused_even_if_it_is_zero(scale: int) -> None:
    with pytest.raises(InvalidAmount, match=f"more than {scale} decimals"):
        parse("1." + "0" * (scale + 1), scale)


@pytest.mark.parametrize("scale", SCALES)
def test_the_largest_amount_passes_and_one_base_unit_more_does_not(scale: int) -> None:
    assert parse(text(MAX_AMOUNT, scale), scale) == 2**256 - 1
    with pytest.raises(InvalidAmount, match="at most"):
        parse(text(MAX_AMOUNT + 1, scale), scale)


def test_no_canonical_amount_is_longer_than_what_is_parsed_at_all() -> None:
    assert max(len(text(MAX_AMOUNT, scale)) for scale in range(31)) < MAX_TEXT
