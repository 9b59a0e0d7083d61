"""Webhook endpoints: where a client has its events sent. A client sees its own alone."""

from typing import Annotated, Any, Literal

from flask import Blueprint, Response, g, jsonify
from pydantic import ConfigDict, Field

from portal.api import requests
from portal.api import vocabulary as v
from portal.api.answers.webhooks import (
    EndpointAnswer,
    EndpointsAnswer,
    EventType,
    ReplayAnswer,
    SecretAnswer,
    StallsAnswer,
)
from portal.api.calls import Page, call
from portal.api.problems import Problem
from portal.runtime import runtime
from portal.services.fields import Body, LongText, Moment
from portal.services.users import ID
from portal.services.webhooks import endpoints, signing
from portal.services.webhooks.endpoints import Endpoint, Stall
from portal.services.written import moment

blueprint = Blueprint("webhooks", __name__)

PATH = "/webhook-endpoints"
ONE = f"{PATH}/<endpoint_id>"

Url = Annotated[
    str,
    Field(min_length=1, max_length=2000),
    v.said("Where to send events: a public https address.", "https://games.example/webhooks"),
]
Types = Annotated[
    Annotated[list[EventType], Field(min_length=1, max_length=4)] | None,
    v.said("The types it wants; null is all.", ["win.booked"]),
]
Description = Annotated[LongText | None, v.said("Your own words for it.", "Wallet server")]


class EndpointBody(Body):
    """An endpoint to be made."""

    url: Url
    events: Types = None
    description: Description = None
    since: Annotated[
        Moment | None,
        v.said("Begin with what was booked at this time; null is now.", "2026-11-21T00:00:00Z"),
    ] = None


class ChangeBody(Body):
    """What is to change; what is not named stays."""

    url: Url = Field(default=None)  # type: ignore[assignment]  # left out, never null
    events: Types = None
    description: Description = None
    state: Annotated[
        Literal["enabled", "disabled"], v.said("Whether events are sent to it.", "enabled")
    ] = "enabled"


class ReplayBody(Body):
    """What to send again: one of the two."""

    model_config = ConfigDict(
        json_schema_extra={
            "minProperties": 1,
            "maxProperties": 1,
            "examples": [{"since": "2026-11-21T00:00:00Z"}],
        }
    )

    since: Annotated[
        Moment, v.said("Send all again that was booked since then.", "2026-11-21T00:00:00Z")
    ] = Field(default=None)  # type: ignore[assignment]  # left out, never null
    event_id: Annotated[str, v.said("Send this one event again.", "1-3", pattern=v.ENTRY_ID)] = (
        Field(default=None)  # type: ignore[assignment]
    )


@blueprint.post(PATH)
@requests.scope("admin")
@requests.recorded
@call(
    body=EndpointBody,
    answers={201: SecretAnswer},
    codes=("url_not_allowed", "too_many_endpoints"),
    leads={"endpoint_id": "endpoint/endpoint_id"},
)
def post_endpoint() -> tuple[Response, int]:
    """Make a webhook endpoint.

    Events are sent there from now on, or from those booked `since`; a client has at most 10. The secret is
    shown this once.
    """
    body = requests.body(EndpointBody)
    made = endpoints.make(g.caller.client_id, body.url, body.description, body.events, body.since)
    runtime().start_webhooks()
    return jsonify(endpoint=_endpoint(made), secret=signing.shown(made.secrets()[0])), 201


@blueprint.get(PATH)
@requests.scope("admin")
@call(answers={200: EndpointsAnswer}, codes=("validation_failed",))
def get_endpoints() -> Response:
    """List webhook endpoints.

    Your client's own, oldest first.
    """
    requests.only()
    return jsonify(endpoints=[_endpoint(each) for each in endpoints.every(g.caller.client_id)])


@blueprint.get(ONE)
@requests.scope("admin")
@call(answers={200: EndpointAnswer}, codes=("validation_failed",))
def get_endpoint(endpoint_id: str) -> Response:
    """Read a webhook endpoint.

    Its state, its failures, and how many entries it is behind.
    """
    requests.only()
    return jsonify(endpoint=_endpoint(endpoints.get(g.caller.client_id, _number(endpoint_id))))


@blueprint.patch(ONE)
@requests.scope("admin")
@requests.recorded
@call(body=ChangeBody, answers={200: EndpointAnswer}, codes=("url_not_allowed",))
def patch_endpoint(endpoint_id: str) -> Response:
    """Change a webhook endpoint.

    What failed is tried again at once; one that is enabled again goes on where it was.
    """
    number, body = _number(endpoint_id), requests.body(ChangeBody)
    changes = body.model_dump(exclude_unset=True)
    changed = endpoints.change(g.caller.client_id, number, changes)
    runtime().start_webhooks()
    return jsonify(endpoint=_endpoint(changed))


