"""The OpenAPI document, made from what stands beside the views (`calls`) and from their models.

spectree reads routes, parameters and models and lays out the document; what it has no words for is
added here: problems and their codes, headers, examples, links, scopes. Its decorator wraps a view
and runs at every request, so it is put round the views of a second app that nobody calls: a request
of the real one does not meet it.
"""

from typing import Any

from flask import Flask
from spectree import Response, SecurityScheme, SpecTree, Tag
from spectree.models import SecureType, SecuritySchemeData, Server

from portal.api import calls, refusals, shapes
from portal.api.calls import Call, Raw, Route
from portal.api.shapes import Json

VERSION = "1.0"
SECURITY = "key"
ABOUT = """\
For game servers. Every call below `/api/v1` needs `Authorization: Bearer <key>`; a key has scopes, \
and a call names the one it needs.

**Amounts** are decimal strings in ASCII (`"0.25"`), never numbers, above zero, with no more decimals \
than the asset's scale; answers carry no trailing zeros. **Times** are RFC 3339 with an offset; \
answers are in UTC. **Ids** are strings.

**Retries** are safe: every call that moves value takes an `Idempotency-Key`, and the same request \
with the same key books once. After a 503 or a lost connection, send the same again.

**Lists** come in pages: send `next_cursor` as `cursor`. They are newest first; only the event feed is \
oldest first, and takes it as `after`, and users whose events wait come by id.

**Answers may gain fields**: pass over those you do not know. Errors are `application/problem+json` \
with a `code` of a closed list. What is no HTTP, or has an address or headers that are too long, the \
web server refuses itself: 400, 414 or 431 without a body.
"""
TAGS = {
    "users": "People with a wallet, by your own id or ours.",
    "wins": "DREAM that users win in games, up to a limit a day.",
    "wallets": "What users have, now and before, and what moved it.",
    "credits": "Closed-loop credits: topped up, granted, spent, and turned round.",
    "holds": "A spend in two steps, for what is delivered later.",
    "imports": "Files of wins, for a studio that was offline.",
    "conversions": "The hourly conversion of DREAM to USD.",
    "events": "What happened, in order, to be read by cursor.",
    "webhooks": "The same events, sent to an address of yours.",
    "health": "For load balancers; no key.",
    "reference": "This document and its page; no key.",
}
"""What the calls of a blueprint are about, in the order of the page."""


def build(app: Flask) -> Json:
    """The document of an app's described calls."""
    routes = calls.routes(app)
    spec = _layout(routes)
    document: Json = shapes.tidied(spec)
    schemas = document["components"]["schemas"]
    for route in routes:
        operation = document["paths"][_path(route)][route.method.lower()]
        _complete(operation, route, schemas)
    _link(document["paths"], routes)
    document["components"] |= {
        "headers": {name: _header(each) for name, each in calls.HEADERS.items()},
        "examples": refusals.examples(),
    }
    schemas |= refusals.schemas()
    known = {name: {"name": name, "description": about} for name, about in TAGS.items()}
    named = {tag["name"]: tag for tag in document["tags"]}
    document["tags"] = [known.get(name, named[name]) for name in sorted(named, key=_place)]
    return shapes.without_unused(document)


def _place(tag: str) -> int:
    return list(TAGS).index(tag) if tag in TAGS else len(TAGS)


def _layout(routes: list[Route]) -> Json:
    """What spectree makes of the routes and their models."""
    spec = SpecTree(
        "flask",
        title="Dreamland",
        version=VERSION,
        description=ABOUT,
        openapi_version="3.1.0",
        mode="strict",
        annotations=False,
        naming_strategy=lambda model: model.__name__,
        nested_naming_strategy=lambda _parent, child: child,
        servers=[Server(url="/", description="This server")],
        security_schemes=[
            SecurityScheme(
                name=SECURITY,
                data=SecuritySchemeData(
                    type=SecureType.HTTP, scheme="bearer", description="An API key."
                ),
            )
        ],
    )
    nobody_calls = Flask(__name__, static_folder=None)
    for route in routes:
        view = _declared(spec, route)
        nobody_calls.add_url_rule(
            route.rule.rule,
            route.operation,
            view,
            methods=[route.method],
            provide_automatic_options=False,
        )
    with nobody_calls.app_context():
        layout: Json = spec.spec
    return layout


