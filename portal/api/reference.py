"""The API's own description: /openapi.json for programs, /docs for people. No key.

Each is made when it is first asked for, once a process, and kept as it is sent.
"""

import json
from collections.abc import Callable
from hashlib import sha256

from flask import Blueprint, Flask, Response, current_app, request

from portal.api import document, page
from portal.api.calls import Raw, call

blueprint = Blueprint("reference", __name__)

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
"""The page has no script at all."""
SECURITY = {
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@blueprint.get("/openapi.json")
@call(
    answers={200: Raw("The OpenAPI 3.1 document.", {"application/json": {"openapi": "3.1.0"}})},
    conditional=True,
)
def get_document() -> Response:
    """Read the OpenAPI 3.1 document.

    For code generators and the like.
    """
    return _kept("document", _document, "application/json")


@blueprint.get("/docs")
@call(
    answers={200: Raw("The page.", {"text/html; charset=utf-8": "<!doctype html>"})},
    conditional=True,
)
def get_docs() -> Response:
    """Read the documentation page."""
    return _kept("page", _page, "text/html")


def _document(app: Flask) -> str:
    return json.dumps(document.build(app), ensure_ascii=False, separators=(",", ":"))


def _page(app: Flask) -> str:
    return page.render(document.build(app))


def _kept(name: str, make: Callable[[Flask], str], media: str) -> Response:
    """The answer of that name, made by the first request; 304 to one who has it."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    kept = app.extensions.setdefault("reference", {})
    if name not in kept:
        content = make(app).encode()
        kept[name] = (content, sha256(content).hexdigest()[:16])
    content, tag = kept[name]
    response = Response(content, mimetype=media, headers=SECURITY)
    response.headers["Cache-Control"] = "no-cache"
    response.set_etag(tag)
    response.make_conditional(request)
    return response
