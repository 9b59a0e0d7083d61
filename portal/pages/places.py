"""Where one can go from every page: the links of the header, by role."""

from flask import Flask, request, url_for
from flask_login import current_user

from portal.pages import rules

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
    ("pages.home", "Overview", "house"),
    ("pages.trial_balance", "Trial balance", "scale"),
    ("pages.fees", "Fees", "receipt"),
    ("pages.conversions", "Conversions", "arrow-right-left"),
    ("pages.users", "Users", "users"),
    ("pages.journals", "Journals", "book-open"),
    ("pages.clients", "Clients", "key-round"),
    ("pages.staff", "Staff", "shield-check"),
    ("pages.jobs", "Jobs", "hourglass"),
    ("pages.audit", "Audit log", "scroll-text"),
    ("pages.account", "Account", "user-round"),
)
BELOW = {
    "pages.trial_balance": ("/accounts",),
    "pages.conversions": ("/rates",),
    "pages.users": ("/entries",),
    "pages.home": ("/verifications",),
}
"""Addresses of pages that belong to a place and do not begin as it does."""


def register(app: Flask) -> None:
    """Give templates the places, and which of them is open."""
    app.jinja_env.globals["places"] = places
    app.jinja_env.globals["is_here"] = is_here
    app.jinja_env.globals["may"] = may


def places() -> tuple[Place, ...]:
    """The visitor's."""
    return OF_STAFF if current_user.is_staff else OF_USERS


def may(endpoint: str) -> bool:
    """Whether the visitor may do what is there: only then a page offers it."""
    return rules.verdict(rules.RULES[endpoint], current_user) == "let in"


def is_here(endpoint: str) -> bool:
    """Whether the page is the place, or one below it."""
    if endpoint == "pages.home" and request.endpoint == endpoint:
        return True
    own = () if endpoint == "pages.home" else (url_for(endpoint),)
    paths = (*own, *BELOW.get(endpoint, ()))
    return any(request.path == path or request.path.startswith(path + "/") for path in paths)
