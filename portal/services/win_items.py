"""A win as one of many, an item of a batch or a line of a file: read by itself, refused by itself."""

from collections.abc import Callable
from typing import Any

from portal.ledger import chart
from portal.ledger.errors import LedgerError, NotFound, Refused
from portal.services import users
from portal.services.fields import Amount, Body, Moment, ShortText, checked, checked_key
from portal.services.wins import WinRequest

DETAILS = {
    "daily_limit_exceeded": "the user's limit for that local day would be exceeded",
    "occurred_at_out_of_range": "occurred_at lies outside the time in which wins are accepted",
    "idempotency_key_reused": "this key was used for another request",
    "idempotency_key_missing": "the win has no idempotency_key",
    "unknown_user": "there is no such user",
    "period_closed": "the books of this month are closed",
    "internal_error": "the win could not be booked; nothing was written",
}
"""Why a win was rejected, by code, where the refusal does not say."""

Check = Callable[[WinRequest], None]
"""Raises Refused for a win that its client may not book."""


class WinBody(Body):
    """The fields of a win, but for its user and its key."""

    amount: Amount
    occurred_at: Moment
    game: ShortText
    reference: ShortText


def parse(item: object, check: Check | None = None) -> WinRequest | LedgerError:
    """An item as a request, or what is wrong with it."""
    try:
        if not isinstance(item, dict):
            raise Refused("validation_failed", "an item must be a JSON object")
        request = _request(dict(item))
        if check is not None:
            check(request)
    except (Refused, NotFound) as refused:
        return refused
    return request


def _request(fields: dict[str, Any]) -> WinRequest:
    if "idempotency_key" not in fields:
        raise Refused("idempotency_key_missing", param="idempotency_key")
    key = checked_key(fields.pop("idempotency_key"))
    user_id = fields.pop("user_id", None)
    body = checked(WinBody, fields, chart.TOKEN_SCALE)
    if not isinstance(user_id, str):
        raise Refused("validation_failed", "user_id must be a string", param="user_id")
    return request_of(users.parse_id(user_id), key, body)


def request_of(user_id: int, key: str, body: WinBody) -> WinRequest:
    """What a body asks for, for a user, by a key."""
    return WinRequest(user_id, key, body.amount, body.occurred_at, body.game, body.reference)
