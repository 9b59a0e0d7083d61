"""What can go wrong: one exception a meaning. Each carries the idempotency key to go on with."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any


class DreamlandError(Exception):
    """The root of all. `idempotency_key` is the call's: sending it again never books twice."""

    may_pass = False
    """Whether the same call, sent again, may succeed: what retries go by."""

    def __init__(self, message: str, *, idempotency_key: str | None = None) -> None:
        super().__init__(message)
        self.idempotency_key = idempotency_key
        self.attempts = 1
        self.retry_after: float | None = None


class NoAnswer(DreamlandError):
    """The connection failed or was lost, or time ran out: done or not is unknown."""

    may_pass = True


class BadAnswer(DreamlandError):
    """What answered does not speak this API: done or not is unknown."""

    may_pass = True


class WebhookError(DreamlandError):
    """A webhook's signature, time or headers are not in order: it must not be believed."""


class ImportNotDone(DreamlandError):
    """The time to wait for an import ran out; the server goes on with it."""


class Problem(DreamlandError):
    """The server refused, as RFC 9457 says it. Codes: docs/errors.md; unknown ones work too.

    `figures` are the other members of the answer: `limit`, `used`, `remaining` and the like.
    """

    def __init__(self, message: str, *, idempotency_key: str | None = None, **known: Any) -> None:
        super().__init__(message, idempotency_key=idempotency_key)
        self.status: int = known.get("status", 0)
        self.code: str = known.get("code", "")
        self.detail: str = known.get("detail", message)
        self.param: str | None = known.get("param")
        self.request_id: str | None = known.get("request_id")
        self.figures: Mapping[str, Any] = known.get("figures", {})

    def figure(self, name: str) -> Decimal | None:
        """One of the figures as an exact number; None where it is not there, or is none."""
        try:
            return Decimal(self.figures[name])
        except (KeyError, TypeError, ValueError, InvalidOperation):
            return None


class Unauthorized(Problem):
    """The API key is missing, unknown or revoked."""


class Forbidden(Problem):
    """The API key may not do this."""


class NotFound(Problem):
    """No such user, asset, entry, hold, …: `code` says which."""


class UserExists(Problem):
    """Another request made a user with this external id."""


class HourNotNext(Problem):
    """The hour is not over, or an earlier one is not converted."""


class ValidationFailed(Problem):
    """A field is missing, unknown or wrong: `param` names it."""


class InvalidAmount(ValidationFailed):
    """The amount is not above zero, or has more decimals than its asset."""


class OccurredAtOutOfRange(Problem):
    """The win is too old, or of the future."""


class DailyLimitExceeded(Problem):
    """The user's local day has too little left: at most `remaining` can be won."""

    @property
    def remaining(self) -> Decimal | None:
        """What the day has left."""
        return self.figure("remaining")


class InsufficientFunds(Problem):
    """The wallet has less than the amount: at most `available` can be spent."""

    @property
    def available(self) -> Decimal | None:
        """What may be spent."""
        return self.figure("available")


class IdempotencyKeyReused(Problem):
    """The key was used for another request: two of your events share it."""


class PaymentReferenceReused(Problem):
    """The payment was taken by another request."""


class AlreadyReversed(Problem):
    """The entry was reversed before: it is done."""


class HoldNotOpen(Problem):
    """The hold was captured or released, or has expired."""


class RateLimited(Problem):
    """Too many calls; `retry_after` says how many seconds to wait."""

    may_pass = True


class InternalError(Problem):
    """A fault of the server's; nothing was written."""

    may_pass = True


class Unavailable(Problem):
    """The server can't tell at the moment; the same key settles it."""

    may_pass = True


BY_CODE: Mapping[str, type[Problem]] = {
    "user_exists": UserExists,
    "hour_not_next": HourNotNext,
    "invalid_amount": InvalidAmount,
    "validation_failed": ValidationFailed,
    "occurred_at_out_of_range": OccurredAtOutOfRange,
    "daily_limit_exceeded": DailyLimitExceeded,
    "insufficient_funds": InsufficientFunds,
    "idempotency_key_reused": IdempotencyKeyReused,
    "payment_reference_reused": PaymentReferenceReused,
    "already_reversed": AlreadyReversed,
    "hold_not_open": HoldNotOpen,
    "unknown_user": NotFound,
    "unknown_asset": NotFound,
    "unknown_entry": NotFound,
    "unknown_hold": NotFound,
    "forbidden": Forbidden,
    "internal_error": InternalError,
    "rate_limited": RateLimited,
    "unavailable": Unavailable,
}
BY_STATUS: Mapping[int, type[Problem]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    429: RateLimited,
    500: InternalError,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}
KNOWN = ("type", "title", "status", "code", "detail", "param", "request_id")


def problem(status: int | None, body: Mapping[str, Any], key: str | None = None) -> Problem:
    """The exception for an answer, or for a refused item of a batch, which has no status."""
    code = str(body.get("code") or f"http_{status}")
    kind = BY_CODE.get(code) or BY_STATUS.get(status or 0, Problem)
    detail = str(body.get("detail") or body.get("title") or "refused")
    return kind(
        f"{code}: {detail}",
        idempotency_key=key,
        status=status or 0,
        code=code,
        detail=detail,
        param=body.get("param"),
        request_id=body.get("request_id"),
        figures={name: value for name, value in body.items() if name not in KNOWN},
    )
