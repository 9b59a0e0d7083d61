"""HTTP: sends a request, reads the whole answer within its time, and sends it again where that is safe.

A request is safe to send again if it reads, if it carries an idempotency key, or if it names what it
makes (a batch's items have keys, a user an external id). Any other is sent once.
"""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, BinaryIO
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from dreamland_client.errors import BadAnswer, DreamlandError, NoAnswer, problem
from dreamland_client.retries import NEVER, Retries

VERSION = "0.1.0"
PIECE = 65536
LARGEST_ANSWER = 64 * 1024 * 1024
NOT_MODIFIED = 304


@dataclass(frozen=True)
class Request:
    """What is sent. `path` is below the base; a body that is a file is read anew at each attempt."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | BinaryIO | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    is_repeatable: bool = False
    wants_json: bool = True
    timeout_s: float | None = None
    """Of one attempt, where the client's own is too short."""

    @property
    def may_be_repeated(self) -> bool:
        """Whether sending it twice is the same as sending it once."""
        return self.method == "GET" or self.is_repeatable or self.key is not None


@dataclass(frozen=True)
class Answer:
    """A response below 400: its JSON (amounts never become floats), or its bytes."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    json: Any = None


class Transport:
    """A pool of connections to one server; any number of threads may use it.

    The API key goes to that server only: redirects are not followed, proxies of the environment
    not used.
    """

    def __init__(
        self, base_url: str, api_key: str, timeout: float, retries: Retries, connections: int
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError("base_url is the server's address: https://dreamland.example")
        if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise ValueError("api_key is the key as it was shown: dream_…")
        self._base = base_url.rstrip("/").removesuffix("/api/v1")
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=connections)
        self._timeout = timeout
        self._retries = retries
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "User-Agent": f"dreamland-client-python/{VERSION}",
            "Accept": "application/json",
        }

    def close(self) -> None:
        """Close the connections that no call is using."""
        self._pool.clear()

    def call(self, request: Request, retries: Retries | None = None) -> Answer:
        """Send until there is an answer. Raises DreamlandError, the last attempt's."""
        rule = (retries or self._retries) if request.may_be_repeated else NEVER
        timeout = request.timeout_s or self._timeout
        end = time.monotonic() + max(rule.deadline_s, timeout)
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._send(request, min(timeout, max(end - time.monotonic(), 0.001)))
            except DreamlandError as error:
                error.idempotency_key = request.key
                error.attempts = attempt
                pause = rule.pause(attempt, error.retry_after)
                is_last = attempt >= rule.attempts or time.monotonic() + pause >= end
                if not error.may_pass or is_last:
                    raise
            time.sleep(pause)

    def _send(self, request: Request, timeout: float) -> Answer:
        end = time.monotonic() + timeout
        url = self._base + request.path
        if request.query:
            url += "?" + urlencode(request.query)
        try:
            response = self._pool.urlopen(
                request.method,
                url,
                body=request.body,
                headers=self._headers | _described(request) | dict(request.headers),
                timeout=Timeout(connect=timeout, read=timeout),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                content = _read(response, end)
            finally:
                response.close()
        except (HTTPError, OSError) as error:
            raise NoAnswer(f"no answer: {type(error).__name__}: {error}") from error
        return _answer(request, response, content)


def _described(request: Request) -> dict[str, str]:
    """The headers of its body and key; a file is measured, and wound back to its start."""
    headers = {} if request.body is None else {"Content-Type": request.content_type}
    if request.body is not None and not isinstance(request.body, bytes):
        headers["Content-Length"] = str(request.body.seek(0, os.SEEK_END))
        request.body.seek(0)
    if request.key is not None:
        headers["Idempotency-Key"] = request.key
    return headers


def _read(response: urllib3.BaseHTTPResponse, end: float) -> bytes:
    """The whole body, though it may come drop by drop: a timeout of the socket knows no total."""
    pieces: list[bytes] = []
    size = 0
    while piece := response.read1(PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise BadAnswer("the answer is longer than any answer of this API")
        if time.monotonic() > end:
            raise NoAnswer("no answer: it was not whole in time")
    return b"".join(pieces)


def _answer(request: Request, response: urllib3.BaseHTTPResponse, content: bytes) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    if response.status >= 300 and response.status != NOT_MODIFIED:
        told = _parsed(content)
        error = problem(response.status, told if isinstance(told, dict) else {}, request.key)
        error.retry_after = _seconds(headers.get("retry-after"))
        raise error
    parsed = None
    if request.wants_json and content:
        parsed = _parsed(content)
    if request.wants_json and not isinstance(parsed, dict) and response.status in (200, 201, 202):
        raise BadAnswer(f"status {response.status} without the JSON object that belongs to it")
    return Answer(response.status, headers, content, parsed)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else None
