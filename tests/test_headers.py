"""The security headers: on every route with every method, on what is nowhere, on errors and 304s."""

import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import URL
from werkzeug.test import TestResponse

from config import Settings
from portal import create_app, headers
from portal.api import reference
from portal.headers import API_CSP, CSP, NAMES, PAGES_CSP, USUAL
from portal.services import clients

HTTPS = "Strict-Transport-Security"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NOWHERE = (
    *("/nowhere", "/api", "/api/", "/api/v1/nowhere", "//", "/static/", "/static/nothing.css"),
    *("/static/../config.py", "/links/nothing", "/%00", "/%ff", "/api/v1/users/x/wins"),
)


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


def addresses(app: Flask) -> list[str]:
    """One of every route; of static files a real one."""
    found = {re.sub("<[^>]+>", "1", rule.rule) for rule in app.url_map.iter_rules()}
    return sorted(found | {"/static/portal.css"})


def check(answer: TestResponse, csp: str) -> None:
    """All headers, each once, and nothing of https in an answer by http."""
    where = f"{answer.request.method} {answer.request.path}: {answer.status}"
    for name in NAMES - {HTTPS}:
        assert len(answer.headers.getlist(name)) == 1, f"{where}: {name}"
    assert answer.headers[CSP] == csp, where
    for name, value in USUAL:
        stricter = csp == reference.CSP and name in reference.SECURITY
        assert answer.headers[name] == (reference.SECURITY[name] if stricter else value), where
    assert HTTPS not in answer.headers, where


def csp_of(path: str) -> str:
    return API_CSP if path.startswith("/api/") else PAGES_CSP


@pytest.mark.parametrize("method", METHODS)
def test_every_route_has_all_headers_whatever_it_answers(
    app: Flask, client: FlaskClient, method: str
) -> None:
    for path in addresses(app):
        with client.open(path, method=method) as answer:
            of_reference = path in {"/docs", "/openapi.json"} and answer.status_code == 200
            own = of_reference and method in {"GET", "HEAD"}
            check(answer, reference.CSP if own else csp_of(path))


@pytest.mark.parametrize("path", NOWHERE)
def test_an_address_that_is_nowhere_has_them(client: FlaskClient, path: str) -> None:
    for method in METHODS:
        with client.open(path, method=method) as answer:
            assert answer.status_code >= 300 or method == "OPTIONS"
            check(answer, csp_of(path))


def test_pages_and_calls_that_work_have_them(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        key = clients.create_key("tests", list(clients.SCOPES))
    signed = {"Authorization": f"Bearer {key}"}
    for path in ("/api/v1/assets", "/healthz", "/readyz", "/sign-in"):
        answer = client.get(path, headers=signed)
        assert answer.status_code == 200
        check(answer, csp_of(path))


def test_an_answer_without_a_body_has_them(client: FlaskClient) -> None:
    for path, csp in (("/static/portal.css", PAGES_CSP), ("/docs", reference.CSP)):
        with client.get(path) as first:
            tag = first.headers["ETag"]
        with client.get(path, headers={"If-None-Match": tag}) as again:
            assert again.status_code == 304
            check(again, csp)


def test_a_bug_has_them(app: Flask) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.get("/api/broken")
    def broken() -> str:
        raise LookupError

    with app.test_client().get("/api/broken") as answer:
        assert answer.status_code == 500
        check(answer, API_CSP)


def test_by_https_a_browser_is_told_to_stay_there(app: Flask) -> None:
    client = app.test_client()
    for path in ("/sign-in", "/api/v1/assets", "/nowhere", "/docs"):
        answer = client.get(path, base_url="https://localhost")
        assert answer.headers.getlist(HTTPS) == ["max-age=31536000"]


def test_behind_a_proxy_the_visitors_own_scheme_counts(settings: Settings) -> None:
    client = create_app(replace(settings, proxies=1)).test_client()
    told = client.get("/sign-in", headers={"X-Forwarded-Proto": "https"})
    assert HTTPS in told.headers
    assert HTTPS not in client.get("/sign-in").headers


def test_the_policy_lets_nothing_inline_and_nobody_else_in() -> None:
    for policy in (PAGES_CSP, API_CSP, reference.CSP):
        assert policy.startswith("default-src 'none'")
        assert not re.search(r"unsafe|https?:|\*|nonce", policy)
        for part in ("base-uri 'none'", "frame-ancestors 'none'", "form-action"):
            assert part in policy
    assert "script-src" not in reference.CSP
    assert headers.API == "/api/"
