"""What the tests of pages share: a Chromium, a running site for each module, and pages under watch.

A test fails by itself when a page of it logs an error, breaks the content policy or asks another
host for anything. What a failed test last saw is in VAR_DIR/screenshots.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import URL

from local import browser
from local.environment import var_directory
from tests.browser.looks import DESKTOP, Look
from tests.browser.site import Site, served
from tests.browser.watched import Watched
from tests.obtained import obtained

PATIENCE_MS = 15_000
TALLEST = 3000
FAILED = pytest.StashKey[bool]()
Open = Callable[..., Page]

expect.set_options(timeout=PATIENCE_MS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    if report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (__file__, 1, report.longrepr[2])  # one line for all, not one for each
    return report


@pytest.fixture(scope="session")
def executable(request: pytest.FixtureRequest) -> Path:
    """Chromium's; a test that can't have one says so, and where one is required it fails."""
    return obtained(request, browser, "a browser")


@pytest.fixture(scope="package")
def chromium(executable: Path) -> Iterator[Browser]:
    """Ends with the tests of this directory: others want an event loop of their own."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=executable, args=browser.flags())
        yield made
        made.close()


@pytest.fixture(scope="module")
def site(shared_database: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests of a module: each test has users of its own."""
    with served(shared_database, tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture
def look() -> Look:
    """How `page` is looked at, where a test is not parametrized with other looks."""
    return DESKTOP


@pytest.fixture
def open_page(
    chromium: Browser, site: Site, look: Look, request: pytest.FixtureRequest
) -> Iterator[Open]:
    """Opens a page in a browser of its own that knows no cookie; each call makes one more."""
    watches: list[Watched] = []

    def opened(as_: Look = look, **options: Any) -> Page:
        context = chromium.new_context(**(as_.options | {"base_url": site.base} | options))
        context.set_default_timeout(PATIENCE_MS)
        watches.append(Watched(context, site.base))
        return context.new_page()

    yield opened
    if request.node.stash.get(FAILED, False):
        _keep(watches, request.node.name)
    problems = [problem for watched in watches for problem in watched.problems]
    for watched in watches:
        watched.context.close()
    assert not problems, problems


@pytest.fixture
def page(open_page: Open) -> Page:
    return open_page()


def _keep(watches: list[Watched], test: str) -> None:
    """Pictures of what a failed test last saw."""
    directory = var_directory() / "screenshots"
    pages = [page for watched in watches for page in watched.context.pages]
    for number, each in enumerate(pages):
        name = re.sub(r"\W+", "-", f"{test}-{number}").strip("-")
        part = {"x": 0, "y": 0, "width": (each.viewport_size or {})["width"], "height": TALLEST}
        each.screenshot(path=directory / f"{name}.png", full_page=True, clip=part)
        print(f"\n{each.url} is shown in {directory / name}.png")
