"""The event feed: what was booked, by cursor, for those who rather pull than be told."""

from datetime import datetime

from flask import Blueprint, Response, jsonify, request

from portal.api import requests
from portal.api.fields import Body, Moment
from portal.api.problems import Problem
from portal.ledger.events import START, Position
from portal.services import events

blueprint = Blueprint("events", __name__)

LIST = "events"


class Since(Body):
    since: Moment


@blueprint.get("/events")
@requests.scope("read")
def get_events() -> Response:
    requests.only("after", "since", "types", "limit")
    limit = requests.limit()
    interest = events.Interest(types=_types())
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
        return Position.before(requests.checked(Since, {"since": since}).since)
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
