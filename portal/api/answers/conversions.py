"""What the calls of conversions answer."""

from typing import Annotated, Literal

from pydantic import Field

from portal.api import vocabulary as v
from portal.api.answers import Answer


class Progress(Answer):
    """How far a run is."""

    chunks: Annotated[int, v.said("Into how many chunks its users were split.", 1)]
    finished: Annotated[int, v.said("How many of them are done.", 1)]


class Run(Answer):
    """An hour's conversion."""

    hour: v.HourStart
    state: Annotated[
        Literal["due", "running", "done", "waiting_for_rate", "failed"],
        v.said("Where it stands.", "done"),
    ]
    rate: Annotated[
        str | None, v.said("USD for one DREAM; null until known.", "0.15", pattern=v.AMOUNT)
    ]
    rate_source: Annotated[str | None, v.said("Who named the rate; null until known.", "fixed")]
    users: Annotated[int, v.said("How many were converted for.", 1)]
    tokens: v.DreamAmount
    usd: v.UsdAmount
    fees: Annotated[str, v.said("What it cost, in USD.", "0.001875", pattern=v.AMOUNT)]
    residue: Annotated[
        str,
        v.said("What rounding down left: tokens x rate = usd + residue.", "0", pattern=v.AMOUNT),
    ]
    started_at: Annotated[
        str | None,
        v.said("When it began; null until then.", "2026-11-21T14:00:00.1Z", format="date-time"),
    ]
    finished_at: Annotated[
        str | None,
        v.said("When it was done; null until then.", "2026-11-21T14:00:00.2Z", format="date-time"),
    ]
    progress: Progress
    problem: Annotated[str | None, v.said("What holds it up; null if nothing.", None)]


class RunAnswer(Answer):
    """The hour that was asked for."""

    conversion: Run


class RunsAnswer(Answer):
    """The hourly runs, newest first."""

    conversions: list[Run] = Field(description="Newest first.")
    next_cursor: v.Cursor
