"""What a page may cost: six statements of SQL, 60 KB for a first visit, 10 KB for a fragment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import URL

from bench import weight
from bench.stage import Books
from gallery import scene
from gallery.pages import PAGES
from gallery.shown import Shown
from gallery.weeks import NOW
from portal import create_app
from portal.services import clients, wins
from tests.conftest import settings_for

STATEMENTS, FIRST_VISIT, FRAGMENT = 6, 60_000, 10_000
DAYS, WINS = 8, 60
"""Enough for every list to be longer than a page."""
SEEN_AS_THEY_ARE = [each for each in PAGES if each.status == 200 and not each.steps]


@dataclass(frozen=True)
class Site:
    """The app with the gallery's people in it."""

    app: Flask
    books: Books
    made: scene.Scene
    cookies: dict[str, dict[str, str]]

    def ask(self, shown: Shown, address: str, headers: Mapping[str, str]) -> bytes:
        """The body as it goes over the wire."""
        client = self.app.test_client(use_cookies=False)
        answer = client.get(address, headers={**headers, **self.cookies[shown.who]})
        assert answer.status_code == 200, address
        return answer.data


@pytest.fixture(scope="module")
def site(shared_database: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    settings = settings_for(shared_database, tmp_path_factory.mktemp("budgets"))
    app = create_app(settings)
    books = Books(app, {"DATABASE_URL": settings.database_url.replace("+psycopg2", "")})
    with app.app_context():
        made = scene.make(books, DAYS)
        client_id, ida = clients.named("arcade"), int(made.facts["win"].partition("-")[0])
        for number in range(WINS):
            at = NOW - timedelta(seconds=number)
            wins.book(
                client_id, wins.WinRequest(ida, f"w-{number}", 10**9 + 7, at, "maze", f"r-{number}")
            )
        cookies = {who: _cookie(books, id_) for who, id_ in made.people.items()}
    yield Site(app, books, made, cookies)
    books.runtime.engine.dispose()


def _cookie(books: Books, sign_in_id: int) -> dict[str, str]:
    if not sign_in_id:
        return {}
    made = scene.cookie(books, sign_in_id)
    return {"Cookie": f"{made['name']}={made['value']}"}


@pytest.mark.parametrize("shown", SEEN_AS_THEY_ARE, ids=lambda each: each.name)
def test_a_page_costs_little(site: Site, shown: Shown) -> None:
    def get(address: str, headers: Mapping[str, str]) -> bytes:
        return site.ask(shown, address, headers)

    address = site.made.address(shown.address)
    get(address, weight.AS_BROWSERS)  # what a process reads once, it has read
    for headers in (weight.AS_BROWSERS, weight.HTMX):
        with weight.statements(site.books.runtime.engine) as sent:
            get(address, headers)
        assert len(sent) <= STATEMENTS, sent
    assert weight.first_visit(get, address) <= FIRST_VISIT
    assert (weight.fragment(get, address) or 0) <= FRAGMENT


def test_a_statement_that_the_drivers_own_cursor_sends_counts(site: Site) -> None:
    with (
        weight.statements(site.books.runtime.engine) as sent,
        site.books.runtime.engine.connect() as connection,
    ):
        connection.exec_driver_sql("SELECT 2")
        with connection.connection.cursor() as cursor:
            cursor.execute("SELECT 3")
    assert sent == ["SELECT 2", "SELECT 3"]
