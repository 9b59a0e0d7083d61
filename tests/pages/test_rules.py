"""Who may see what: made from the table of routes, so that no page can be forgotten."""

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from flask import Flask, url_for
from sqlalchemy import Engine, text
from werkzeug.routing import Rule as Route

from portal.pages import rules
from portal.pages.rules import RULES, Rule
from tests.pages.conftest import HTMX, Browser, Make

PAGES = "pages."
EXAMPLES = {
    "entry_id": "1-1",
    "asset": "GOLD_COIN",
    "day": "2026-11-20",
    "month": "2026-11",
    "token": "nobodys",
    "form": "csv",
    "ledger": "DREAM",
    "account": "TOKENS_INVENTORY",
    "hour": "2026-11-20T17:00Z",
}
"""Of what stands in an address; of anything else the number 1."""
OPEN = {"health.get_health", "health.get_readiness", "reference.get_document", "reference.get_docs"}
"""Calls that need no key; and static files."""
CHANGING = ("accountant", "approver", "admin")
VISITORS = (
    *("a stranger", "user", "viewer", *CHANGING),
    *(f"{role} without a second factor" for role in CHANGING),
)
COUNTS = """
SELECT string_agg(format('SELECT %L, count(*) FROM %I.%I', tablename, schemaname, tablename), ' UNION ALL ')
FROM pg_tables WHERE schemaname IN ('ledger', 'public')
"""


def pages(app: Flask, *, changing: bool) -> Iterator[tuple[Route, str]]:
    """The routes of pages that read, or that change something, each with an address of it."""
    for route in app.url_map.iter_rules():
        methods = (route.methods or set()) - {"HEAD", "OPTIONS"}
        if route.endpoint.startswith(PAGES) and (
            methods != {"GET"} if changing else "GET" in methods
        ):
            yield route, re.sub(r"<(?:[^<>:]+:)?(\w+)>", _example, route.rule)


def _example(found: re.Match[str]) -> str:
    return EXAMPLES.get(found[1], "1")


def rows(engine: Engine) -> dict[str, int]:
    """How many rows each table has."""
    with engine.connect() as connection:
        counts = connection.execute(text(str(connection.scalar(text(COUNTS)))))
        return {row[0]: row[1] for row in counts}


def enter(browser: Browser, make_person: Make, who: str) -> str | None:
    """Have the browser be somebody's; the role, if any."""
    if who == "a stranger":
        return None
    role, _, without = who.partition(" without ")
    browser.enter(make_person(role, second_factor=not without), second_factor=not without)
    return role


def expected(rule: Rule, role: str | None, who: str) -> str:
    """What the table promises, told a second time."""
    if role is None:
        return "in" if rule.strangers else "sign in"
    if rule == rules.STRANGERS:
        return "home"
    if who.endswith("without a second factor") and not rule.without_second_factor:
        return "second factor"
    return "in" if role in rule.roles else "refused"


def test_every_page_has_its_rule_and_every_rule_its_page(app: Flask) -> None:
    endpoints = {each.endpoint for each in app.url_map.iter_rules()}
    assert {each for each in endpoints if each.startswith(PAGES)} == set(RULES)


def test_what_is_no_page_needs_a_key_or_is_open_on_purpose(app: Flask) -> None:
    for route in app.url_map.iter_rules():
        if not route.endpoint.startswith(PAGES) and route.endpoint not in {*OPEN, "static"}:
            assert getattr(app.view_functions[route.endpoint], "scope", None), route


@pytest.mark.parametrize("who", VISITORS)
def test_every_page_answers_everybody_as_the_table_says(
    app: Flask, browser: Browser, make_person: Make, who: str
) -> None:
    role = enter(browser, make_person, who)
    with app.test_request_context():
        setting_up = url_for("pages.second_factor")
    for route, address in pages(app, changing=False):
        answer = browser.get(address)
        where = f"{who} at {address}: {answer.status}, {answer.location}"
        promised = expected(RULES[route.endpoint], role, who)
        if promised == "sign in":
            here = f"?next={quote(address, safe='/:')}" if address != "/" else ""
            assert (answer.status_code, answer.location) == (303, f"/sign-in{here}"), where
        elif promised == "home":
            assert (answer.status_code, answer.location) == (303, "/"), where
        elif promised == "second factor":
            assert answer.status_code == 303, where
            assert answer.location == setting_up, where
        elif promised == "refused":
            assert answer.status_code == 403, where
            assert "This page is not for you" in answer.text, where
        else:
            # 422: let in, and asked to say which file it is to be.
            assert answer.status_code in {200, 303, 404, 422}, where
            assert not str(answer.location).startswith("/sign-in?next="), where


@pytest.mark.parametrize("who", VISITORS)
def test_without_its_token_a_form_changes_nothing_and_says_to_try_again(
    app: Flask, browser: Browser, make_person: Make, engine: Engine, who: str
) -> None:
    role = enter(browser, make_person, who)
    before = rows(engine)
    refused = 0
    for route, address in pages(app, changing=True):
        promised = expected(RULES[route.endpoint], role, who)
        for method in (route.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            for headers in ({}, HTMX):
                answer = browser.client.open(address, method=method, headers=headers)
                where = f"{who} at {method} {address}: {answer.status}"
                if promised == "in":
                    assert answer.status_code == 400, where
                    assert "Please try again" in answer.text, where
                else:
                    assert answer.status_code in {200, 303, 403}, where
                    assert answer.status_code != 200 or "HX-Redirect" in answer.headers, where
                refused += promised == "refused"
    after = rows(engine)
    assert after.pop("audit_events") == before.pop("audit_events") + refused
    assert after == before


def test_a_token_of_another_browser_is_none(
    app: Flask, browser: Browser, make_person: Make
) -> None:
    stranger = Browser(app)
    stolen = stranger.token("/sign-in")
    person = make_person()
    fields = {"csrf_token": stolen, "email": person.email, "password": "x"}
    browser.get("/sign-in")
    assert browser.client.post("/sign-in", data=fields).status_code == 400


def test_a_page_without_a_rule_is_refused_to_everybody(
    app: Flask, browser: Browser, make_person: Make
) -> None:
    app.add_url_rule("/unruled", endpoint="pages.unruled", view_func=lambda: "all secrets")
    for who in VISITORS:
        visitor = Browser(app)
        enter(visitor, make_person, who)
        answer = visitor.get("/unruled")
        assert answer.status_code == 403
        assert "secrets" not in answer.text
    assert browser.get("/nowhere").status_code == 404


def test_rules_open_to_who_has_no_second_factor_yet_are_few(app: Flask) -> None:
    """Signing in and out, and what it takes to set one up."""
    assert app.url_map
    for endpoint, rule in RULES.items():
        assert rule.roles <= rules.USER | rules.STAFF
        if rule.without_second_factor:
            assert rule in {rules.ANYBODY, rules.SETTING_UP}, endpoint
