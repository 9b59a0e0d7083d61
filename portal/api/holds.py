"""Holds: opened, captured or released, and read."""

from typing import Any

from flask import Blueprint, Response, g, jsonify

from portal import ledger
from portal.api import etags, requests
from portal.api.credits import Answer, SpendBody, answer, asked
from portal.api.fields import Amount, Body, LongText, Moment, ShortText, decimal, moment
from portal.api.problems import Problem
from portal.services import assets, credits, holds, users, versions

blueprint = Blueprint("holds", __name__)

WALLET = "/users/<user_id>/wallets/<asset>"


class HoldBody(SpendBody):
    expires_at: Moment | None = None


class CaptureBody(Body):
    amount: Amount | None = None
    reference: ShortText | None = None
    description: LongText | None = None


class ReleaseBody(Body):
    reason: LongText | None = None


@blueprint.post(f"{WALLET}/holds")
@requests.scope("wallets:write")
def post_hold(user_id: str, asset: str) -> Answer:
    request, body = asked(user_id, asset, HoldBody)
    return _answer(holds.hold(request, body.expires_at))


@blueprint.post(f"{WALLET}/holds/<hold_id>/captures")
@requests.scope("wallets:write")
def post_capture(user_id: str, asset: str, hold_id: str) -> Answer:
    ending = _ending(user_id, asset, hold_id)
    body = requests.optional_body(CaptureBody, ending.asset.scale)
    return _answer(holds.capture(ending, body.amount, body.reference, body.description))


@blueprint.post(f"{WALLET}/holds/<hold_id>/releases")
@requests.scope("wallets:write")
def post_release(user_id: str, asset: str, hold_id: str) -> Answer:
    ending = _ending(user_id, asset, hold_id)
    return _answer(holds.release(ending, requests.optional_body(ReleaseBody).reason))


@blueprint.get(f"{WALLET}/holds/<hold_id>")
@requests.scope("read")
@etags.polled(versions.of_books)
def get_hold(user_id: str, asset: str, hold_id: str) -> Response:
    requests.only()
    owner_id, credit = users.parse_id(user_id), assets.credit(asset)
    found = holds.get(owner_id, credit, _seq(hold_id, owner_id))
    return jsonify(hold=_hold(owner_id, credit, found))


@blueprint.get(f"{WALLET}/holds")
@requests.scope("read")
@etags.polled(versions.of_books)
def get_holds(user_id: str, asset: str) -> Response:
    requests.only("cursor", "limit")
    owner_id, credit = users.parse_id(user_id), assets.credit(asset)
    limit, name = requests.limit(), f"holds:{owner_id}:{credit.code}"
    found = holds.every(owner_id, credit, requests.cursor(name), limit + 1)
    more = requests.next_cursor(name, found[limit - 1].seq) if len(found) > limit else None
    return jsonify(
        holds=[_hold(owner_id, credit, each) for each in found[:limit]], next_cursor=more
    )


def _ending(user_id: str, asset: str, hold_id: str) -> holds.Ending:
    key, owner_id = requests.idempotency_key(), users.parse_id(user_id)
    credit = assets.credit(asset)
    return holds.Ending(g.caller.client_id, key, owner_id, credit, _seq(hold_id, owner_id))


def _seq(hold_id: str, owner_id: int) -> int:
    seq = users.parse_entry_id(hold_id, owner_id)
    if seq is None:
        raise Problem("unknown_hold", credits.DETAILS["unknown_hold"])
    return seq


def _answer(made: tuple[credits.Transaction, ledger.Hold]) -> Answer:
    transaction, hold = made
    return answer(transaction, hold=_hold(transaction.user_id, transaction.asset, hold))


def _hold(user_id: int, asset: ledger.AssetInfo, hold: ledger.Hold) -> dict[str, Any]:
    return {
        "hold_id": f"{user_id}-{hold.seq}",
        "asset": asset.code,
        "state": hold.state,
        "amount": decimal(hold.amount, asset.scale),
        "captured": None if hold.captured is None else decimal(hold.captured, asset.scale),
        "booked_at": moment(hold.booked_at),
        "expires_at": moment(hold.expires_at),
        "ended_at": hold.ended_at and moment(hold.ended_at),
        "ended_by": hold.ended_seq and f"{user_id}-{hold.ended_seq}",
        "reference": hold.reference,
        "description": hold.description,
    }
