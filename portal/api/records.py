"""What is kept of each request: its id, its metrics, and one line of log without anything a client wrote."""

import logging
import time
from http import HTTPStatus
from secrets import token_hex

from flask import Flask, Response, g, request

from portal.api import metrics, rates

log = logging.getLogger("portal.api")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NONE = "-"
API = "/api/"


def register(app: Flask) -> None:
    """Give every request an id, and every response the id of its request."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.request_id = token_hex(16)
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    kept = g.get
    seconds = time.perf_counter() - g.began
    response.headers["X-Request-Id"] = request_id = g.request_id
    standing = kept("standing")
    if standing is not None:
        rates.tell(response, standing)
    method = request.method if request.method in METHODS else NONE
    route = request.url_rule.rule if request.url_rule else NONE
    status, code = response.status_code, kept("code", NONE)
    metrics.count(method, route, status, code, seconds)
    if route.startswith(API) or status >= HTTPStatus.BAD_REQUEST:
        level = logging.ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO
        client = kept("client_id", NONE)
        log.log(
            level,
            "%s client=%s %s %s %d %s %.1f ms",
            *(request_id, client, method, route, status, code, seconds * 1000),
        )
    return response
