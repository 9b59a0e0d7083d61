"""Charts: bars as high as their days, a line through its rates."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from portal.pages import charts


def test_bars_are_as_high_as_their_days() -> None:
    first = date(2027, 1, 1)
    days = {first: 50, first + timedelta(days=9): 200}
    chart = charts.bars(days, first, first + timedelta(days=9))
    assert (chart.top, chart.step) == (200, 1)
    low, high = chart.bars
    assert (low.x, low.y, low.width, low.height) == ("7.20", "120.00", "57.60", "40.00")
    assert (high.y, high.height) == ("0.00", "160.00")


def test_a_long_range_has_a_bar_a_week() -> None:
    first, last = date(2027, 1, 1), date(2027, 12, 31)
    days = {first + timedelta(days=n): 10**18 for n in range(365)}
    chart = charts.bars(days, first, last)
    assert len(chart.bars) == 53
    assert chart.bars[0].amount == chart.top == 7 * 10**18
    assert (chart.bars[-1].first, chart.bars[-1].last, chart.bars[-1].amount) == (
        last,
        last,
        10**18,
    )


def test_a_line_runs_from_its_lowest_to_its_highest() -> None:
    first = datetime(2027, 1, 1, tzinfo=UTC)
    hours = {0: "0.10", 12: "0.20", 23: "0.15"}
    values = {first + timedelta(hours=n): Decimal(rate) for n, rate in hours.items()}
    line = charts.line(values, first, first + timedelta(days=1))
    assert line
    assert [point.y for point in line.points] == ["156.00", "4.00", "80.00"]
    assert [point.x for point in line.points] == ["4.00", "360.00", "686.33"]
    assert (line.lowest, line.highest) == (Decimal("0.10"), Decimal("0.20"))
    assert (line.first, line.last) == (date(2027, 1, 1), date(2027, 1, 1))


def test_a_rate_that_never_moves_is_a_line_in_the_middle() -> None:
    first = datetime(2027, 1, 1, tzinfo=UTC)
    line = charts.line({first: Decimal("0.15")}, first, first + timedelta(days=7))
    assert line
    assert [(point.x, point.y) for point in line.points] == [("4.00", "80.00")]


def test_without_a_rate_there_is_no_line() -> None:
    first = datetime(2027, 1, 1, tzinfo=UTC)
    assert charts.line({}, first, first + timedelta(days=7)) is None
