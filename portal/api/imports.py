"""Imports: a file of wins is sent, watched, and what was refused of it is fetched."""

import csv
import io
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

from flask import Blueprint, Response, g, jsonify, request, stream_with_context
from redis.exceptions import RedisError
from werkzeug.exceptions import ClientDisconnected

from portal.api import requests
from portal.api.answers.imports import ImportAnswer, ImportsAnswer
from portal.api.calls import Page, Raw, call
from portal.api.problems import Problem
from portal.runtime import runtime
from portal.services.imports import store
from portal.services.imports.files import File, Format
from portal.services.written import moment

log = logging.getLogger("portal.api")

blueprint = Blueprint("imports", __name__)

LIST = "imports"
FORMATS: dict[str, Format] = {
    "text/csv": "csv",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
}
PIECE = 64 * 1024
UPLOADS = 2
"""Files that a process takes in at once: each may need as much memory as it has bytes."""
UPLOAD_S = 300
"""For a file to come in: 64 MiB at two megabits a second."""
COLUMNS = ("line", "code", "detail", "param", "content")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet run a cell."""

_uploads: dict[int, float] = {}
"""The clients whose files are coming in, with when each must be in by `time.monotonic`."""
_turns = threading.Lock()


CSV_FILE = """\
user_id,idempotency_key,amount,occurred_at,game,reference
1,round-8123,0.25,2026-11-20T21:15:00Z,maze,round-8123
"""
JSONL_FILE = """\
{"user_id":"1","idempotency_key":"round-8123","amount":"0.25",\
"occurred_at":"2026-11-20T21:15:00Z","game":"maze","reference":"round-8123"}
"""
REPORT = """\
line,code,detail,param,content\r
3,unknown_user,there is no such user,,"9,round-8124,0.25,2026-11-20T21:15:00Z,maze,round-8124"\r
"""


@blueprint.post("/imports")
@requests.scope("imports:write")
@call(
    body=Raw(
        "A win a line: CSV with a header, or a JSON object each.",
        dict.fromkeys(FORMATS, JSONL_FILE) | {"text/csv": CSV_FILE},
    ),
    answers={202: ImportAnswer, 200: ImportAnswer},
    key=True,
    leads={"import_id": "import/id"},
)
def post_import() -> tuple[Response, int, dict[str, str]]:
    """Import a file of wins.

    Up to 30 days old, for a studio that was offline. It is taken as a whole or not at all, then booked
    line by line in the background, each line as if it had been sent alone: watch the import, and fetch
    its report of refused lines. The same key and file again answers the same import. `Content-Length`
    is required: a file sent in chunks may have broken off, and nobody could tell.
    """
    key, form = requests.idempotency_key(), _format()
    settings = runtime().settings
    with _turn(g.caller.client_id) as until:
        file = File(form, settings.import_max_lines, settings.import_chunk_lines)
        file.read(_pieces(settings.import_max_bytes, until))
        made, is_new = store.create(g.caller.client_id, key, file)
    if made.state != "done":
        _start(made.id)
    headers = {} if is_new else {"Idempotent-Replayed": "true"}
    return jsonify({"import": _import(made)}), 202 if is_new else 200, headers


@blueprint.get("/imports")
@requests.scope("imports:write")
@call(query=Page, answers={200: ImportsAnswer})
def get_imports() -> Response:
    """List imports.

    Your client's own, newest first.
    """
    requests.only("cursor", "limit")
    limit, name = requests.limit(), f"{LIST}:{g.caller.client_id}"
    found = store.every(g.caller.client_id, requests.cursor(name), limit + 1)
    more = requests.next_cursor(name, found[limit - 1].id) if len(found) > limit else None
    return jsonify(imports=[_import(each) for each in found[:limit]], next_cursor=more)


@blueprint.get("/imports/<import_id>")
@requests.scope("imports:write")
@call(answers={200: ImportAnswer}, codes=("validation_failed",))
def get_import(import_id: str) -> Response:
    """Read an import.

    How far it is, and what came of its lines.
    """
    requests.only()
    return jsonify({"import": _import(store.get(g.caller.client_id, import_id))})


@blueprint.get("/imports/<import_id>/report")
@requests.scope("imports:write")
@call(
    answers={200: Raw("The refused lines, as CSV.", {"text/csv; charset=utf-8": REPORT})},
    codes=("validation_failed",),
    headers=("Content-Disposition",),
)
def get_report(import_id: str) -> Response:
    """Download an import's refused lines.

    Their numbers, the code and detail of each, and the line as it was sent. While the import runs, those
    so far.
    """
    requests.only()
    found = store.get(g.caller.client_id, import_id)
    if store.is_forgotten(found):
        raise Problem("not_found", "the import's report is no longer kept: see report_until")
    pages = store.refusals(found.id)
    rows = chain([next(pages)], pages)  # what fails at once is answered, not broken off
    response = Response(stream_with_context(_report(rows)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f"attachment; filename=import-{found.id}-refused.csv"
    return response


def _format() -> Format:
    if request.query_string:
        requests.only()
    return FORMATS[requests.check_media_type(*FORMATS)]


@contextmanager
def _turn(client_id: int) -> Iterator[float]:
    """Until when a client's file may come in: one of a client at a time, and nobody waits for his turn.

    A file that is late takes no other client's turn, though its thread may be waiting for more of it.
    """
    now = time.monotonic()
    with _turns:
        if client_id in _uploads:
            raise Problem("unavailable", "a file of yours is coming in: send this one after it")
        if sum(until > now for until in _uploads.values()) >= UPLOADS:
            raise Problem("unavailable", "too many files are coming in; send the same key again")
        until = _uploads[client_id] = now + UPLOAD_S
    try:
        yield until
    finally:
        with _turns:
            del _uploads[client_id]


def _pieces(max_bytes: int, until: float) -> Iterator[bytes]:
    """The body as it comes in, up to its end: one that breaks off is no file."""
    expected, count = request.content_length, 0
    if expected is None:  # the server passes one in pieces off as whole wherever it breaks off
        raise Problem("validation_failed", "say how long the file is", param="Content-Length")
    if expected > max_bytes:
        raise Problem("payload_too_large", f"a file has at most {max_bytes:,} bytes: split it")
    request.max_content_length = max_bytes + 1
    while piece := request.stream.read(PIECE):
        count += len(piece)
        if time.monotonic() > until:
            detail = f"the file took more than {UPLOAD_S} s to come in: split it"
            raise Problem("unavailable", detail)
        yield piece
    if count < expected:
        raise ClientDisconnected


def _start(import_id: int) -> None:
    """Have a worker begin now. Without Redis it begins within a minute of its return."""
    try:
        runtime().start_import(import_id)
    except RedisError as error:
        log.warning("%s Redis is away: %s", g.request_id, type(error).__name__)


def _import(made: store.Progress) -> dict[str, Any]:
    return {
        "id": str(made.id),
        "format": made.format,
        "state": made.state,
        "lines": made.lines,
        "processed": made.processed,
        "posted": made.posted,
        "replayed": made.replayed,
        "rejected": made.rejected,
        "created_at": moment(made.created_at),
        "started_at": made.started_at and moment(made.started_at),
        "finished_at": made.finished_at and moment(made.finished_at),
        "report_until": made.report_until and moment(made.report_until),
    }


def _report(pages: Iterable[list[store.Refusal]]) -> Iterator[str]:
    yield ",".join(COLUMNS) + "\r\n"
    for page in pages:
        text = io.StringIO()
        writer = csv.writer(text)
        for row in page:
            cells = (row.code, row.detail, row.param or "", row.content)
            writer.writerow([row.line, *map(_harmless, cells)])
        yield text.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell
