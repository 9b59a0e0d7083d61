"""Why a job failed, without what a text may quote."""

import traceback

from jobs.failures import DIED, UNKNOWN, said
from jobs.office import now

DETAIL = "ida@example.com"


def raised(error: BaseException, cause: BaseException | None = None) -> str:
    """What rq keeps of an error that a job raised."""
    try:
        try:
            if cause:
                raise cause
        finally:
            raise error
    except type(error):
        return traceback.format_exc()


def test_of_an_errors_text_the_first_line_is_told() -> None:
    told = said(raised(ValueError(f"there is one already\nDETAIL:  Key (email)=({DETAIL})")))
    assert told.reason == "ValueError: there is one already"
    assert DETAIL not in told.trace
    assert told.trace.startswith("Traceback (most recent call last):\n  File ")
    assert told.trace.endswith("\nValueError: there is one already")
    assert "in raised" in told.trace


def test_the_last_of_several_errors_is_the_reason_and_none_tells_more() -> None:
    first = OSError(f"x\n  File of {DETAIL}\n\n  indented {DETAIL}")
    told = said(raised(RuntimeError(f"second\n{DETAIL}"), ValueError(f"first\n\n{DETAIL}")))
    assert told.reason == "RuntimeError: second"
    assert "ValueError: first" in told.trace
    assert "During handling of the above exception" in told.trace
    assert DETAIL not in told.trace
    assert DETAIL.split("@")[1] not in said(raised(first)).trace


def test_a_line_without_end_is_cut() -> None:
    assert len(said(raised(ValueError("x" * 10_000))).reason) == 300


def test_a_worker_that_died_is_called_so() -> None:
    text = f"Moved to FailedJobRegistry, due to AbandonedJobError, at {now()}"
    assert said(text).reason == DIED
    assert said(text).trace == text


def test_of_nothing_nothing_is_known() -> None:
    assert said("").reason == UNKNOWN
    assert said("Work-horse terminated unexpectedly").reason == "Work-horse terminated unexpectedly"
