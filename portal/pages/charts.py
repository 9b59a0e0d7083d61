"""Charts as inline SVG: bars of some days, a line of rates. Positions are whole hundredths: no float.

Each stands beside a table of the same figures; `templates/_charts.html` draws it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

WIDTH, HEIGHT = 72_000, 16_000
"""Hundredths; the bars stand on the bottom line."""
DAYS = 100
"""Longer ranges have a bar a week."""
WEEK = 7
GAP = 5
"""A fifth of a bar's place stays free."""
WIDEST = 6_000
"""A bar stays one where there are few."""
EDGE = 400
"""Free on every side of a line, so that its points are whole."""
DECIMALS = 18
"""That a rate may have."""


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
    """Bars, the largest of which is as high as the chart; `step` days each."""

    bars: Sequence[Bar]
    top: int
    step: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Point:
    """A value of a time, and where it stands."""

    at: datetime
    value: Decimal
    x: str
    y: str


@dataclass(frozen=True, slots=True)
class Line:
    """Points from left to right; the lowest and the highest are at the edges of the chart."""

    points: Sequence[Point]
    lowest: Decimal
    highest: Decimal
    first: date
    last: date


def bars(days: Mapping[date, int], first: date, last: date) -> Chart:
    """What each day came to, or each week of a longer range. Days without any have no bar."""
    span = (last - first).days + 1
    step = 1 if span <= DAYS else WEEK
    sums = [0] * -(-span // step)
    for day, amount in days.items():
        sums[(day - first).days // step] += amount
    top = max([*sums, 0])
    place = WIDTH // len(sums)
    made = [
        _bar(first + timedelta(days=n * step), last, step, amount, (n * place, place, top))
        for n, amount in enumerate(sums)
        if amount > 0
    ]
    return Chart(made, top, step, first, last)


def line(values: Mapping[datetime, Decimal], first: datetime, end: datetime) -> Line | None:
    """Values of times from `first` to `end` (exclusive); None where there are none."""
    if not values:
        return None
    lowest, highest = min(values.values()), max(values.values())
    room = int((highest - lowest).scaleb(DECIMALS))
    made = []
    for at, value in sorted(values.items()):
        x = (WIDTH - 2 * EDGE) * (at - first) // (end - first)
        up = int((value - lowest).scaleb(DECIMALS))
        y = (HEIGHT - 2 * EDGE) * up // room if room else HEIGHT // 2 - EDGE
        made.append(Point(at, value, decimal(EDGE + x), decimal(HEIGHT - EDGE - y)))
    return Line(made, lowest, highest, first.date(), (end - timedelta(days=1)).date())


def _bar(first: date, last: date, step: int, amount: int, place: tuple[int, int, int]) -> Bar:
    x, width, top = place
    height = max(HEIGHT * amount // top, 100)
    end = min(first + timedelta(days=step - 1), last)
    wide = min(width - width // GAP, WIDEST)
    figures = (x + (width - wide) // 2, HEIGHT - height, wide, height)
    return Bar(first, end, amount, *(decimal(figure) for figure in figures))


def decimal(hundredths: int) -> str:
    """Hundredths as a decimal: 12.34."""
    return f"{hundredths // 100}.{hundredths % 100:02d}"
