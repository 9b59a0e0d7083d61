"""How a call is described, beside its view: what it takes, what it answers, what it may refuse with.

    @blueprint.post("/users/<user_id>/wins")
    @requests.scope("wins:write")
    @call(
        body=WinBody,
        answers={201: WinAnswer, 200: WinAnswer},
        codes=("daily_limit_exceeded", "occurred_at_out_of_range"),
        key=True,
    )
    def post_win(user_id: str) -> Answer:
        \"\"\"Book a win.

        What a caller should know of it, in Markdown's plain paragraphs.
        \"\"\"

Nothing is wrapped and nothing runs at a request: `document` reads the description. The scope comes
from `requests.scope`, the codes that follow from a call's address, key, body and query from `codes_of`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Flask
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.routing import Rule

from portal.api import vocabulary as v
from portal.api.requests import DEFAULT_LIMIT, MAX_LIMIT
from portal.services.fields import Body

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Raw:
    """A body or an answer that is no model: an example for each media type, text or an object."""

    description: str
    examples: Mapping[str, str | Mapping[str, Any]]


Shape = type[BaseModel] | Raw | None


class Query(BaseModel):
    """The parameters of a query, None where one may be left out. Views read them with `requests`:
    a test holds the two together.
    """

    model_config = ConfigDict(extra="forbid")


class Page(Query):
    """A list's page."""

    limit: int = Field(
        DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="Rows a page.", examples=[DEFAULT_LIMIT]
    )
    cursor: str | None = Field(
        None, description="The `next_cursor` of the page before; leave it out for the first one."
    )


@dataclass(frozen=True)
class Call:
    """A call's description."""

    answers: Mapping[int, Shape]
    body: Shape = None
    is_body_optional: bool = False
    query: type[Query] | None = None
    codes: tuple[str, ...] = ()
    key: bool = False
    conditional: bool = False
    headers: tuple[str, ...] = ()
    leads: Mapping[str, str] = field(default_factory=dict)


def call(
    *,
    answers: Mapping[int, Shape],
    body: Shape = None,
    **more: Any,
) -> Callable[[View], View]:
    """Describe a view; the first paragraph of its docstring says what it does.

    `answers`: by status, the model of the JSON, None for no content.
    `body`: its model; with `is_body_optional`, none at all will do.
    `query`: the model of its query.
    `codes`: what it may refuse with, beside what follows from the rest.
    `key`: it needs an Idempotency-Key.
    `conditional`: it has an ETag, and answers 304 to the same in If-None-Match.
    `headers`: those that its answer carries beside the usual ones.
    `leads`: path parameters of further calls, by where the answer has them: {"user_id": "user/id"}.
    """
    described = Call(answers=answers, body=body, **more)

    def describe(view: View) -> View:
        vars(view)["call"] = described
        return view

    return describe


@dataclass(frozen=True)
class Route:
    """A call at its address."""

    method: str
    rule: Rule
    view: Callable[..., Any]
    call: Call
    scope: str | None

    @property
    def operation(self) -> str:
        """Its name for programs."""
        name: str = self.rule.endpoint.rpartition(".")[2]
        return name

    @property
    def tag(self) -> str:
        """What it is about: its blueprint's name."""
        name: str = self.rule.endpoint.partition(".")[0]
        return name


def routes(app: Flask) -> list[Route]:
    """Every described call of an app, in the order in which they were registered."""
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        described = getattr(view, "call", None)
        if isinstance(described, Call):
            methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            scope = getattr(view, "scope", None)
            found += [Route(method, rule, view, described, scope) for method in methods]
    return found


BY_PATH = {
    "user_id": ("unknown_user",),
    "asset": ("unknown_asset",),
    "entry_id": ("unknown_entry",),
    "hold_id": ("unknown_hold",),
    "endpoint_id": ("unknown_endpoint",),
    "import_id": ("unknown_import",),
}
KEYED = ("unauthorized", "forbidden", "rate_limited", "unavailable")
WITH_BODY = ("malformed_json", "payload_too_large", "unsupported_media_type", "validation_failed")
WITH_KEY = ("idempotency_key_missing", "idempotency_key_invalid", "idempotency_key_reused")


