"""The tests' own eyes: what they must notice, they notice, in pages made wrong on purpose."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import checks
from tests.browser.looks import DESKTOP, PHONE, Look
from tests.browser.watched import Watched

BASE = "http://127.0.0.1:9"
GOOD = """<!doctype html><html lang="en"><head><title>A page</title>
<meta name="viewport" content="width=device-width"><style>{style}</style></head>
<body><main><h1>A page</h1>{body}</main></body></html>"""


class Pages:
    """Pages without a server."""

    def __init__(self, chromium: Browser, look: Look) -> None:
        self.context = chromium.new_context(**look.options, base_url=BASE)
        self.watched = Watched(self.context, BASE)

    def show(self, body: str, style: str = "", policy: str = "") -> Page:
        content = GOOD.format(body=body, style=style)
        headers = {"Content-Security-Policy": policy} if policy else {}
        self.context.route(
            f"{BASE}/",
            lambda route: route.fulfill(
                body=content, headers=headers, content_type="text/html; charset=utf-8"
            ),
        )
        page = self.context.new_page()
        page.goto("/")
        return page


@pytest.fixture(params=[DESKTOP, Look(script=False)], ids=str)
def pages(chromium: Browser, request: pytest.FixtureRequest) -> Pages:
    return Pages(chromium, request.param)


@pytest.fixture
def scripted(chromium: Browser) -> Pages:
    return Pages(chromium, DESKTOP)


def test_a_page_without_a_fault_has_no_problems(scripted: Pages) -> None:
    page = scripted.show("<p><a href='/'>Again</a></p>")
    assert checks.axe(page) == []
    assert checks.walk(page).problems == []
    assert not checks.scrolls_sideways(page)
    assert scripted.watched.problems == []


def test_a_style_that_the_policy_refuses_is_noticed_with_scripts_and_without(pages: Pages) -> None:
    pages.show("<p style='color: red'>Red</p>", policy="default-src 'none'")
    assert "Content Security Policy" in str(pages.watched.problems)


def test_an_inline_script_that_the_policy_refuses_is_noticed(scripted: Pages) -> None:
    scripted.show("<script>1</script>", policy="script-src 'self'; style-src 'unsafe-inline'")
    assert "Executing inline script violates" in str(scripted.watched.problems)


def test_an_error_of_a_script_is_noticed(scripted: Pages) -> None:
    scripted.show("<script>nobody.knows()</script>")
    assert "nobody is not defined" in str(scripted.watched.problems)


def test_a_request_to_another_host_is_noticed_with_scripts_and_without(pages: Pages) -> None:
    pages.show("<img src='http://pictures.example/a.png' alt='A'>")
    assert "another host: http://pictures.example/a.png" in str(pages.watched.problems)


def test_a_part_of_a_page_that_is_missing_is_noticed(scripted: Pages) -> None:
    scripted.context.route(f"{BASE}/gone.css", lambda route: route.fulfill(status=404))
    scripted.show("<link rel='stylesheet' href='/gone.css'>")
    assert f"404 from {BASE}/gone.css" in scripted.watched.problems


def test_axe_sees_what_is_wrong_in_one_theme_alone(scripted: Pages) -> None:
    style = "@media (prefers-color-scheme: dark) { p { color: #777; background: #666 } }"
    found = checks.axe(scripted.show("<p>Pale</p>", style))
    assert [each.partition(" at")[0] for each in found] == ["dark: color-contrast"]


def test_axe_runs_under_a_policy_that_forbids_inline_script_and_eval(scripted: Pages) -> None:
    policy = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'"
    page = scripted.show("<img src='data:,' id='nameless'>", policy=policy)
    assert "light: image-alt" in str(checks.axe(page))


def test_the_walk_misses_what_the_tab_key_does_not_reach(scripted: Pages) -> None:
    trap = "onfocus=\"document.getElementById('first').focus()\""
    body = f"<a id='first' href='#1'>First</a> <a href='#2' {trap}>Trap</a> <a href='#3'>Last</a>"
    assert "the Tab key does not reach <a> Last" in checks.walk(scripted.show(body)).problems


def test_the_walk_notices_focus_that_nobody_sees(scripted: Pages) -> None:
    page = scripted.show("<a href='/'>Again</a>", "a { outline: none }")
    assert checks.walk(page).problems == ["no visible focus on <a> Again"]


def test_the_walk_notices_focus_below_a_header_that_stays(scripted: Pages) -> None:
    style = "#over { position: fixed; inset: 0 0 auto 0; height: 300px; background: white }"
    page = scripted.show("<div id='over'></div><a href='/'>Again</a>", style)
    assert checks.walk(page).problems == ["the focus is out of view on <a> Again"]


def test_a_page_wider_than_a_phone_is_noticed(chromium: Browser) -> None:
    page = Pages(chromium, PHONE).show("<p>Wide</p>", "p { width: 400px }")
    assert checks.scrolls_sideways(page)
