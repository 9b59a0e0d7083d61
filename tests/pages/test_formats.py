"""How values are written: in a column points stand below each other, and long figures can be broken."""

import pytest

from portal.pages import formats


@pytest.mark.parametrize(
    ("units", "scale", "filling"),
    [
        (3_766 * 10**15, 18, "000000000000000"),
        (10**18 + 1, 18, ""),
        (0, 18, ""),
        (-5 * 10**17, 18, "0000000000000000"),
        (7, 0, ""),
        (12_550, 2, ""),
    ],
)
def test_a_figure_is_filled_up_to_the_decimals_of_its_asset(
    units: int, scale: int, filling: str
) -> None:
    assert formats.filling(units, scale, scale) == filling


def test_a_column_has_the_decimals_of_its_longest_figure() -> None:
    assert formats.decimals([3_766 * 10**15, 10**18, 0], 18) == 3
    assert formats.decimals([(0, 10**18), (5 * 10**13, 0)], 18) == 5
    assert formats.decimals([], 18) == 0
    assert formats.filling(10**18, 18, 3) == "0"


def test_an_amount_of_78_digits_may_go_on_in_the_next_line() -> None:
    text = formats.amount(2**255, 0)
    assert "data-long" in text
    assert text.count("<wbr>") == 25
    assert text.replace("<wbr>", "").count(f"{2**255:,}") == 1


@pytest.mark.parametrize(
    ("units", "fill"), [(10**18, ' data-fill="0000…"'), (10**18 + 1, ""), (0, "")]
)
def test_an_amount_that_is_not_cut_is_filled_up_to_where_others_are(units: int, fill: str) -> None:
    text = formats.amount(units, 18)
    assert ("data-fill" in text) == bool(fill)
    assert fill in text