@blueprint.delete(ONE)
@requests.scope("admin")
@requests.recorded
@call(answers={204: None}, codes=("validation_failed",))
def delete_endpoint(endpoint_id: str) -> tuple[str, int]:
    """Delete a webhook endpoint.

    How far it got is forgotten with it.
    """
    requests.only()
    endpoints.remove(g.caller.client_id, _number(endpoint_id))
    return "", 204


@blueprint.post(f"{ONE}/secrets")
@requests.scope("admin")
@requests.recorded
@call(answers={201: SecretAnswer}, codes=("validation_failed",))
def post_secret(endpoint_id: str) -> tuple[Response, int]:
    """Rotate the secret.

    The one before signs too for 24 hours: a message then carries both signatures. Asked again meanwhile, it
    answers with the same secret.
    """
    requests.only()
    rotated = endpoints.rotate(g.caller.client_id, _number(endpoint_id))
    return jsonify(endpoint=_endpoint(rotated), secret=signing.shown(rotated.secrets()[0])), 201


@blueprint.post(f"{ONE}/replays")
@requests.scope("admin")
@requests.recorded
@call(body=ReplayBody, answers={202: ReplayAnswer}, codes=("unknown_entry",))
def post_replay(endpoint_id: str) -> tuple[Response, int]:
    """Send events again.

    All that was booked since a time, in order, or one event, with the same ids.
    """
    client_id, number, body = g.caller.client_id, _number(endpoint_id), requests.body(ReplayBody)
    if len(body.model_fields_set) != 1:
        raise Problem("validation_failed", "send one of the two: since, or event_id", param="since")
    replay: dict[str, str | None] = {"endpoint_id": endpoint_id, "since": None, "event_id": None}
    if "since" in body.model_fields_set:
        endpoints.replay_since(client_id, number, body.since)
        runtime().start_webhooks()
        replay["since"] = moment(body.since)
    else:
        event = endpoints.replayable(client_id, number, body.event_id)
        if not runtime().send_webhook_again(client_id, number, *event):
            detail = (
                "as many events of yours wait to be sent again as may: try again after Retry-After"
            )
            raise Problem("rate_limited", detail)
        replay["event_id"] = body.event_id
    return jsonify(replay=replay), 202


@blueprint.get(f"{ONE}/stalls")
@requests.scope("admin")
@call(query=Page, answers={200: StallsAnswer})
def get_stalls(endpoint_id: str) -> Response:
    """List users whose events wait.

    Because one was not taken; those of others go on.
    """
    requests.only("cursor", "limit")
    number, limit = _number(endpoint_id), requests.limit()
    name = f"stalls:{number}"
    after = requests.cursor(name)
    found = endpoints.stalls(g.caller.client_id, number, -1 if after is None else after, limit + 1)
    more = requests.next_cursor(name, found[limit - 1].owner_id) if len(found) > limit else None
    return jsonify(stalls=[_stall(each) for each in found[:limit]], next_cursor=more)


def _number(endpoint_id: str) -> int:
    if not ID.fullmatch(endpoint_id) or int(endpoint_id) >= 2**31:
        raise Problem("unknown_endpoint", endpoints.UNKNOWN)
    return int(endpoint_id)


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    has_old = endpoint.old_secret_until is not None and endpoint.now < endpoint.old_secret_until
    return {
        "endpoint_id": str(endpoint.id),
        "url": endpoint.url,
        "description": endpoint.description,
        "events": endpoint.events,
        "state": endpoint.state,
        "disabled_reason": endpoint.disabled_reason,
        "created_at": moment(endpoint.created_at),
        "delivered_until": moment(endpoint.position.booked_at),
        "behind": endpoints.behind(endpoint),
        "attempts": endpoint.attempts,
        "failing_since": endpoint.failing_since and moment(endpoint.failing_since),
        "next_attempt_at": endpoint.next_at and moment(endpoint.next_at),
        "last_success_at": endpoint.last_success_at and moment(endpoint.last_success_at),
        "last_failure_at": endpoint.last_failure_at and moment(endpoint.last_failure_at),
        "last_failure": endpoint.last_failure,
        "old_secret_until": moment(endpoint.old_secret_until)
        if has_old and endpoint.old_secret_until
        else None,
    }


def _stall(stall: Stall) -> dict[str, Any]:
    return {
        "user_id": str(stall.owner_id),
        "event_id": f"{stall.owner_id}-{stall.seq}",
        "attempts": stall.attempts,
        "since": moment(stall.since),
        "next_attempt_at": moment(stall.next_at),
        "last_failure": stall.last_failure,
    }
