"""What every request goes through: its id, its caller and scope, its body, its query and cursor."""

import json
import re
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask, Response, current_app, g, request
from itsdangerous import BadSignature, URLSafeSerializer
from pydantic import BaseModel, ValidationError

from portal.api.problems import Problem
from portal.services import clients

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M", bound=BaseModel)

KEY = re.compile(r"[\x21-\x7e]{1,255}")
DEFAULT_LIMIT = 50
MAX_LIMIT = 200


def register(app: Flask) -> None:
    """Give every request an id, and every response the id of its request."""
    app.before_request(_identify)
    app.after_request(_name)


def _identify() -> None:
    g.request_id = uuid.uuid4().hex


def _name(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    return response


def scope(needed: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only callers with a scope in; `g.caller` is who calls."""

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            g.caller = _caller()
            if needed not in g.caller.scopes:
                raise Problem("forbidden", f"this needs the scope {needed}")
            return view(*args, **kwargs)

        return guarded

    return guard


def _caller() -> clients.Caller:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    caller = clients.caller_of(token.strip()) if scheme.lower() == "bearer" and token else None
    if caller is None:
        raise Problem("unauthorized", "send Authorization: Bearer and an API key")
    return caller


def idempotency_key() -> str:
    """The request's key."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        raise Problem("idempotency_key_missing")
    return checked_key(key)


def checked_key(key: object) -> str:
    """A key of 1 to 255 visible ASCII characters."""
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise Problem("idempotency_key_invalid", "a key has 1 to 255 visible ASCII characters")
    return key


def body(model: type[M], scale: int | None = None) -> M:
    """The request's JSON body, checked against a model; `scale` is that of its amounts."""
    return checked(model, json_body(), scale)


def optional_body(model: type[M], scale: int | None = None) -> M:
    """The same, of a call whose every field is optional: no body at all will do."""
    return checked(model, json_body() if request.get_data() else {}, scale)


def json_body() -> dict[str, Any]:
    """The request's JSON object, its fields unchecked."""
    if request.mimetype != "application/json":
        raise Problem("unsupported_media_type")
    try:
        text = _whole_body().decode()
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError):
        raise Problem("malformed_json") from None
    if not isinstance(value, dict):
        raise Problem("validation_failed", "the body must be a JSON object")
    return value


def _whole_body() -> bytes:
    """The body as it was sent. One without a length is cut where too much begins: it is refused."""
    data = request.get_data()
    if request.content_length is None and len(data) >= current_app.config["MAX_CONTENT_LENGTH"]:
        raise Problem("payload_too_large")
    return data


def checked(model: type[M], value: object, scale: int | None = None) -> M:
    """A value as a model; the first field that is wrong is named."""
    try:
        return model.model_validate(value, context=scale)
    except ValidationError as invalid:
        error = invalid.errors(include_url=False, include_context=False, include_input=False)[0]
        code = "invalid_amount" if error["type"] == "invalid_amount" else "validation_failed"
        param = ".".join(str(part) for part in error["loc"]) or None
        detail = f"{param}: {error['msg']}" if param else error["msg"]
        raise Problem(code, _printable(detail), param=_printable(param)) from None


def _printable(text: Any) -> Any:
    """Text that can be sent: a field's name may hold what UTF-8 can't."""
    return text and text[:200].encode("utf-8", "replace").decode()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key is there twice")
    return value


def _constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def limit() -> int:
    """How many rows a page may have."""
    value = request.args.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch("[0-9]{1,4}", value, re.ASCII) or not 1 <= int(value) <= MAX_LIMIT:
        raise Problem("validation_failed", f"limit is from 1 to {MAX_LIMIT}", param="limit")
    return int(value)


def only(*names: str) -> None:
    """Refuse a query with any other parameter."""
    for name in request.args:
        if name not in names:
            raise Problem("validation_failed", "there is no such parameter", param=_printable(name))


def cursor(name: str, param: str = "cursor") -> Any:
    """Where the last page of the list called `name` ended, or None for the first page."""
    value = request.args.get(param)
    if value is None:
        return None
    try:
        return _cursors(name).loads(value)
    except (BadSignature, ValueError):
        raise Problem("invalid_cursor", param=param) from None


def next_cursor(name: str, position: Any) -> str:
    """An opaque cursor of the list called `name`; it fits no other list."""
    token = _cursors(name).dumps(position)
    assert isinstance(token, str)
    return token


def _cursors(name: str) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=f"cursor:{name}")
