"""What tests of staff's pages share: browsers of members of staff, the words of a page."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import URL

from tests.pages.conftest import Browser, Make, Person
from tests.pages.staff.filled import Portal, filled

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


@pytest.fixture
def admin(make_person: Make, browser: Browser) -> Person:
    """An admin, whom the browser belongs to."""
    person = make_person("admin", "Grace")
    browser.enter(person, second_factor=True)
    return person


@pytest.fixture(scope="module")
def portal(shared_database: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """One whose books are full, for all tests of a module: they only read."""
    with filled(shared_database, tmp_path_factory.mktemp("books")) as made:
        yield made
