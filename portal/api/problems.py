"""Refusals over HTTP: RFC 9457 problems. CODES is the closed list of codes with their status."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import psycopg2
from flask import Flask, Response, current_app, g, jsonify, request
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from portal.ledger.errors import LedgerError, first_line
from portal.ledger.posting import is_away
from portal.logs import trace

log = logging.getLogger("portal.api")

RETRY_AFTER_S = {503: "1", 429: "60"}
"""Where nothing else tells more."""

CODES = {
    "malformed_json": (400, "The body is not JSON"),
    "idempotency_key_missing": (400, "The Idempotency-Key is missing"),
    "idempotency_key_invalid": (400, "The Idempotency-Key can't be used"),
    "unauthorized": (401, "The API key is missing or unknown"),
    "forbidden": (403, "The API key does not allow this"),
    "not_found": (404, "There is nothing at this address"),
    "unknown_user": (404, "There is no such user"),
    "unknown_asset": (404, "There is no such asset"),
    "unknown_entry": (404, "There is no such entry"),
    "unknown_hold": (404, "There is no such hold"),
    "unknown_import": (404, "There is no such import"),
    "unknown_endpoint": (404, "There is no such webhook endpoint"),
    "method_not_allowed": (405, "The address does not take this method"),
    "user_exists": (409, "Another user has this external id"),
    "hour_not_next": (409, "The hour is not the next to convert"),
    "payload_too_large": (413, "The body is too large"),
    "unsupported_media_type": (415, "The body is not of a type that the call takes"),
    "validation_failed": (422, "A field is not valid"),
    "invalid_amount": (422, "The amount is not valid"),
    "occurred_at_out_of_range": (422, "The time is too long ago or in the future"),
    "daily_limit_exceeded": (422, "The day's limit would be exceeded"),
    "insufficient_funds": (422, "Too little is available"),
    "asset_not_allowed": (422, "The call is for credits only"),
    "payment_reference_reused": (422, "The payment was taken by another request"),
    "hold_not_open": (422, "The hold is not open"),
    "capture_exceeds_hold": (422, "The capture is above the hold"),
    "expires_at_out_of_range": (422, "The hold would expire too early or too late"),
    "idempotency_key_reused": (422, "The Idempotency-Key was used for another request"),
    "already_reversed": (422, "The entry was reversed before"),
    "not_reversible": (422, "The entry can't be reversed"),
    "period_closed": (422, "The books of this month are closed"),
    "url_not_allowed": (422, "Nothing may be sent to the URL"),
    "too_many_endpoints": (422, "The client has as many endpoints as it may"),
    "invalid_cursor": (422, "The cursor is not one of this list"),
    "rate_limited": (429, "Too many requests"),
    "internal_error": (500, "Something went wrong; nothing was written"),
    "unavailable": (503, "Not available at the moment; try again"),
}

BY_STATUS = {
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
}


class Problem(Exception):
    """A refusal; `code` is one of CODES. `figures` join the answer as they are."""

    def __init__(self, code: str, detail: str = "", **figures: Any) -> None:
        super().__init__(detail or code)
        self.code = code
        self.detail = detail
        self.figures = {name: value for name, value in figures.items() if value is not None}

    def body(self) -> dict[str, Any]:
        """The members that a batch's item carries too."""
        detail = self.detail or CODES[self.code][1]
        return {"code": self.code, "detail": detail, **self.figures}


PagesAnswer = Callable[[int, str, str | None], Response]
"""How pages say it: status, detail, after how many seconds to try again."""


def answer(problem: Problem) -> Response:
    """The problem as a response: JSON, or a page where people are."""
    status, title = CODES[problem.code]
    g.code = problem.code
    if _is_for_people():
        wait = problem.figures.get("retry_after_s") or RETRY_AFTER_S.get(status)
        say: PagesAnswer = current_app.extensions["pages_answer"]
        return say(status, problem.detail, wait and str(wait))
    body = {
        "type": f"urn:dreamland:problem:{problem.code}",
        "title": title,
        "status": status,
        **problem.body(),
        "request_id": g.request_id,
    }
    response = jsonify(body)
    response.status_code = status
    response.mimetype = "application/problem+json"
    if status in RETRY_AFTER_S:
        response.headers["Retry-After"] = RETRY_AFTER_S[status]
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _is_for_people() -> bool:
    """Whether a page is what was asked for, or would have been."""
    if request.blueprint == "pages":
        return True
    return not request.path.startswith("/api/") and "text/html" in request.headers.get("Accept", "")


def register(app: Flask, pages_answer: PagesAnswer) -> None:
    """Answer every error of the app with a problem."""
    app.extensions["pages_answer"] = pages_answer
    app.register_error_handler(Problem, answer)
    app.register_error_handler(LedgerError, _of_ledger)
    app.register_error_handler(DBAPIError, _of_database)
    app.register_error_handler(psycopg2.Error, _of_driver)
    app.register_error_handler(PoolTimeout, _of_pool)
    app.register_error_handler(RedisError, _of_redis)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _of_bug)


def of_ledger(error: LedgerError) -> Problem:
    """The ledger's or a service's refusal as a problem."""
    code = error.code if error.code in CODES else "internal_error"
    return Problem(code, error.detail, **error.figures)


def _of_ledger(error: LedgerError) -> Response:
    return answer(of_ledger(error))


def _of_database(error: DBAPIError) -> Response:
    if error.connection_invalidated or is_away(error.orig):
        log.warning("%s the database is away: %s", g.request_id, str(error.orig).partition("\n")[0])
        return answer(Problem("unavailable"))
    return _of_bug(error)


def _of_driver(error: psycopg2.Error) -> Response:
    """An error that SQLAlchemy lets through as it takes a connection back: that one was lost."""
    if not is_away(error):
        return _of_bug(error)
    log.warning("%s the database is away: %s", g.request_id, first_line(error))
    return answer(Problem("unavailable"))


def _of_pool(error: PoolTimeout) -> Response:
    log.warning("%s no free database connection: %s", g.request_id, error)
    return answer(Problem("unavailable"))


def _of_redis(error: RedisError) -> Response:
    log.warning("%s Redis is away: %s", g.request_id, type(error).__name__)
    return answer(Problem("unavailable"))


def _of_http(error: HTTPException) -> Response:
    response = answer(Problem(BY_STATUS.get(error.code or 500, "malformed_json")))
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _of_bug(error: Exception) -> Response:
    log.error("%s failed\n%s", g.request_id, trace(error))
    return answer(Problem("internal_error"))
