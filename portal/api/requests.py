"""What a view asks of its request: its caller's scope, its body, its query and cursor."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import current_app, g, request
from pydantic import BaseModel

from portal.api import callers, cursors
from portal.api.problems import Problem
from portal.services import audit, fields, strict_json

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M", bound=BaseModel)

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


def scope(needed: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only callers with a scope in; `g.caller` is who calls. The document names it too."""

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            g.caller = callers.admitted(needed)
            return view(*args, **kwargs)

        vars(guarded)["scope"] = needed
        return guarded

    return guard


def recorded(view: Callable[P, R]) -> Callable[P, R]:
    """Have what the view does go into the audit log as its caller's. Below `scope`, which finds it."""

    @wraps(view)
    def acting(*args: P.args, **kwargs: P.kwargs) -> R:
        client = audit.Actor(
            "client",
            name=g.caller.name,
            address=request.remote_addr,
            browser=request.headers.get("User-Agent"),
            request_id=g.request_id,
        )
        with audit.acting(client):
            return view(*args, **kwargs)

    vars(acting)["recorded"] = True
    return acting


def idempotency_key() -> str:
    """The request's key."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        raise Problem("idempotency_key_missing")
    return fields.checked_key(key)


def body(model: type[M], scale: int | None = None) -> M:
    """The request's JSON body, checked against a model; `scale` is that of its amounts."""
    return fields.checked(model, json_body(), scale)


def optional_body(model: type[M], scale: int | None = None) -> M:
    """The same, of a call whose every field is optional: no body at all will do."""
    if request.query_string:
        only()
    return fields.checked(model, json_body() if request.get_data() else {}, scale)


def json_body() -> dict[str, Any]:
    """The request's JSON object, its fields unchecked."""
    if request.query_string:
        only()
    check_media_type("application/json")
    value = strict_json.loads(_whole_body())
    if not isinstance(value, dict):
        raise Problem("validation_failed", "the body must be a JSON object")
    return value


def check_media_type(*accepted: str) -> str:
    """The body's media type, which must be one of some, in UTF-8 and not compressed."""
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in accepted:
        raise Problem("unsupported_media_type", f"the body must be {' or '.join(accepted)}")
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise Problem("unsupported_media_type", "the body must be in UTF-8")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem("unsupported_media_type", "the body must not be compressed")
    return request.mimetype


def _whole_body() -> bytes:
    """The body as it was sent. One without a length is cut where too much begins: it is refused."""
    data = request.get_data()
    if request.content_length is None and len(data) >= current_app.config["MAX_CONTENT_LENGTH"]:
        raise Problem("payload_too_large")
    return data


def limit() -> int:
    """How many rows a page may have."""
    value = request.args.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch("[0-9]{1,4}", value, re.ASCII) or not 1 <= int(value) <= MAX_LIMIT:
        raise Problem("validation_failed", f"limit is from 1 to {MAX_LIMIT}", param="limit")
    return int(value)


def only(*names: str) -> None:
    """Refuse a query with any other parameter, and with one of these twice."""
    for name, values in request.args.lists():
        if name not in names:
            detail, named = "there is no such parameter", fields.sendable(name)
            raise Problem("validation_failed", detail, param=named)
        if len(values) > 1:
            raise Problem("validation_failed", f"{name} is there more than once", param=name)


def cursor(name: str, param: str = "cursor") -> Any:
    """Where the last page of the list called `name` ended, or None for the first page."""
    value = request.args.get(param)
    if value is None:
        return None
    try:
        return cursors.unseal(current_app.config["SECRET_KEY"], name, value)
    except ValueError:
        raise Problem("invalid_cursor", param=param) from None


def next_cursor(name: str, position: Any) -> str:
    """An opaque cursor of the list called `name`; it fits no other list."""
    return cursors.seal(current_app.config["SECRET_KEY"], name, position)
