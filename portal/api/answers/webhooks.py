"""What the calls of webhook endpoints answer."""

from typing import Annotated, Any, Literal

from pydantic import Field

from portal.api import vocabulary as v
from portal.api.answers import Answer
from portal.api.answers.events import EventId

EventType = Literal["win.booked", "conversion.done", "hold.expired", "wallet.changed"]
EndpointId = Annotated[str, v.said("The endpoint's id.", "1", pattern=v.ID)]


def _moment(description: str) -> Any:
    return v.said(f"{description}; null if never.", "2026-11-21T14:00:07.2Z", format="date-time")


class Endpoint(Answer):
    """An address that events are sent to, and how its delivery stands."""

    endpoint_id: EndpointId
    url: Annotated[str, v.said("Where events are sent.", "https://games.example/webhooks")]
    description: Annotated[str | None, v.said("Your own words for it.", "Wallet server")]
    events: Annotated[
        list[EventType] | None, v.said("The types it is sent; null is all.", ["win.booked"])
    ]
    state: Annotated[
        Literal["enabled", "disabled"], v.said("Whether events are sent to it.", "enabled")
    ]
    disabled_reason: Annotated[str | None, v.said("Why it is disabled.", None)]
    created_at: v.CreatedAt
    delivered_until: Annotated[
        str,
        v.said(
            "All booked before that was delivered, or waits in `stalls`.",
            "2026-11-21T14:00:07.2Z",
            format="date-time",
        ),
    ]
    behind: Annotated[
        int, v.said("Entries it has not been offered yet, counted to 1,000.", 0, minimum=0)
    ]
    attempts: Annotated[
        int, v.said("Times in a row that the whole receiver was down.", 0, minimum=0)
    ]
    failing_since: Annotated[str | None, _moment("Since when it has taken nothing")]
    next_attempt_at: Annotated[str | None, _moment("When it is tried again")]
    last_success_at: Annotated[str | None, _moment("When it last took an event")]
    last_failure_at: Annotated[str | None, _moment("When it last did not")]
    last_failure: Annotated[str | None, v.said("What happened then.", "answered 500")]
    old_secret_until: Annotated[
        str | None, _moment("Until when the secret before the last rotation signs too")
    ]


class EndpointAnswer(Answer):
    """The endpoint."""

    endpoint: Endpoint


class SecretAnswer(EndpointAnswer):
    """The endpoint with its newest secret, which no other call shows."""

    secret: Annotated[
        str,
        v.said(
            "What its messages are signed with.",
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD7Rk0Bvn0AHs=",
            pattern="^whsec_",
        ),
    ]


class EndpointsAnswer(Answer):
    """Your client's endpoints."""

    endpoints: list[Endpoint] = Field(description="Oldest first; 10 at most.")


class Replay(Answer):
    """What is sent again."""

    endpoint_id: EndpointId
    since: Annotated[str | None, _moment("All booked since then")]
    event_id: Annotated[str | None, v.said("This one event.", "1-3")]


class ReplayAnswer(Answer):
    """It will be sent again."""

    replay: Replay


class Stall(Answer):
    """A user whose events wait, in order, because one was not taken."""

    user_id: v.UserId
    event_id: EventId
    attempts: Annotated[int, v.said("How often it was tried.", 3, minimum=0)]
    since: Annotated[
        str,
        v.said("When it first failed.", "2026-11-21T14:00:07.2Z", format="date-time"),
    ]
    next_attempt_at: Annotated[
        str, v.said("When it is tried again.", "2026-11-21T14:02:07.2Z", format="date-time")
    ]
    last_failure: Annotated[str, v.said("What happened last.", "answered 500")]


class StallsAnswer(Answer):
    """Users whose events wait."""

    stalls: list[Stall] = Field(description="By user.")
    next_cursor: v.Cursor
