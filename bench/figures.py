"""What a bench prints: one line of JSON a figure."""

import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `ratio` is value by reference; `checked` is what was counted afterwards.

    `others` is the part of the machine that other programs had meanwhile. `wrong` names the checks
    that failed: a quick bench that loses a win is no result.
    """

    bench: str
    value: float
    unit: str
    reference: float | None = None
    checked: Mapping[str, object] = field(default_factory=dict)
    others: float | None = None
    wrong: Sequence[str] = ()

    @property
    def ratio(self) -> float | None:
        """How many times the reference."""
        return self.value / self.reference if self.reference else None

    def as_json(self) -> str:
        """The line."""
        shown = {
            "bench": self.bench,
            "value": rounded(self.value),
            "unit": self.unit,
            "reference": rounded(self.reference),
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            **self.checked,
        }
        if self.others is not None:
            shown["others"] = round(self.others, 2)
        if self.wrong:
            shown["wrong"] = list(self.wrong)
        return json.dumps(shown)


def failed(checked: Mapping[str, object]) -> list[str]:
    """The names of the checks that failed: a count must be 0, anything else True."""
    return [name for name, found in checked.items() if found is not True and found != 0]


def rounded(value: float | None) -> float | None:
    """Four digits are more than any of these figures is good for."""
    if value is None:
        return None
    return round(value) if abs(value) >= 1000 else float(f"{value:.4g}")


def mean(values: Sequence[float]) -> float:
    """The average."""
    return statistics.mean(values)


def median(values: Sequence[float]) -> float:
    """Of an odd number of passes, the one in the middle."""
    return statistics.median(values)


def say(text: str) -> None:
    """Progress, for the person who waits."""
    print(text, file=sys.stderr, flush=True)
