"""Bytes that no HTTP client sends, to a running server: what it answers itself, and what reaches us.

The server (granian) refuses what is no HTTP before the API sees it: with a status and no body.
Whatever it lets through is answered by the API, with a problem.
"""

import pytest

from portal.api.problems import CODES
from tests.concurrency.web import Web
from tests.conformance.wire import Reply, exchange

HEAD = b"Host: x\r\nConnection: close\r\n"
JSON = b"Content-Type: application/json\r\nIdempotency-Key: k\r\n"


def get(path: bytes, more: bytes = b"", method: bytes = b"GET") -> bytes:
    return method + b" " + path + b" HTTP/1.1\r\n" + HEAD + b"{auth}" + more + b"\r\n"


def post(headers: bytes, body: bytes) -> bytes:
    return b"POST /api/v1/users/1/wins HTTP/1.1\r\n" + HEAD + b"{auth}" + headers + b"\r\n" + body


ASSETS = b"/api/v1/assets"
BY_THE_SERVER = {
    "headers of a megabyte": (431, get(ASSETS, b"X-A: " + b"a" * 1_000_000 + b"\r\n")),
    "two hundred headers": (431, get(ASSETS, b"".join(b"X-%d: a\r\n" % n for n in range(200)))),
    "an address of 100 kB": (414, get(b"/api/v1/" + b"a" * 100_000)),
    "no HTTP at all": (400, b"\x00\x01\x02\r\n\r\n"),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 300),
    "HTTP 0.9": (400, b"GET /healthz\r\n\r\n"),
    "HTTP 9.9": (400, b"GET /healthz HTTP/9.9\r\n" + HEAD + b"\r\n"),
    "bytes that are no UTF-8 in the path": (400, get(b"/api/v1/users/\xff\xfe")),
    "bytes that are no UTF-8 in the query": (400, get(ASSETS + b"?limit=\xff")),
    "a NUL in the path": (400, get(b"/api/v1/users/\x001")),
    "a NUL in a header": (400, get(ASSETS, b"X-A: a\x00b\r\n")),
    "a lone CR in a header": (400, get(ASSETS, b"X-A: a\rb\r\n")),
    "a folded header": (400, get(ASSETS, b"X-A: a\r\n b\r\n")),
    "a header without a colon": (400, get(ASSETS, b"X-A\r\n")),
    "two lengths": (400, post(JSON + b"Content-Length: 2\r\nContent-Length: 3\r\n", b"{}")),
    "a length below zero": (400, post(JSON + b"Content-Length: -2\r\n", b"{}")),
    "a length in words": (400, post(JSON + b"Content-Length: two\r\n", b"{}")),
}
"""By case, the status of an answer without a body, and the request."""

BY_THE_API = {
    "an address of 60 kB": ("not_found", get(b"/api/v1/" + b"a" * 60_000)),
    "a query of 60 kB": ("validation_failed", get(ASSETS + b"?" + b"a" * 60_000)),
    "a path in UTF-8": ("unknown_user", get("/api/v1/users/é".encode())),
    "an escape that is no UTF-8": ("unknown_user", get(b"/api/v1/users/%ff%fe")),
    "an escaped NUL": ("unknown_user", get(b"/api/v1/users/%00")),
    "half an escape": ("unknown_user", get(b"/api/v1/users/%zz%")),
    "an escape in a query": ("invalid_cursor", get(b"/api/v1/conversions?cursor=%ff%00")),
    "dots": ("not_found", get(b"/api/v1/../v1/assets")),
    "a backslash": ("not_found", get(b"/api/v1\\assets")),
    "an asterisk": ("not_found", get(b"*", method=b"OPTIONS")),
    "an API key that is no UTF-8": (
        "unauthorized",
        b"GET /api/v1/assets HTTP/1.1\r\n" + HEAD + b"Authorization: Bearer \xff\xfe\r\n\r\n",
    ),
    "two API keys": ("unauthorized", get(ASSETS, b"{auth}")),
    "a key that is no UTF-8": (
        "idempotency_key_invalid",
        post(
            b"Content-Type: application/json\r\nIdempotency-Key: \xff\r\nContent-Length: 2\r\n",
            b"{}",
        ),
    ),
    "a media type that is no UTF-8": (
        "unsupported_media_type",
        post(
            b"Content-Type: application/json\xff\r\nIdempotency-Key: k\r\nContent-Length: 2\r\n",
            b"{}",
        ),
    ),
    "2 MB": ("payload_too_large", post(JSON + b"Content-Length: 2000000\r\n", b" " * 2_000_000)),
    "2 MB, asked for first": (
        "payload_too_large",
        post(JSON + b"Expect: 100-continue\r\nContent-Length: 2000000\r\n", b" " * 2_000_000),
    ),
    "a promise of 99 GB": (
        "payload_too_large",
        post(JSON + b"Content-Length: 99999999999\r\n", b"{}"),
    ),
    "2 MB in chunks": (
        "payload_too_large",
        post(
            JSON + b"Transfer-Encoding: chunked\r\n",
            (b"10000\r\n" + b" " * 65536 + b"\r\n") * 32 + b"0\r\n\r\n",
        ),
    ),
    "a broken chunk": (
        "malformed_json",
        post(JSON + b"Transfer-Encoding: chunked\r\n", b"zz\r\n{}\r\n0\r\n\r\n"),
    ),
    "no body": ("malformed_json", post(JSON, b"")),
    "TRACE": ("method_not_allowed", get(ASSETS, method=b"TRACE")),
    "CONNECT": ("method_not_allowed", get(ASSETS, method=b"CONNECT")),
    "a method of its own": ("method_not_allowed", get(ASSETS, method=b"BREW")),
    "a method of 5 kB": ("method_not_allowed", get(ASSETS, method=b"A" * 5000)),
}
"""By case, the code of the problem, and the request."""


def ask(web: Web, request: bytes) -> Reply:
    key = f"Authorization: Bearer {web.key}\r\n".encode()
    return exchange(web.port, request.replace(b"{auth}", key))


@pytest.mark.parametrize("case", BY_THE_SERVER)
def test_what_is_no_http_is_refused_by_the_server(web: Web, case: str) -> None:
    status, request = BY_THE_SERVER[case]
    reply = ask(web, request)
    assert (reply.status, reply.content) == (status, b"")


@pytest.mark.parametrize("case", BY_THE_API)
def test_what_reaches_the_api_is_refused_with_a_problem(web: Web, case: str) -> None:
    code, request = BY_THE_API[case]
    reply = ask(web, request)
    assert (reply.code, reply.status) == (code, CODES[code][0]), reply
    assert reply.headers["x-request-id"]
    assert ("allow" in reply.headers) == (code == "method_not_allowed")


def test_both_workers_serve_on_after_all_of_it(web: Web) -> None:
    for _ in range(20):
        assert ask(web, get(ASSETS)).status == 200
    assert web.program.said().count("Started worker-") == 2
