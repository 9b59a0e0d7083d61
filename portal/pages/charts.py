"""Bars of some days as inline SVG. Positions are whole hundredths, written as decimals: no float."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from portal.ledger.reports import UsdDay

WIDTH, HEIGHT = 72_000, 16_000
"""Hundredths; the bars stand on the bottom line."""
DAYS = 100
"""Longer ranges have a bar a week."""
WEEK = 7
GAP = 5
"""A fifth of a bar's place stays free."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The days `first` to `last`, what they came to, and where it stands."""

    first: date
    last: date
    amount: int
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, the largest of which is as high as the chart."""

    bars: Sequence[Bar]
    top: int
    step: int


def bars(days: Sequence[UsdDay], first: date, last: date) -> Chart:
    """The USD of each day, or each week of a longer range. Days without any have no bar."""
    span = (last - first).days + 1
    step = 1 if span <= DAYS else WEEK
    sums = [0] * -(-span // step)
    for day in days:
        sums[(day.day - first).days // step] += day.amount
    top = max([*sums, 0])
    place = WIDTH // len(sums)
    made = [
        _bar(first + timedelta(days=n * step), last, step, amount, (n * place, place, top))
        for n, amount in enumerate(sums)
        if amount > 0
    ]
    return Chart(made, top, step)


def _bar(first: date, last: date, step: int, amount: int, place: tuple[int, int, int]) -> Bar:
    x, width, top = place
    height = max(HEIGHT * amount // top, 100)
    end = min(first + timedelta(days=step - 1), last)
    gap = width // GAP
    figures = (x + gap // 2, HEIGHT - height, width - gap, height)
    return Bar(first, end, amount, *(decimal(figure) for figure in figures))


def decimal(hundredths: int) -> str:
    """Hundredths as a decimal: 12.34."""
    return f"{hundredths // 100}.{hundredths % 100:02d}"
