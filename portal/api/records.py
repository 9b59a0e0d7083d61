"""What is kept of each request: its id, its metrics, and one line of log without anything a client wrote."""

import logging
import time
from collections.abc import Iterable
from http import HTTPStatus
from secrets import token_hex
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

from portal.api import metrics, rates

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("portal.api")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NONE = "-"
API = "/api/"


def register(app: Flask) -> None:
    """Give every request an id, and every response the id of its request."""
    app.before_request(_begin)
    app.after_request(_end)
    app.wsgi_app = _PlainHttp(app.wsgi_app)  # type: ignore[method-assign]


class _PlainHttp:
    """Passes over a wish to upgrade, as HTTP allows: Flask would take it for a broken request."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        environ.pop("HTTP_UPGRADE", None)
        return self._app(environ, start_response)


def _begin() -> None:
    kept = g._get_current_object()  # noqa: SLF001 - each look through a proxy costs as much as a metric
    kept.request_id = token_hex(16)
    kept.began = time.perf_counter()


def _end(response: Response) -> Response:
    kept = g._get_current_object()  # noqa: SLF001
    asked = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    response.headers.add("X-Request-Id", kept.request_id)
    standing = kept.get("standing")
    if standing is not None:
        rates.tell(response, standing)
    method = asked.method if asked.method in METHODS else NONE
    route = asked.url_rule.rule if asked.url_rule else NONE
    status, code = response.status_code, kept.get("code", NONE)
    seconds = time.perf_counter() - kept.began
    metrics.count(method, route, status, code, seconds)
    if route.startswith(API) or status >= HTTPStatus.BAD_REQUEST:
        level = logging.ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO
        client = kept.get("client_id", NONE)
        log.log(
            level,
            "%s client=%s %s %s %d %s %.1f ms",
            *(kept.request_id, client, method, route, status, code, seconds * 1000),
        )
    return response
