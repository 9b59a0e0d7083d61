"""People with an account and a browser that is signed in, made by services: the fast way past the door."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import pyotp
from flask import Flask
from playwright.sync_api import BrowserContext

from portal.runtime import runtime
from portal.services import users
from portal.services.accounts import passwords, second_factor, sessions, sign_ins

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Person:
    """Somebody with a sign-in; a user of the games has books, staff have none."""

    sign_in_id: int
    email: str
    name: str
    user_id: int
    """0 of staff."""
    totp: pyotp.TOTP | None
    """The app on the phone, of who has a second factor."""


@dataclass
class People:
    """Makes people for one site."""

    app: Flask
    base: str
    _numbers: Callable[[], int] = field(default_factory=lambda: count(1).__next__)
    _hashed: str = field(default_factory=lambda: passwords.hash_of(PASSWORD))

    def user(self, name: str = "Ida", zone: str = "UTC") -> Person:
        """A user of the games; the password of all is PASSWORD."""
        number = self._numbers()
        email = f"player-{number}@example.com"
        with self.app.app_context():
            user_id = users.create(f"player-{number}", name, zone)[0].id
            return self._signing_in(email, name, "user", user_id)

    def staff(self, role: str, name: str = "Grace") -> Person:
        """A member of staff; who may change anything has a second factor, as they must."""
        email = f"{role}-{self._numbers()}@example.com"
        with self.app.app_context():
            made = self._signing_in(email, name, role, 0)
        return made if role == "viewer" else self.with_second_factor(made)

    def with_second_factor(self, person: Person) -> Person:
        """The same with an app on the phone that tells codes."""
        with self.app.app_context():
            second_factor.begin(person.sign_in_id, PASSWORD)
            begun = second_factor.begun(person.sign_in_id)
            assert begun
            totp = pyotp.TOTP(begun.secret)
            second_factor.confirm(person.sign_in_id, 0, totp.now())
        return Person(person.sign_in_id, person.email, person.name, person.user_id, totp)

    def enter(self, context: BrowserContext, person: Person) -> None:
        """Sign a browser in without the page."""
        self.let_in(context, person.sign_in_id, second_factor=person.totp is not None)

    def let_in(self, context: BrowserContext, sign_in_id: int, *, second_factor: bool) -> None:
        """The same by the number of a sign-in."""
        with self.app.app_context(), runtime().engine.begin() as connection:
            secret = sessions.start(connection, sign_in_id, second_factor=second_factor)
        serializer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        value = serializer.dumps({"_user_id": secret, "_fresh": True, "_permanent": True})
        cookie = {"name": self.app.config["SESSION_COOKIE_NAME"], "value": value}
        host = self.base.replace(
            "http:", "https:"
        )  # the cookie is for safe places; 127.0.0.1 is one
        context.add_cookies([{**cookie, "url": host, "secure": True, "httpOnly": True}])  # type: ignore[list-item]

    def _signing_in(self, email: str, name: str, role: str, user_id: int) -> Person:
        with runtime().engine.begin() as connection:
            made = sign_ins.add(
                connection,
                email,
                self._hashed,
                role=role,
                user_id=user_id or None,
                name=None if user_id else name,
            )
        return Person(made, email, name, user_id, None)
