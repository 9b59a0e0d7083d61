"""Where one can go from every page: the links of the header, by role."""

from flask import Flask, request
from flask_login import current_user

Place = tuple[str, str, str]
"""Endpoint, name, icon."""

OF_USERS: tuple[Place, ...] = (
    ("pages.home", "Home", "house"),
    ("pages.today", "Today", "sparkles"),
    ("pages.usd", "USD", "chart-column"),
    ("pages.wallets", "Wallets", "wallet"),
    ("pages.entries", "Activity", "list"),
    ("pages.account", "Account", "user-round"),
)
OF_STAFF: tuple[Place, ...] = (
    ("pages.audit", "Audit log", "scroll-text"),
    ("pages.account", "Account", "user-round"),
)


def register(app: Flask) -> None:
    """Give templates the places, and which of them is open."""
    app.jinja_env.globals["places"] = places
    app.jinja_env.globals["is_here"] = is_here


def places() -> tuple[Place, ...]:
    """The visitor's."""
    return OF_STAFF if current_user.is_staff else OF_USERS


def is_here(endpoint: str) -> bool:
    """Whether the page is the place, or one below it."""
    if endpoint == "pages.home":
        return request.endpoint == endpoint
    base = "/" + endpoint.rpartition(".")[2]
    return request.path == base or request.path.startswith(base + "/")
