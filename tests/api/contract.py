"""Holds every answer of the tests against the OpenAPI document: what is sent must stand there."""

import json
from functools import cache
from typing import Any

import jsonschema_rs
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from portal.api import document
from portal.api.problems import CODES
from portal.headers import NAMES

PROBLEM = "application/problem+json"


class Contract:
    """The document of an app, and what was sent under it."""

    def __init__(self, app: Flask) -> None:
        self._rules = app.url_map.bind("localhost")
        with app.app_context():
            self.document = document.build(app)
        self._schemas = closed(self.document["components"]["schemas"])
        self._validator = cache(self._compiled)

    def check(self, method: str, path: str, answer: TestResponse) -> None:
        """The answer is one that the document allows; a refusal's code is of the closed list."""
        content, place = answer.data.decode(), f"{method} {path}: {answer.status} {answer.text}"
        media = answer.headers.get("Content-Type", "")
        if media == PROBLEM and content:
            assert json.loads(content)["code"] in CODES, place
        operation = self._operation(method, path)
        if operation is None:
            return
        status = str(answer.status_code)
        assert status in operation["responses"], place
        described = operation["responses"][status]
        told = {*answer.headers.keys()} - {"Content-Type", "Content-Length", "Date"}
        if answer.headers.get("Vary") == "Accept-Encoding":  # of the reference, which is compressed
            told -= {"Vary", "Content-Encoding"}
        for name in told:
            assert name in described["headers"] or name in UNSAID, f"{place}: {name}"
        if method == "HEAD" or not content:
            return
        assert media in described["content"], f"{place}: {media}"
        if media.endswith("json"):
            validator = self._validator(operation["operationId"], status, media)
            errors = [str(error) for error in validator.iter_errors(json.loads(content))]
            assert not errors, f"{place}: {errors}"

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        """What the document has at an address; None where there is no such call."""
        try:
            rule, _ = self._rules.match(path.partition("?")[0], method, return_rule=True)
        except HTTPException:
            return None
        if method == "OPTIONS" or rule.endpoint == "static":
            return None
        address = rule.rule.replace("<", "{").replace(">", "}")
        found: dict[str, Any] = (
            self.document["paths"]
            .get(address, {})
            .get("get" if method == "HEAD" else method.lower())
        )
        return found

    def _compiled(self, operation: str, status: str, media: str) -> Any:
        for methods in self.document["paths"].values():
            for each in methods.values():
                if each["operationId"] == operation:
                    schema = each["responses"][status]["content"][media]["schema"]
        whole = {**schema, "components": {"schemas": self._schemas}}
        return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


UNSAID = {"Allow", *NAMES}
"""Headers that HTTP explains; a call's document need not."""


def closed(schemas: dict[str, Any]) -> dict[str, Any]:
    """Schemas that allow no field but their own: what is answered must be documented."""
    return {
        name: {**schema, "additionalProperties": False} if "properties" in schema else schema
        for name, schema in schemas.items()
    }
