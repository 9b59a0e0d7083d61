"""The documentation page: the OpenAPI document as people read it. No script: links, tables, text."""

import json
import re
from dataclasses import dataclass
from typing import Any

from flask import render_template
from markupsafe import Markup, escape

from portal.api.explanations import EXPLANATIONS
from portal.api.problems import CODES
from portal.api.shapes import Json

MORE_THAN_ONE = "[]"


@dataclass(frozen=True)
class Field:
    """A row of a table: a field, with its place in the whole."""

    name: str
    type: str
    is_required: bool
    description: str
    example: str


@dataclass(frozen=True)
class Shown:
    """An answer that is no refusal."""

    status: str
    description: str
    headers: list[str]
    fields: list[Field]
    example: str


@dataclass(frozen=True)
class Operation:
    """A call as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    scope: str | None
    parameters: list[tuple[str, Field]]
    body: list[Field]
    media: list[str]
    is_body_required: bool
    answers: list[Shown]
    problems: list[tuple[str, list[str]]]
    curl: str


def render(document: Json) -> str:
    """The whole page."""
    operations = [
        (tag, [_operation(*each, document) for each in _of(tag["name"], document)])
        for tag in document["tags"]
    ]
    return render_template(
        "docs.html",
        info=document["info"],
        version=document["openapi"],
        groups=operations,
        codes=[(code, *CODES[code], *EXPLANATIONS[code]) for code in CODES],
        headers=document["components"]["headers"],
        prose=prose,
    )


def _of(tag: str, document: Json) -> list[tuple[str, str, Json]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if tag in operation["tags"]
    ]


def _operation(method: str, path: str, operation: Json, document: Json) -> Operation:
    content = operation.get("requestBody", {}).get("content", {})
    body = content.get("application/json", {})
    answers, problems = _answers(operation["responses"], document)
    security = operation.get("security") or []
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"].rstrip("."),
        description=operation["description"],
        scope=security[0]["key"][0] if security else None,
        parameters=[(each["in"], _parameter(each)) for each in operation["parameters"]],
        body=fields(body.get("schema"), document),
        media=list(content),
        is_body_required=operation.get("requestBody", {}).get("required", False),
        answers=answers,
        problems=problems,
        curl=_curl(method, path, operation),
    )


def _parameter(given: Json) -> Field:
    schema = given["schema"]
    example = given.get("example", "")
    return Field(given["name"], kind(schema), given["required"], given["description"], str(example))


def _answers(responses: Json, document: Json) -> tuple[list[Shown], list[tuple[str, list[str]]]]:
    answers, problems = [], []
    for status, response in responses.items():
        content = response.get("content", {})
        if "application/problem+json" in content:
            schema = content["application/problem+json"]["schema"]
            problems.append((status, schema["properties"]["code"]["enum"]))
            continue
        media: Json = next(iter(content.values()), {})
        example = media.get("example", "")
        shown = fields(media.get("schema"), document)
        text = example if isinstance(example, str) else json.dumps(example, indent=2)
        names = list(response.get("headers", {}))
        answers.append(Shown(status, response["description"], names, shown, text))
    return answers, problems


def fields(schema: Json | None, document: Json, place: str = "") -> list[Field]:
    """The fields of an object, and of the objects in it, named by their way there."""
    known = _resolved(schema or {}, document)
    found = []
    for name, given in known.get("properties", {}).items():
        inner, suffix = _inner(given, document)
        described = _resolved(given, document) | given
        found.append(
            Field(
                place + name + suffix,
                kind(_resolved(given, document)),
                name in known.get("required", []),
                described.get("description", ""),
                _said(given.get("examples")),
            )
        )
        found += fields(inner, document, f"{place}{name}{suffix}.") if inner else []
    return found


def _said(examples: list[Any] | None) -> str:
    return "" if not examples or examples[0] is None else str(examples[0])


def _resolved(schema: Json, document: Json) -> Json:
    if "$ref" in schema:
        named: Json = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return named
    return schema


def _inner(schema: Json, document: Json) -> tuple[Json | None, str]:
    """The object within a field, if any, and what is put behind the field's name for it."""
    for choice in schema.get("anyOf", [schema]):
        known = _resolved(choice, document)
        if known.get("type") == "array":
            return _inner(known["items"], document)[0], MORE_THAN_ONE
        if "properties" in known:
            return known, ""
    return None, ""


def kind(schema: Json) -> str:
    """A schema's type in a few words."""
    choices = schema.get("anyOf", [schema])
    words = [_word(each) for each in choices]
    return " or ".join(dict.fromkeys(words))


def _word(schema: Json) -> str:
    if "const" in schema:
        return f'"{schema["const"]}"'
    if "enum" in schema:
        return " | ".join(f'"{each}"' for each in schema["enum"])
    if "$ref" in schema:
        return "object"
    name = str(schema.get("format") or schema.get("type") or "any")
    if "minimum" in schema and "maximum" in schema:
        return f"{name} {schema['minimum']}–{schema['maximum']}"
    if "maxLength" in schema and "format" not in schema:
        return f"{name}, {schema.get('minLength', 0)}–{schema['maxLength']}"
    return name


def _curl(method: str, path: str, operation: Json) -> str:
    lines = []
    for given in operation["parameters"]:
        if given["in"] == "path":
            path = path.replace(f"{{{given['name']}}}", str(given["example"]))
        if given["in"] == "header" and given["required"]:
            lines.append(f"-H '{given['name']}: {given['example']}'")
    if operation.get("security"):
        lines.insert(0, '-H "Authorization: Bearer $KEY"')
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        example = content["example"]
        text = example if isinstance(example, str) else json.dumps(example, indent=2)
        lines += [f"-H 'Content-Type: {media}'", f"--data-binary '{text}'"]
        break
    verb = (
        "" if method in ("get", "post") and (method == "get" or lines) else f"-X {method.upper()} "
    )
    return " \\\n  ".join([f'curl {verb}"$HOST{path}"', *lines])


def prose(text: str) -> Markup:
    """Paragraphs, `code` and **bold** of Markdown, as HTML."""
    paragraphs = []
    for each in text.strip().split("\n\n"):
        safe = str(escape(each))
        safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", safe)
        safe = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", safe)
        paragraphs.append(f"<p>{safe}</p>")
    return Markup("".join(paragraphs))  # noqa: S704 - escaped above
