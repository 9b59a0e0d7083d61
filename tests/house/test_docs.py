"""The docs say what is there: each route, each code, each kind, each test they name."""

import re
from pathlib import Path

import pytest
from flask import Flask

import config
from portal import create_app
from portal.api import calls
from portal.api.document import build
from portal.api.explanations import EXPLANATIONS
from portal.api.problems import CODES
from portal.ledger import chart
from tests.house.source import ROOT, files, read

DOCUMENTS = [Path("README.md"), *files("docs", "portal", "clients", suffix=".md")]
ERRORS, API, EDGES = Path("docs/errors.md"), Path("docs/api.md"), Path("docs/edge-cases.md")
EXAMPLES = Path("docs/examples.md")


@pytest.fixture(scope="module")
def app() -> Flask:
    """Routes only: nothing connects."""
    return create_app(
        config.load({"DATABASE_URL": "postgresql://nowhere/x", "DREAMLAND_ENV": "testing"})
    )


def test_every_error_code_is_documented_with_its_status_and_explained() -> None:
    rows = re.findall(r"^\| \d{3} \| `\w+` \|.*$", read(ERRORS), re.MULTILINE)
    assert set(EXPLANATIONS) == set(CODES)
    assert sorted(rows) == sorted(
        f"| {status} | `{code}` | {' | '.join(EXPLANATIONS[code])} |"
        for code, (status, _) in CODES.items()
    )


def test_every_route_is_documented_and_no_other(app: Flask) -> None:
    documented = set(re.findall(r"^\| `([A-Z]+) (/\S+)` \|", read(API), re.MULTILINE))
    routes = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and not rule.endpoint.startswith("pages.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert documented == routes


def test_every_route_is_in_the_openapi_document_and_no_other(app: Flask) -> None:
    described = {
        (method.upper(), path.replace("{", "<").replace("}", ">"))
        for path, methods in build(app)["paths"].items()
        for method in methods
    }
    assert described == {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and not rule.endpoint.startswith("pages.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_the_table_of_calls_names_the_scope_that_a_call_needs(app: Flask) -> None:
    rows = re.findall(r"^\| `([A-Z]+) (/\S+)` \| (\S+) \|", read(API), re.MULTILINE)
    assert {(method, path): scope.strip("`") for method, path, scope in rows} == {
        (route.method, route.rule.rule): route.scope or "none" for route in calls.routes(app)
    }


def test_every_call_of_the_docs_has_an_example_with_curl_and_no_other() -> None:
    """A heading of the call, and below it a block that tests/docs runs, with its answer."""
    documented = set(re.findall(r"^\| `([A-Z]+ /\S+)` \|", read(API), re.MULTILINE))
    sections = re.split(r"^##+ ", read(EXAMPLES), flags=re.MULTILINE)
    shown = {
        found[1]
        for section in sections
        if (found := re.match(r"`([A-Z]+ /\S+)`\n", section))
        and re.search(r"^```sh\n.*?^```\n\n```(json|csv|text)\n", section, re.MULTILINE | re.DOTALL)
    }
    missing = documented - shown
    assert not missing, f"calls without an example in {EXAMPLES}: {sorted(missing)}"
    assert shown == documented


def test_every_kind_of_entry_is_explained() -> None:
    text = read(Path("portal/ledger/README.md"))
    assert set(re.findall(r"^### (\w+)$", text, re.MULTILINE)) == {
        kind.code for kind in chart.KINDS
    }


def test_every_test_that_the_docs_name_exists() -> None:
    there = {
        name for path in files("tests") for name in re.findall(r"def (test_\w+)\(", read(path))
    }
    for document in DOCUMENTS:
        assert not set(re.findall(r"`(test_\w+)`", read(document))) - there, document
    assert len(re.findall(r"`(test_\w+)`", read(EDGES))) > 20


def test_every_link_between_documents_leads_somewhere() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", read(document)):
            assert (ROOT / document.parent / target).exists(), f"{document}: {target}"
