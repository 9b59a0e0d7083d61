"""Pages as a browser gets them, without the browser: cookies, tokens of forms, signed in or not."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select
from werkzeug.test import TestResponse

from portal import ledger
from portal.runtime import runtime
from portal.services import users
from portal.services.accounts import passwords, sessions
from portal.services.models import SignIn

PASSWORD = "correct horse battery"
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
HTMX = {"HX-Request": "true"}


@dataclass(frozen=True)
class Person:
    """Somebody with a sign-in; a user of the games has books, staff have none."""

    sign_in_id: int
    email: str
    role: str
    user_id: int | None


class Browser:
    """A browser of somebody, or of nobody yet."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client: FlaskClient = app.test_client()
        self.client.environ_base["HTTP_ACCEPT"] = "text/html,*/*;q=0.8"

    def get(self, address: str, **more: Any) -> TestResponse:
        return self.client.get(address, **more)

    def fragment(self, address: str, **headers: str) -> TestResponse:
        """What htmx gets."""
        return self.client.get(address, headers={**HTMX, **headers})

    def token(self, page: str) -> str:
        """The token of a page's form."""
        found = TOKEN.search(self.get(page).text)
        assert found, f"{page} has no form"
        return found.group(1)

    def post(self, address: str, page: str | None = None, **fields: Any) -> TestResponse:
        """Send the form of a page (that of the address itself, unless another is named)."""
        data = {"csrf_token": self.token(page or address), **fields}
        return self.client.post(address, data=data)

    def enter(self, person: Person, *, second_factor: bool = False) -> None:
        """Sign in without the page."""
        with self.app.app_context(), runtime().engine.begin() as connection:
            secret = sessions.start(connection, person.sign_in_id, second_factor=second_factor)
        with self.client.session_transaction() as cookie:
            cookie["_user_id"] = secret
            cookie["_fresh"] = True


Make = Callable[..., Person]


@cache
def hashed() -> str:
    """Of PASSWORD, once: it takes its time."""
    return passwords.hash_of(PASSWORD)


@pytest.fixture
def make_person(app: Flask) -> Make:
    """Makes people; the password of all is PASSWORD. Staff have a second factor unless told otherwise.

    They are numbered by those that there are: tests may share a database.
    """

    def make(
        role: str = "user", name: str = "Ida", zone: str = "UTC", *, second_factor: bool = True
    ) -> Person:
        with app.app_context():
            with runtime().engine.connect() as connection:
                number = 1 + connection.execute(select(func.count(SignIn.id))).scalar_one()
            email = f"person-{number}@example.com"
            user_id = None
            if role == "user":
                user_id = users.create(f"person-{number}", name, zone)[0].id
            with runtime().engine.begin() as connection:
                now = ledger.now(connection)
                row = {
                    "email": email,
                    "password_hash": hashed(),
                    "role": role,
                    "user_id": user_id,
                    "name": None if user_id else name,
                    "created_at": now,
                    "totp_since": now if role != "user" and second_factor else None,
                }
                made = insert(SignIn).values(row).returning(SignIn.id)
                return Person(connection.execute(made).scalar_one(), email, role, user_id)

    return make


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Of nobody yet."""
    return Browser(app)


@pytest.fixture
def ida(make_person: Make, browser: Browser) -> Person:
    """A user in UTC, whom the browser belongs to."""
    person = make_person()
    browser.enter(person)
    return person