def _declared(spec: SpecTree, route: Route) -> Any:
    """The view with what spectree is to know of it."""
    call = route.call
    models = {f"HTTP_{status}": _model(shape) for status, shape in call.answers.items()}
    declare = spec.validate(
        query=call.query,
        json=_model(call.body),
        resp=Response(**models),
        tags=(Tag(name=route.tag),),
        security=[{SECURITY: [route.scope]}] if route.scope else [],
        operation_id=route.operation,
        skip_validation=True,
    )
    return declare(route.view)


def _model(shape: calls.Shape) -> Any:
    return None if isinstance(shape, Raw) else shape


def _path(route: Route) -> str:
    return route.rule.rule.replace("<", "{").replace(">", "}")


def _complete(operation: Json, route: Route, schemas: Json) -> None:
    """Add what spectree has no words for to an operation."""
    call = route.call
    operation["parameters"] = [
        *(_parameter("path", name, calls.PATH[name]) for name in _in_order(route)),
        *_headers_asked(call),
        *(_query_parameter(each) for each in operation["parameters"] if each["in"] == "query"),
    ]
    if call.body:
        operation["requestBody"] = {
            "required": not call.is_body_optional,
            "content": _content(call.body, schemas),
        }
    operation["responses"] = {
        **{str(status): _answer(route, status, schemas) for status in call.answers},
        **_refusals(route),
    }
    if call.conditional:
        operation["responses"]["304"] = _response(route, 304, "What you have is still true.")


def _in_order(route: Route) -> list[str]:
    return [name for name in calls.PATH if name in route.rule.arguments]


def _headers_asked(call: Call) -> list[Json]:
    asked = []
    if call.key:
        asked.append(_parameter("header", "Idempotency-Key", calls.IDEMPOTENCY_KEY))
    if call.conditional:
        asked.append(
            _parameter("header", "If-None-Match", calls.IF_NONE_MATCH) | {"required": False}
        )
    return asked


def _parameter(place: str, name: str, known: calls.Parameter) -> Json:
    return {"name": name, "in": place, "required": True, **_header(known)}


def _header(known: calls.Parameter) -> Json:
    return {
        "description": known.description,
        "schema": dict(known.schema),
        "example": known.example,
    }


def _query_parameter(given: Json) -> Json:
    """A parameter that may be left out is not null then: it is not there."""
    schema = shapes.without_null(given["schema"])
    description = schema.pop("description", "")
    examples = schema.pop("examples", [])
    made = {"name": given["name"], "in": "query", "required": False, "schema": schema}
    made["description"] = description
    return made | ({"example": examples[0]} if examples else {})


def _content(shape: calls.Shape, schemas: Json) -> Json:
    if isinstance(shape, Raw):
        return {
            media: {
                "schema": {"type": "string" if isinstance(example, str) else "object"},
                "example": example,
            }
            for media, example in shape.examples.items()
        }
    assert shape is not None
    reference = {"$ref": f"#/components/schemas/{shape.__name__}"}
    return {
        "application/json": {"schema": reference, "example": shapes.example(reference, schemas)}
    }


def _answer(route: Route, status: int, schemas: Json) -> Json:
    shape = route.call.answers[status]
    if shape is None:
        return _response(route, status, "Done; no content.")
    about = shape.description if isinstance(shape, Raw) else schemas[shape.__name__]["description"]
    return _response(route, status, about) | {"content": _content(shape, schemas)}


def _response(route: Route, status: int, description: str) -> Json:
    names = calls.headers_of(route, status)
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return {"description": description, "headers": headers}


def _refusals(route: Route) -> Json:
    """By status, the problems that a call may answer with."""
    return {
        str(status): _response(route, status, refusals.described(codes))
        | {"content": refusals.content(status, codes)}
        for status, codes in refusals.by_status(calls.codes_of(route)).items()
    }


def _link(paths: Json, routes: list[Route]) -> None:
    """Say which further calls an answer leads to: those whose address it makes known."""
    for route in routes:
        if not route.call.leads:
            continue
        known = {name: f"$request.path.{name}" for name in route.rule.arguments} | {
            name: f"$response.body#/{place}" for name, place in route.call.leads.items()
        }
        links = {
            further.operation: {
                "operationId": further.operation,
                "parameters": {name: known[name] for name in _in_order(further)},
            }
            for further in routes
            if further.rule.arguments & set(route.call.leads)
            and further.rule.arguments <= set(known)
        }
        operation = paths[_path(route)][route.method.lower()]
        for status in {200, 201} & set(route.call.answers):
            operation["responses"][str(status)]["links"] = links
