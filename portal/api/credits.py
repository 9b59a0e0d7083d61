"""Credits: top-ups, bonuses, spends and the reversal of each."""

from typing import Annotated, Any

from flask import Blueprint, Response, g, jsonify

from portal.api import requests
from portal.api import vocabulary as v
from portal.api.answers.wallets import MovedAnswer
from portal.api.calls import call
from portal.api.problems import Problem
from portal.api.wallets import figures
from portal.services import assets, credits, users
from portal.services.fields import Body, LongText
from portal.services.written import decimal, moment

blueprint = Blueprint("credits", __name__)

Answer = tuple[Response, int, dict[str, str]]


MOVED = {201: MovedAnswer, 200: MovedAnswer}
LEADS = {"entry_id": "transaction/entry_id"}


class SpendBody(Body):
    """Credits to be spent."""

    amount: v.CreditAmount
    reference: v.Reference
    description: v.Description = None


class TopUpBody(SpendBody):
    """Credits that the user has paid for; `reference` is the payment's."""

    provider: v.Provider = None


class BonusBody(SpendBody):
    """Credits to be granted."""

    reason: v.Reason = None


class ReversalBody(Body):
    """Why an entry is to be turned round."""

    reason: Annotated[LongText, v.said("Why, in words.", "Bought by mistake")]


@blueprint.post("/users/<user_id>/wallets/<asset>/top-ups")
@requests.scope("wallets:write")
@call(
    body=TopUpBody,
    answers=MOVED,
    codes=("asset_not_allowed", "payment_reference_reused", "period_closed"),
    key=True,
    leads=LEADS,
)
def post_top_up(user_id: str, asset: str) -> Answer:
    """Top a wallet up.

    With what the user paid for. `reference` is the payment's: it counts once a `provider`, for whichever user and key.
    """
    request, body = asked(user_id, asset, TopUpBody)
    return answer(credits.top_up(request, body.provider))


@blueprint.post("/users/<user_id>/wallets/<asset>/bonuses")
@requests.scope("wallets:write")
@call(
    body=BonusBody,
    answers=MOVED,
    codes=("asset_not_allowed", "period_closed"),
    key=True,
    leads=LEADS,
)
def post_bonus(user_id: str, asset: str) -> Answer:
    """Grant a bonus."""
    request, body = asked(user_id, asset, BonusBody)
    return answer(credits.bonus(request, body.reason))


@blueprint.post("/users/<user_id>/wallets/<asset>/spends")
@requests.scope("wallets:write")
@call(
    body=SpendBody,
    answers=MOVED,
    codes=("asset_not_allowed", "insufficient_funds", "period_closed"),
    key=True,
    leads=LEADS,
)
def post_spend(user_id: str, asset: str) -> Answer:
    """Spend credits.

    More than is available is refused.
    """
    request, _ = asked(user_id, asset, SpendBody)
    return answer(credits.spend(request))


@blueprint.post("/users/<user_id>/entries/<entry_id>/reversals")
@requests.scope("wallets:write")
@call(
    body=ReversalBody,
    answers=MOVED,
    codes=("already_reversed", "not_reversible", "insufficient_funds", "period_closed"),
    key=True,
)
def post_reversal(user_id: str, entry_id: str) -> Answer:
    """Reverse an entry.

    A top-up, bonus or spend, once. Refused where the wallet would fall below zero.
    """
    key, owner_id = requests.idempotency_key(), users.parse_id(user_id)
    body = requests.body(ReversalBody)
    seq = users.parse_entry_id(entry_id, owner_id)
    if seq is None:
        raise Problem("unknown_entry", credits.DETAILS["unknown_entry"])
    return answer(credits.reverse(g.caller.client_id, key, owner_id, seq, body.reason))


def asked(user_id: str, asset: str, model: type[Any]) -> tuple[credits.Request, Any]:
    """What a call asks for, and its body with the fields that only its kind has."""
    key, owner_id = requests.idempotency_key(), users.parse_id(user_id)
    credit = assets.credit(asset)
    body = requests.body(model, credit.scale)
    request = credits.Request(
        client_id=g.caller.client_id,
        key=key,
        user_id=owner_id,
        asset=credit,
        amount=body.amount,
        reference=body.reference,
        description=body.description,
    )
    return request, body


def answer(made: credits.Transaction, **more: Any) -> Answer:
    """What was booked, with the wallet as it is now."""
    transaction = {
        "entry_id": f"{made.user_id}-{made.seq}",
        "kind": made.kind,
        "asset": made.asset.code,
        "amount": decimal(made.amount, made.asset.scale),
        "booked_at": moment(made.booked_at),
        "reference": made.reference,
    }
    response = jsonify(transaction=transaction, **figures(made.wallet, made.asset), **more)
    headers = {"Idempotent-Replayed": "true"} if made.is_replayed else {}
    return response, 200 if made.is_replayed else 201, headers
