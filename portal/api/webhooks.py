"""Webhook endpoints: where a client has its events sent. A client sees its own alone."""

from typing import Annotated, Any, Literal

from flask import Blueprint, Response, g, jsonify
from pydantic import Field

from portal.api import requests
from portal.api.fields import Body, LongText, Moment, moment
from portal.api.problems import Problem
from portal.runtime import runtime
from portal.services.users import ID
from portal.services.webhooks import endpoints, signing
from portal.services.webhooks.endpoints import Endpoint, Stall

blueprint = Blueprint("webhooks", __name__)

PATH = "/webhook-endpoints"
ONE = f"{PATH}/<endpoint_id>"

Url = Annotated[str, Field(min_length=1, max_length=2000)]
Types = Annotated[
    list[Literal["win.booked", "conversion.done", "hold.expired", "wallet.changed"]],
    Field(min_length=1, max_length=4),
]


class EndpointBody(Body):
    url: Url
    events: Types | None = None
    description: LongText | None = None
    since: Moment | None = None


class ChangeBody(Body):
    url: Url = ""
    events: Types | None = None
    description: LongText | None = None
    state: Literal["enabled", "disabled"] = "enabled"


class ReplayBody(Body):
    since: Moment | None = None
    event_id: Annotated[str, Field(max_length=40)] | None = None


@blueprint.post(PATH)
@requests.scope("admin")
def post_endpoint() -> tuple[Response, int]:
    body = requests.body(EndpointBody)
    made = endpoints.make(g.caller.client_id, body.url, body.description, body.events, body.since)
    runtime().start_webhooks()
    return jsonify(endpoint=_endpoint(made), secret=signing.shown(made.secrets()[0])), 201


@blueprint.get(PATH)
@requests.scope("admin")
def get_endpoints() -> Response:
    requests.only()
    return jsonify(endpoints=[_endpoint(each) for each in endpoints.every(g.caller.client_id)])


@blueprint.get(ONE)
@requests.scope("admin")
def get_endpoint(endpoint_id: str) -> Response:
    requests.only()
    return jsonify(endpoint=_endpoint(endpoints.get(g.caller.client_id, _number(endpoint_id))))


@blueprint.patch(ONE)
@requests.scope("admin")
def patch_endpoint(endpoint_id: str) -> Response:
    number, body = _number(endpoint_id), requests.body(ChangeBody)
    changes = body.model_dump(exclude_unset=True)
    changed = endpoints.change(g.caller.client_id, number, changes)
    runtime().start_webhooks()
    return jsonify(endpoint=_endpoint(changed))


@blueprint.delete(ONE)
@requests.scope("admin")
def delete_endpoint(endpoint_id: str) -> tuple[str, int]:
    endpoints.remove(g.caller.client_id, _number(endpoint_id))
    return "", 204


@blueprint.post(f"{ONE}/secrets")
@requests.scope("admin")
def post_secret(endpoint_id: str) -> tuple[Response, int]:
    rotated = endpoints.rotate(g.caller.client_id, _number(endpoint_id))
    return jsonify(endpoint=_endpoint(rotated), secret=signing.shown(rotated.secrets()[0])), 201


@blueprint.post(f"{ONE}/replays")
@requests.scope("admin")
def post_replay(endpoint_id: str) -> tuple[Response, int]:
    client_id, number, body = g.caller.client_id, _number(endpoint_id), requests.body(ReplayBody)
    if (body.since is None) == (body.event_id is None):
        raise Problem("validation_failed", "send since, or event_id", param="since")
    if body.since is not None:
        endpoints.replay_since(client_id, number, body.since)
        runtime().start_webhooks()
    if body.event_id is not None:
        event = endpoints.replayable(client_id, number, body.event_id)
        runtime().send_webhook_again(number, *event)
    since = body.since and moment(body.since)
    return jsonify(
        replay={"endpoint_id": endpoint_id, "since": since, "event_id": body.event_id}
    ), 202


@blueprint.get(f"{ONE}/stalls")
@requests.scope("admin")
def get_stalls(endpoint_id: str) -> Response:
    requests.only("cursor", "limit")
    number, limit = _number(endpoint_id), requests.limit()
    name = f"stalls:{number}"
    after = requests.cursor(name)
    found = endpoints.stalls(g.caller.client_id, number, -1 if after is None else after, limit + 1)
    more = requests.next_cursor(name, found[limit - 1].owner_id) if len(found) > limit else None
    return jsonify(stalls=[_stall(each) for each in found[:limit]], next_cursor=more)


def _number(endpoint_id: str) -> int:
    if not ID.fullmatch(endpoint_id) or int(endpoint_id) >= 2**31:
        raise Problem("unknown_endpoint", "there is no such webhook endpoint")
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
