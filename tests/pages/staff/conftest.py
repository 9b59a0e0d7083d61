"""Staff who look at the books, in browsers of their own."""

import pytest

from tests.pages.conftest import Browser, Make, Person


@pytest.fixture
def viewer(make_person: Make, browser: Browser) -> Person:
    """A member of staff who may only look, whom the browser belongs to."""
    person = make_person("viewer", "Vera")
    browser.enter(person, second_factor=True)
    return person