def codes_of(route: Route) -> set[str]:
    """Every code that a call may refuse with."""
    asked, codes = route.call, {*route.call.codes, "internal_error"}
    for name in route.rule.arguments:
        codes |= {"not_found", *BY_PATH.get(name, ())}
    codes |= set(KEYED) if route.scope else set()
    codes |= set(WITH_BODY) if asked.body else set()
    codes |= set(WITH_KEY) if asked.key else set()
    if asked.query:
        codes |= {"validation_failed"}
        codes |= {"invalid_cursor"} if "cursor" in asked.query.model_fields else set()
    if isinstance(asked.body, type) and issubclass(asked.body, Body):
        codes |= {"invalid_amount"} if "amount" in asked.body.model_fields else set()
    return codes


@dataclass(frozen=True)
class Parameter:
    """A path's parameter, or a header."""

    description: str
    example: str
    schema: Mapping[str, Any]


def _string(**more: Any) -> dict[str, Any]:
    return {"type": "string", **more}


PATH = {
    "user_id": Parameter("The user's id.", "1", _string(pattern=v.ID)),
    "asset": Parameter(
        "The asset's code, as `GET /api/v1/assets` lists it.",
        "GOLD_COIN",
        _string(pattern="^[A-Z][A-Z0-9_]*$"),
    ),
    "entry_id": Parameter("The entry's id.", "1-3", _string(pattern=v.ENTRY_ID)),
    "hold_id": Parameter("The hold's id.", "1-4", _string(pattern=v.ENTRY_ID)),
    "endpoint_id": Parameter("The webhook endpoint's id.", "1", _string(pattern=v.ID)),
    "import_id": Parameter("The import's id.", "1", _string(pattern=v.ID)),
}
"""Every parameter that an address may have."""

IDEMPOTENCY_KEY = Parameter(
    "Makes a retry safe: the same key with the same request books once. 1 to 255 visible ASCII"
    " characters, unique for the user within your client (an import's: for your client), kept for ever.",
    "5e0c9d1e-round-1",
    _string(pattern="^[!-~]+$", minLength=1, maxLength=255),
)
IF_NONE_MATCH = Parameter(
    "The `ETag` of the answer you have: 304 without a body where it is still true.",
    'W/"5d41402abc4b2a765d414021"',
    _string(),
)
HEADERS = {
    "X-Request-Id": Parameter(
        "Names the request: quote it when you ask about one.",
        "0c8a3f5e0e9f4f0e8a52c4f2a5d2c9b1",
        _string(pattern="^[0-9a-f]{32}$"),
    ),
    "Idempotent-Replayed": Parameter(
        "There, and true, where the same request was booked before.", "true", _string(const="true")
    ),
    "ETag": Parameter("Names this very answer.", 'W/"5d41402abc4b2a765d414021"', _string()),
    "Cache-Control": Parameter(
        "Keep the answer, but ask with its `ETag` before you use it; `private`: for your client alone.",
        "private, no-cache",
        _string(pattern="^(private, )?no-cache$"),
    ),
    "Vary": Parameter(
        "Whoever keeps the answer keeps one for each API key.",
        "Authorization",
        _string(const="Authorization"),
    ),
    "Content-Disposition": Parameter(
        "The file's name.", "attachment; filename=import-1-refused.csv", _string()
    ),
    "Retry-After": Parameter(
        "In how many seconds to send the same request again, with the same key.",
        "1",
        _string(pattern="^[0-9]+$"),
    ),
    "WWW-Authenticate": Parameter("How to sign in.", "Bearer", _string()),
    "RateLimit": Parameter(
        "What your client has left, and in how many seconds more.",
        '"default";r=59999;t=42',
        _string(),
    ),
    "RateLimit-Policy": Parameter(
        "How many requests your client may send in how many seconds.",
        '"default";q=60000;w=60',
        _string(),
    ),
}
"""The headers of answers."""


def headers_of(route: Route, status: int) -> Iterable[str]:
    """The headers that an answer may carry."""
    yield "X-Request-Id"
    if status == 401:
        yield "WWW-Authenticate"
    if route.scope and status != 401:
        yield from ("RateLimit", "RateLimit-Policy")
    if status in (429, 503) and route.scope:
        yield "Retry-After"
    if route.call.key and status in (200, 201):
        yield "Idempotent-Replayed"
    if route.call.conditional and status in (200, 304):
        yield from ("ETag", "Cache-Control")
        if route.scope:
            yield "Vary"
    if status in route.call.answers:
        yield from route.call.headers
