"""What the calls of wins answer."""

from typing import Annotated, Literal

from pydantic import Field

from portal.api import vocabulary as v
from portal.api.answers import Answer


class Win(Answer):
    """A win as it was booked."""

    entry_id: v.EntryId
    user_id: v.UserId
    asset: v.Dream
    amount: v.DreamAmount
    occurred_at: v.OccurredAt
    booked_at: v.BookedAt
    day: v.Day
    game: Annotated[str | None, v.said("The game; null once erased.", "maze")]
    reference: v.NullableReference


class Today(Answer):
    """The day that a win counts against: its own, which may be yesterday."""

    day: v.Day
    won: v.Won
    limit: v.Limit
    remaining: v.Remaining


class WinAnswer(Answer):
    """The win, and its day as it is now."""

    win: Win
    today: Today


class ItemError(Answer):
    """Why an item was refused."""

    code: Annotated[
        Literal[
            "validation_failed",
            "invalid_amount",
            "idempotency_key_missing",
            "idempotency_key_invalid",
            "idempotency_key_reused",
            "unknown_user",
            "forbidden",
            "daily_limit_exceeded",
            "occurred_at_out_of_range",
            "period_closed",
            "internal_error",
        ],
        v.said("Why, as for a single win.", "invalid_amount"),
    ]
    detail: Annotated[str, v.said("What happened, in words.", "the amount is not valid")]
    param: str | None = Field(None, description="The field that is wrong.", examples=["amount"])
    limit: str | None = Field(None, description="The day's limit, in DREAM.", examples=["5"])
    used: str | None = Field(None, description="Won on that day, in DREAM.", examples=["4.75"])
    remaining: str | None = Field(None, description="What is left, in DREAM.", examples=["0.25"])


class BatchResult(Answer):
    """What became of one item: booked, or refused with a reason."""

    index: Annotated[int, v.said("The item's place in the request, from 0.", 0)]
    status: Annotated[
        Literal["posted", "replayed", "rejected"], v.said("What became of it.", "posted")
    ]
    win: Win | None = Field(None, description="Where it was posted, or had been.")
    error: ItemError | None = Field(None, description="Where it was rejected.", examples=[None])


class BatchAnswer(Answer):
    """Each item's result, in the request's order, and how many there were of each."""

    results: list[BatchResult] = Field(description="One for each item, in order.")
    posted: Annotated[int, v.said("How many were booked now.", 1)]
    replayed: Annotated[int, v.said("How many had been booked before.", 0)]
    rejected: Annotated[int, v.said("How many were refused.", 0)]


class ListedWin(Win):
    """A win of the day."""

    converted: Annotated[bool, v.said("Whether it has become USD.", False)]  # noqa: FBT003 - an example


class DayAnswer(Answer):
    """The user's local day, and its wins, newest first."""

    as_of: v.AsOf
    asset: v.Dream
    day: v.Day
    time_zone: Annotated[str, v.said("The zone whose day it is.", "Europe/Berlin")]
    total: v.Won
    limit: v.Limit
    remaining: v.Remaining
    wins: list[ListedWin] = Field(description="Newest first.")
    next_cursor: v.Cursor
