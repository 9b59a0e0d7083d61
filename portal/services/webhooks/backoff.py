"""When a delivery that failed is tried again."""

import random
from datetime import timedelta

STEPS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 30, 120, 600, 1800, 3600, 2 * 3600, 4 * 3600, 8 * 3600, 12 * 3600)
)
"""After the first failure, the second, and so on; the last one from then on."""
LONGEST_ASKED = timedelta(hours=1)
"""Of a Retry-After, no more is heeded."""


def pause(attempts: int, asked: timedelta | None = None) -> timedelta:
    """How long to wait after so many failures in a row, give or take a tenth.

    `asked` is how long the receiver asked to be left alone.
    """
    step = STEPS[min(attempts, len(STEPS)) - 1] * random.randint(90, 110) // 100  # noqa: S311
    return max(step, min(asked, LONGEST_ASKED)) if asked else step
