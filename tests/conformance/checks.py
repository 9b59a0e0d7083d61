"""Checks of ours beside schemathesis's own, which loads this module by its name."""

import csv
import json
from itertools import count
from typing import Any

import jsonschema_rs
import requests
import schemathesis

from portal.api.calls import IDEMPOTENCY_KEY
from portal.api.problems import CODES
from tests.api.files import COLUMNS, CSV

OF_THE_SCHEMA = {
    "malformed_json",
    "idempotency_key_missing",
    "idempotency_key_invalid",
    "unsupported_media_type",
    "validation_failed",
    "invalid_amount",
}
"""Codes that say the request was not what the document asks for."""
UNSAYABLE = {
    "time_zone": "the names of all time zones",
    "region": "the names of this server's regions",
    "occurred_at": "a date of the year 0, and a 30 February",
    "expires_at": "the same",
    "hour": "the same, and that it is a full hour",
    "at": "the same",
    "from": "that it is not after `to`",
    "amount": "above zero, and the scale of the asset",
    "cursor": "where the list's other pages begin",
    "file": "what the lines of a file say",
}
"""Parameters with a rule that no schema says, and the rule."""


NUMBERS = count(1)
TAKEN = (200, 202)
TIMEOUT_S = 30


@schemathesis.serializer("text/csv", "application/x-ndjson", "application/jsonl")
def file_of_wins(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    """A file is sent as it is; what is no text, as one line of JSON."""
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "replace")


@schemathesis.hook
def before_call(
    _context: schemathesis.HookContext, case: schemathesis.Case, _options: dict[str, Any]
) -> None:
    """The document's example of a key is used once: else most calls would only be told so."""
    name = "Idempotency-Key"
    if case.headers and case.headers.get(name) == IDEMPOTENCY_KEY.example:
        case.headers[name] = f"key-{next(NUMBERS)}"


@schemathesis.check
def only_a_rule_refuses_what_the_schema_allows(
    _context: schemathesis.CheckContext,
    response: schemathesis.Response,
    case: schemathesis.Case,
) -> None:
    """A request that is as the document asks is not refused for its form."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code < 400:
        return
    problem = response.json()
    if problem["code"] in OF_THE_SCHEMA and problem.get("param") not in UNSAYABLE:
        raise AssertionError(f"as documented, and yet refused: {problem}")


@schemathesis.check
def a_refusal_has_a_code_of_the_closed_list(
    _context: schemathesis.CheckContext,
    response: schemathesis.Response,
    _case: schemathesis.Case,
) -> None:
    """No other is ever sent, and none without a code."""
    if response.status_code >= 400:
        problem = response.json()
        if problem.get("code") not in CODES and problem.get("status") != "not ready":
            raise AssertionError(f"no problem of ours: {problem}")


@schemathesis.check
def a_batch_refuses_its_bad_items(
    _context: schemathesis.CheckContext,
    response: schemathesis.Response,
    case: schemathesis.Case,
) -> None:
    """What no schema allows is not booked, whatever stands beside it."""
    if case.operation.definition.raw.get("operationId") != "post_batch":
        return
    if response.status_code != 200 or response.request.method != "POST":
        return
    schemas = case.operation.schema.raw_schema["components"]["schemas"]
    item = jsonschema_rs.Draft202012Validator(schemas["BatchItem"], validate_formats=True)
    sent = json.loads(response.request.body or b"")["wins"]
    for each, result in zip(sent, response.json()["results"], strict=True):
        if not item.is_valid(each) and result["status"] != "rejected":
            raise AssertionError(f"not rejected: {each}")


@schemathesis.check
def an_import_refuses_what_is_no_file(
    _context: schemathesis.CheckContext,
    response: schemathesis.Response,
    case: schemathesis.Case,
) -> None:
    """A file that is taken has a win a line, below a header if it is CSV; without them it is refused."""
    if case.operation.definition.raw.get("operationId") != "post_import":
        return
    if response.status_code not in TAKEN or response.request.method != "POST":
        return
    sent = response.request.body or b""
    header, _, wins = (sent.encode() if isinstance(sent, str) else sent).partition(b"\n")
    no_files = [b"", b"\n \r\n"]
    if str(response.request.headers["Content-Type"]).startswith(CSV):
        named = next(csv.reader([header.decode("utf-8-sig")]), [])
        if sorted(named) != sorted(COLUMNS):
            raise AssertionError(f"taken without a header: {sent!r}")
        no_files += [header, wins + b"\n" + wins]  # else one win would be taken for the header
    for no_file in no_files:
        again = response.request.copy()
        again.headers["Idempotency-Key"] = f"no-file-{next(NUMBERS)}"
        again.prepare_body(no_file, None)
        again.headers["Content-Length"] = str(len(no_file))
        if requests.Session().send(again, timeout=TIMEOUT_S).status_code in TAKEN:
            raise AssertionError(f"taken, and no file of wins: {no_file!r}")
