"""The document and its page: complete, valid, quick to ask for again, and safe to look at."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import jsonschema_rs
import pytest

from portal.api import calls
from portal.api.problems import CODES
from portal.services import clients
from tests.api.conftest import Api


@pytest.fixture
def document(api: Api) -> Any:
    return api.read("/openapi.json")


def operations(document: Any) -> list[Any]:
    return [each for methods in document["paths"].values() for each in methods.values()]


def schemas_in(value: Any) -> list[Any]:
    """Every object in a document, wherever it is."""
    if isinstance(value, list):
        return [found for each in value for found in schemas_in(each)]
    if isinstance(value, dict):
        return [value, *(found for each in value.values() for found in schemas_in(each))]
    return []


def test_the_document_is_openapi_3_1_and_needs_no_key(api: Api) -> None:
    answer = api.get("/openapi.json", token=None)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.json is not None
    assert answer.json["openapi"] == "3.1.0"
    assert answer.json["info"]["title"] == "Dreamland"
    assert answer.json["servers"]
    assert answer.json["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_every_reference_leads_somewhere(document: Any) -> None:
    for each in schemas_in(document):
        if "$ref" in each:
            kind, name = re.fullmatch("#/components/(.+)/(.+)", each["$ref"]).groups()  # type: ignore[union-attr]
            assert name in document["components"][kind], each


def test_every_call_says_all_that_a_caller_must_know(document: Any) -> None:
    names = [each["operationId"] for each in operations(document)]
    assert len(names) == len(set(names)) > 20
    for each in operations(document):
        assert each["summary"], each
        assert each["tags"], each
        assert "500" in each["responses"], each["operationId"]
        for parameter in each["parameters"]:
            assert parameter["description"], parameter
            assert parameter["schema"]["type"], parameter
            assert "example" in parameter or parameter["name"] in ("cursor", "after"), parameter
        for status, response in each["responses"].items():
            assert response["description"], (each["operationId"], status)
            assert "X-Request-Id" in response["headers"]
            assert status in ("204", "304") or response["content"], (each["operationId"], status)


def test_every_call_but_the_open_ones_needs_a_scope_that_exists(document: Any) -> None:
    for each in operations(document):
        is_open = each["tags"][0] in ("health", "reference")
        assert bool(each["security"]) is not is_open, each["operationId"]
        for needed in each["security"]:
            assert set(needed["key"]) <= set(clients.SCOPES)
            assert {"401", "403"} <= set(each["responses"])


def test_every_field_has_a_type_a_meaning_and_an_example(document: Any) -> None:
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        assert schema["description"], name
        for field, given in schema.get("properties", {}).items():
            known = schemas[given["$ref"].rpartition("/")[2]] if "$ref" in given else given
            assert known.get("description"), (name, field)
            assert {"type", "anyOf", "enum", "const", "$ref"} & set(known), (name, field)
            is_plain = known.get("type") in ("string", "integer", "boolean") and name != "Problem"
            assert known.get("examples") or not is_plain, (name, field)


def test_every_example_is_what_its_schema_asks_for(document: Any) -> None:
    components = {"components": document["components"]}
    checked = 0
    for each in operations(document):
        contents = [each.get("requestBody", {}), *each["responses"].values()]
        for media, content in ((m, c) for x in contents for m, c in x.get("content", {}).items()):
            validator = jsonschema_rs.Draft202012Validator(
                {**content["schema"], **components}, validate_formats=True
            )
            shown = [content["example"]] if "example" in content else []
            for reference in content.get("examples", {}).values():
                code = reference["$ref"].rpartition("/")[2]
                shown.append(document["components"]["examples"][code]["value"])
            assert shown, (each["operationId"], media)
            for example in shown:
                errors = [str(error) for error in validator.iter_errors(example)]
                assert not errors, (each["operationId"], example)
                checked += 1
    assert checked > 200


def test_every_code_is_in_the_document_and_no_other(document: Any) -> None:
    assert document["components"]["schemas"]["Code"]["enum"] == list(CODES)
    sent = {
        code
        for each in schemas_in(document["paths"])
        for code in each.get("properties", {}).get("code", {}).get("enum", [])
    }
    assert sent == set(CODES) - {"method_not_allowed"}  # the answer to what is no call


@pytest.mark.parametrize("word", ["newest first", "oldest first", "`after`", "400, 414 or 431"])
def test_what_holds_for_all_calls_is_said_once_at_the_top(document: Any, word: str) -> None:
    assert word in document["info"]["description"]


def test_the_answers_that_are_tagged_say_who_may_keep_them(document: Any) -> None:
    tagged = 0
    for each in operations(document):
        for status in {"200", "304"} & set(each["responses"]):
            headers = set(each["responses"][status]["headers"])
            is_tagged = "ETag" in headers
            assert ("Cache-Control" in headers) is is_tagged, each["operationId"]
            assert ("Vary" in headers) is (is_tagged and bool(each["security"]))
            tagged += is_tagged
    assert tagged > 20


def test_a_figure_means_what_it_does_in_each_problem_that_has_it(document: Any) -> None:
    problem = document["components"]["schemas"]["Problem"]
    for figure in ("limit", "remaining"):
        assert "rate_limited" in problem["properties"][figure]["description"]
    assert "503" in problem["description"]


def test_every_code_that_a_call_names_is_of_the_closed_list(api: Api) -> None:
    for route in calls.routes(api.app):
        assert set(route.call.codes) <= set(CODES), route.operation


def test_a_parameter_is_taken_if_and_only_if_the_document_has_it(api: Api, document: Any) -> None:
    """By calling with each, and with one that nobody has."""
    owner = api.user()
    known = {
        "user_id": owner,
        "asset": "GOLD_COIN",
        "hold_id": f"{owner}-1",
        "import_id": "1",
        "endpoint_id": "1",
    }
    for route in calls.routes(api.app):
        if route.method != "GET" or not route.scope:
            continue
        address = route.rule.rule.replace("<", "{").replace(">", "}")
        path = address.format_map(known | {"entry_id": f"{owner}-1"})
        described = document["paths"][address]["get"]["parameters"]
        names = {each["name"] for each in described if each["in"] == "query"}
        for name in ("limit", "cursor", "after", "since", "types", "from", "to", "at", "nobodys"):
            answer = api.get(path.removeprefix("/api/v1") + f"?{name}=%00")
            assert answer.json is not None
            is_unknown = "no such parameter" in answer.json.get("detail", "")
            assert is_unknown is (name not in names), (path, name, answer.text)


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_who_has_it_is_told_that_it_is_still_true(api: Api, path: str) -> None:
    first = api.get(path, token=None)
    again = api.get(path, token=None, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    other = api.get(path, token=None, headers={"If-None-Match": '"another"'})
    assert (other.status_code, other.data) == (200, first.data)
    assert api.call("HEAD", path).status_code == 200


class Page(HTMLParser):
    """What a page is made of, as far as a browser would run or fetch it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def values(self, name: str) -> list[str]:
        return [value for _, given in self.tags if (value := given.get(name)) is not None]


