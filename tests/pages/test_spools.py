"""Files that are made on disk first: whole, or not at all."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from flask import Flask

from portal.pages import exports, spools
from portal.runtime import runtime
from tests.factories import Books
from tests.pages.conftest import Browser, Make

STAMP = exports.Stamp("numbers", datetime(2026, 11, 20, tzinfo=UTC), None)


def rows(count: int, *, broken: bool = False) -> Iterator[tuple[str, int]]:
    yield from (("x" * 50, number) for number in range(count))
    if broken:
        raise ConnectionError("the database went away")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("count", [0, 10, 20_000])
def test_the_length_of_a_file_is_told_and_it_comes_in_pieces(
    app: Flask, form: str, count: int
) -> None:
    """So one that breaks off on its way is seen to."""
    with app.test_request_context():
        response = exports.sheet(form, "numbers", ("text", "number"), rows(count), STAMP)
        pieces = list(response.iter_encoded())
        assert sum(map(len, pieces)) == response.content_length
        assert max(map(len, pieces)) <= spools.PIECE


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_fails_on_the_way_is_no_short_file(app: Flask, form: str) -> None:
    with app.test_request_context(), pytest.raises(ConnectionError):
        exports.sheet(form, "numbers", ("text", "number"), rows(9000, broken=True), STAMP)


def test_only_so_many_long_files_are_made_at_once(browser: Browser, make_person: Make) -> None:
    """Who comes then is told so, by a page."""
    browser.enter(make_person("viewer"), second_factor=True)
    with browser.app.app_context():
        Books(runtime().engine).bonus(make_person().user_id or 0, "DIAMOND", "1")
        now = Books(runtime().engine).now().astimezone(UTC).date()
    asked = {"first": now, "last": now, "format": "csv"}
    with ExitStack() as stack:
        for _ in range(spools.MOST):
            stack.enter_context(spools.long())
        refused = browser.get("/journals/file", query_string=asked)
    assert refused.status_code == 503
    assert "Several long files are being made: try again once one of them is done." in refused.text
    assert browser.get("/journals/file", query_string=asked).status_code == 200


def test_only_so_many_files_are_made_at_once(browser: Browser, make_person: Make) -> None:
    """Each holds a thread of those that the API has."""
    browser.enter(make_person("viewer"), second_factor=True)
    with ExitStack() as stack:
        for _ in range(spools.AT_ONCE):
            assert spools._files.acquire(blocking=False)
            stack.callback(spools._files.release)
        refused = browser.get("/staff.csv")
    assert refused.status_code == 503
    assert "Many files are being made: try again in a few seconds." in refused.text
    assert browser.get("/staff.csv").status_code == 200
