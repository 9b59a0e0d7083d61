"""What tests of staff's pages share: browsers of members of staff, the words of a page."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from werkzeug.test import TestResponse

from tests.pages.conftest import Browser, Make, Person

By = Callable[[str], Browser]


@pytest.fixture
def viewer(make_person: Make, browser: Browser) -> Person:
    """A member of staff who may only look, whom the browser belongs to."""
    person = make_person("viewer", "Vera")
    browser.enter(person, second_factor=True)
    return person


@pytest.fixture
def by(browser: Browser, make_person: Make) -> By:
    """A browser of a member of staff with that role."""

    def of(role: str) -> Browser:
        made = Browser(browser.app)
        made.enter(make_person(role), second_factor=True)
        return made

    return of


def words(answer: TestResponse) -> str:
    """The words of a page, one space apart."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())
