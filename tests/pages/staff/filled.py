"""A portal whose books are full, as a member of staff sees it; and pages read by their tables."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from flask import Flask
from sqlalchemy import URL, create_engine, insert
from werkzeug.test import TestResponse

from portal import create_app, ledger
from portal.runtime import runtime
from portal.services.models import SignIn
from tests.conftest import settings_for
from tests.factories import Books, Days, convert_due, some_days
from tests.ledger.test_account_books import settle
from tests.pages.conftest import Browser, Person
from tests.pages.reading import words

CELL = re.compile(r'<t[hd]([^>]*?data-label="([^"]*)"[^>]*)>(.*?)</t[hd]>', re.DOTALL)
HREF = re.compile(r'<a [^>]*?href="([^"]+)"')


@dataclass(frozen=True)
class Portal:
    """The app, its books, who is in them, and a browser of a viewer."""

    app: Flask
    books: Books
    days: Days
    viewer: Person
    browser: Browser

    def page(self, address: str, status: int = 200) -> "Shown":
        """An address as the viewer sees it."""
        answer = self.browser.get(address)
        assert answer.status_code == status, (address, answer.status_code, answer.text)
        return Shown(address, answer)


@dataclass(frozen=True)
class Cell:
    """Words of a table's cell, and where it leads."""

    text: str
    address: str | None

    def units(self, scale: int) -> int:
        """Its amount in base units; of an empty one 0."""
        whole, _, decimals = self.text.replace(",", "").replace("−", "-").partition(".")
        return int((whole or "0") + decimals.ljust(scale, "0"))


@dataclass(frozen=True)
class Shown:
    """A page that was answered."""

    address: str
    answer: TestResponse

    @property
    def text(self) -> str:
        """Its words, one space apart."""
        return words(self.answer.text)

    @property
    def rows(self) -> list[dict[str, Cell]]:
        """Of the bodies of its tables, each cell by its label."""
        return self._rows("tbody")

    @property
    def totals(self) -> list[dict[str, Cell]]:
        """The same of the feet of its tables."""
        return self._rows("tfoot")

    @property
    def facts(self) -> dict[str, str]:
        """Its list of figures, by name."""
        found = re.findall(r"<dt>(.*?)</dt>\s*<dd[^>]*>(.*?)</dd>", self.answer.text, re.DOTALL)
        return {words(name): words(said) for name, said in found}

    @property
    def trail(self) -> list[str]:
        """Where the way back leads, from the top."""
        found = re.search(r'<nav class="trail.*?</nav>', self.answer.text, re.DOTALL)
        assert found, self.address
        return [unescape(address) for address in HREF.findall(found.group())]

    def link(self, name: str) -> str:
        """Where the link of a name leads."""
        found = re.search(
            rf'<a [^>]*?href="([^"]+)"[^>]*>(?:(?!</a>).)*{name}', self.answer.text, re.DOTALL
        )
        assert found, f"no link {name} on {self.address}"
        return unescape(found.group(1))

    def _rows(self, part: str) -> list[dict[str, Cell]]:
        bodies = re.findall(rf"<{part}>(.*?)</{part}>", self.answer.text, re.DOTALL)
        rows = [row for body in bodies for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)]
        return [{label: _cell(inner) for _, label, inner in CELL.findall(row)} for row in rows]


def _cell(inner: str) -> Cell:
    address = HREF.search(inner)
    return Cell(words(inner), unescape(address.group(1)) if address else None)


@contextmanager
def filled(database: URL, directory: Path) -> Iterator[Portal]:
    """Books of some days, with settlements of earlier dates in closed hours and in the one that runs."""
    app = create_app(settings_for(database, directory))
    owner = create_engine(database)
    with app.app_context():
        books = Books(app.extensions["dreamland"].engine)
        days = some_days(books)
        settle(owner, 1, days=1)
        books.next_hour()
        convert_due()
        settle(owner, 2, days=2, amount=11)
        books.win(books.owner(), "0.3")
        browser = Browser(app)
    person = viewer(app)
    browser.enter(person, second_factor=True)
    yield Portal(app, books, days, person, browser)
    owner.dispose()
    app.extensions["dreamland"].engine.dispose()


def viewer(app: Flask, email: str = "viewer@example.com") -> Person:
    """A member of staff who may only look."""
    with app.app_context(), runtime().engine.begin() as connection:
        now = ledger.now(connection)
        row = {"email": email, "password_hash": "x", "role": "viewer", "name": "Vera"}
        row |= {"created_at": now}
        made = connection.execute(insert(SignIn).values(row).returning(SignIn.id)).scalar_one()
    return Person(made, email, "viewer", None)
