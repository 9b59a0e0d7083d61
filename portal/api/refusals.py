"""Refusals in the OpenAPI document: problems by status, each with the very codes that a call may send."""

from collections.abc import Iterable

from portal.api.explanations import EXPLANATIONS
from portal.api.problems import CODES
from portal.api.shapes import Json
from portal.services.fields import AMOUNT_PATTERN

MEDIA = "application/problem+json"
REQUEST_ID = "0c8a3f5e0e9f4f0e8a52c4f2a5d2c9b1"


def by_status(codes: Iterable[str]) -> dict[int, list[str]]:
    """Codes by their status, in the order of the closed list."""
    found: dict[int, list[str]] = {}
    for code in CODES:
        if code in codes:
            found.setdefault(CODES[code][0], []).append(code)
    return found


def described(codes: list[str]) -> str:
    """What happened, for each code."""
    return "\n".join(f"- `{code}`: {EXPLANATIONS[code][0]}" for code in codes)


def content(status: int, codes: list[str]) -> Json:
    """A problem with one of some codes."""
    schema = {
        "allOf": [{"$ref": "#/components/schemas/Problem"}],
        "properties": {"code": {"enum": codes}, "status": {"const": status}},
    }
    examples = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
    return {MEDIA: {"schema": schema, "examples": examples}}


def examples() -> Json:
    """A problem of each code."""
    return {code: _example(code) for code in CODES}


def _example(code: str) -> Json:
    status, title = CODES[code]
    happened, to_do = EXPLANATIONS[code]
    value = {
        "type": f"urn:dreamland:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": title,
        "request_id": REQUEST_ID,
    }
    return {"summary": happened, "description": f"To do: {to_do}.", "value": value}


def schemas() -> Json:
    """Of a problem, and of the closed list of codes."""
    figure = {"type": "string", "pattern": AMOUNT_PATTERN}
    figures = {
        "limit": "The day's limit, in DREAM; with `rate_limited`, in requests a minute.",
        "used": "Won on that day, in DREAM.",
        "remaining": "What the day has left, in DREAM; with `rate_limited`, requests this minute.",
        "balance": "All that the user owns, in the asset.",
        "held": "What holds have set aside, in the asset.",
        "available": "What may be spent, in the asset.",
    }
    properties: Json = {
        "type": {
            "type": "string",
            "pattern": "^urn:dreamland:problem:[a-z_]+$",
            "description": "The code, as a name for the whole world.",
        },
        "title": {"type": "string", "description": "The code, in words."},
        "status": {"type": "integer", "description": "The HTTP status again."},
        "code": {"$ref": "#/components/schemas/Code"},
        "detail": {"type": "string", "description": "What happened this time, in words."},
        "request_id": {"type": "string", "description": "Quote it when you ask about it."},
        "param": {"type": "string", "description": "The field or parameter that is wrong."},
        **{name: {**figure, "description": about} for name, about in figures.items()},
    }
    return {
        "Code": {
            "type": "string",
            "enum": list(CODES),
            "description": "Why a call was refused. The list is closed.",
        },
        "Problem": {
            "type": "object",
            "description": "A refusal (RFC 9457): nothing was written. After a 503 alone that is not sure:"
            " the same request with the same key tells, and books at most once.",
            "properties": properties,
            "required": ["type", "title", "status", "code", "detail", "request_id"],
        },
    }
