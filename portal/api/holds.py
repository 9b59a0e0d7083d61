"""Holds: opened, captured or released, and read."""

from typing import Any

from flask import Blueprint, Response, g, jsonify
from pydantic import Field

from portal import ledger
from portal.api import etags, requests
from portal.api import vocabulary as v
from portal.api.answers.wallets import HeldAnswer, HoldAnswer, HoldsAnswer
from portal.api.calls import Page, call
from portal.api.credits import Answer, SpendBody, answer, asked
from portal.api.problems import Problem
from portal.services import assets, credits, holds, users, versions
from portal.services.fields import Body, ShortText
from portal.services.written import decimal, moment

blueprint = Blueprint("holds", __name__)

WALLET = "/users/<user_id>/wallets/<asset>"


HELD = {201: HeldAnswer, 200: HeldAnswer}


class HoldBody(SpendBody):
    """Credits to be set aside."""

    expires_at: v.ExpiresAt = None


class CaptureBody(Body):
    """What is to be spent of a hold."""

    amount: v.CapturedAmount = None
    reference: ShortText | None = Field(
        None, description="Your own name for it.", examples=["delivery-1"]
    )
    description: v.Description = None


class ReleaseBody(Body):
    """Why a hold is to be given back."""

    reason: v.Reason = None


@blueprint.post(f"{WALLET}/holds")
@requests.scope("wallets:write")
@call(
    body=HoldBody,
    answers=HELD,
    codes=("asset_not_allowed", "insufficient_funds", "expires_at_out_of_range", "period_closed"),
    key=True,
    leads={"hold_id": "hold/hold_id"},
)
def post_hold(user_id: str, asset: str) -> Answer:
    """Hold credits.

    They are set aside, to be captured or released later. A hold ends by itself at `expires_at`, after 7 days where none is given.
    """
    request, body = asked(user_id, asset, HoldBody)
    return _answer(holds.hold(request, body.expires_at))


@blueprint.post(f"{WALLET}/holds/<hold_id>/captures")
@requests.scope("wallets:write")
@call(
    body=CaptureBody,
    is_body_optional=True,
    answers=HELD,
    codes=("asset_not_allowed", "hold_not_open", "capture_exceeds_hold", "period_closed"),
    key=True,
)
def post_capture(user_id: str, asset: str, hold_id: str) -> Answer:
    """Capture a hold.

    What is held is spent, or a part of it, and the rest released. Without a body, all of it.
    """
    ending = _ending(user_id, asset, hold_id)
    body = requests.optional_body(CaptureBody, ending.asset.scale)
    return _answer(holds.capture(ending, body.amount, body.reference, body.description))


@blueprint.post(f"{WALLET}/holds/<hold_id>/releases")
@requests.scope("wallets:write")
@call(
    body=ReleaseBody,
    is_body_optional=True,
    answers=HELD,
    codes=("asset_not_allowed", "hold_not_open", "period_closed"),
    key=True,
)
def post_release(user_id: str, asset: str, hold_id: str) -> Answer:
    """Release a hold.

    What is held goes back. It may be sent without a body.
    """
    ending = _ending(user_id, asset, hold_id)
    return _answer(holds.release(ending, requests.optional_body(ReleaseBody).reason))


@blueprint.get(f"{WALLET}/holds/<hold_id>")
@requests.scope("read")
@call(answers={200: HoldAnswer}, codes=("asset_not_allowed", "validation_failed"), conditional=True)
@etags.polled(versions.of_books)
def get_hold(user_id: str, asset: str, hold_id: str) -> Response:
    """Read a hold.

    Its state, what was captured, when it ended and by which entry.
    """
    requests.only()
    owner_id, credit = users.parse_id(user_id), assets.credit(asset)
    found = holds.get(owner_id, credit, _seq(hold_id, owner_id))
    return jsonify(hold=_hold(owner_id, credit, found))


@blueprint.get(f"{WALLET}/holds")
@requests.scope("read")
@call(query=Page, answers={200: HoldsAnswer}, codes=("asset_not_allowed",), conditional=True)
@etags.polled(versions.of_books)
def get_holds(user_id: str, asset: str) -> Response:
    """List a wallet's holds.

    Newest first, open and ended.
    """
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