@pytest.fixture
def page(api: Api) -> Page:
    return Page(api.get("/docs", token=None).text)


def test_the_page_allows_no_script_and_no_foreign_host(api: Api) -> None:
    answer = api.get("/docs", token=None)
    policy = dict(
        each.strip().split(" ", 1) for each in answer.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == policy["img-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert not {"script-src", "connect-src"} & set(policy)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_the_page_has_nothing_that_its_policy_forbids(page: Page) -> None:
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "style", "iframe", "object", "embed", "form", "base", "img"}
    attributes = {name for _, given in page.tags for name in given}
    assert not {name for name in attributes if name == "style" or name.startswith("on")}
    assert all(re.match("[/#]", target) for target in page.values("href"))


def test_every_link_of_the_page_leads_somewhere(api: Api, page: Page) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    for target in set(page.values("href")):
        if target.startswith("#"):
            assert target[1:] in ids, target
        else:
            answer = api.get(target, token=None)
            answer.close()
            assert answer.status_code == 200, target


def test_the_page_shows_every_call_and_explains_every_code(page: Page, document: Any) -> None:
    ids = set(page.values("id"))
    assert {each["operationId"] for each in operations(document)} <= ids
    assert {f"error-{code}" for code in CODES} <= ids


def test_what_the_page_quotes_is_escaped(api: Api) -> None:
    text = api.get("/docs", token=None).text
    assert "Bearer &lt;key&gt;" in text
    assert "<key>" not in text
    assert json.dumps("Ida") not in text  # quotes, too
