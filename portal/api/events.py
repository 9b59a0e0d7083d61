"""The event feed: what was booked, by cursor, for those who rather pull than be told."""

from datetime import datetime

from flask import Blueprint, Response, g, jsonify, request
from pydantic import Field

from portal.api import requests
from portal.api.answers.events import EventsAnswer
from portal.api.calls import Query, call
from portal.api.problems import Problem
from portal.ledger.events import START, Position
from portal.services import events
from portal.services.fields import Body, Moment, checked

blueprint = Blueprint("events", __name__)

LIST = "events"
TYPE = "|".join(events.TYPES).replace(".", r"\.")


class Since(Body):
    since: Moment


class FeedQuery(Query):
    """Where to read on, what, and how much."""

    after: str | None = Field(
        None,
        description="The `next_cursor` of the page before; leave it out for the first one.",
    )
    since: str | None = Field(
        None,
        description="Instead of `after`: begin with what was booked at this time. RFC 3339.",
        examples=["2026-11-21T00:00:00Z"],
        json_schema_extra={"format": "date-time"},
    )
    types: str | None = Field(
        None,
        description="Only these types of events, with commas between them.",
        examples=["win.booked,conversion.done"],
        pattern=rf"^({TYPE})(,({TYPE}))*$",
    )
    limit: int = Field(
        requests.DEFAULT_LIMIT,
        ge=1,
        le=requests.MAX_LIMIT,
        description="Events a page.",
        examples=[requests.DEFAULT_LIMIT],
    )


@blueprint.get("/events")
@requests.scope("read")
@call(query=FeedQuery, answers={200: EventsAnswer}, codes=("invalid_cursor",))
def get_events() -> Response:
    """Read the event feed.

    What was booked, oldest first, each entry once, gap-free: nothing is ever added before a cursor that
    was given out. The same events as webhooks carry.
    """
    requests.only("after", "since", "types", "limit")
    limit = requests.limit()
    interest = events.Interest(_types(), g.caller.regions, g.caller.games)
    told, page = events.told(_position(), interest, limit)
    reached = [page.next.booked_at.isoformat(), page.next.owner_id, page.next.seq]
    return jsonify(
        events=told, next_cursor=requests.next_cursor(LIST, reached), has_more=page.has_more
    )


def _position() -> Position:
    after, since = requests.cursor(LIST, "after"), request.args.get("since")
    if after is not None and since is not None:
        raise Problem("validation_failed", "send after or since, not both", param="since")
    if since is not None:
        return Position.before(checked(Since, {"since": since}).since)
    return Position(datetime.fromisoformat(after[0]), after[1], after[2]) if after else START


def _types() -> list[str] | None:
    asked = request.args.get("types")
    if asked is None:
        return None
    types = asked.split(",")
    if not set(types) <= set(events.TYPES):
        raise Problem(
            "validation_failed", f"types are among {','.join(events.TYPES)}", param="types"
        )
    return types
