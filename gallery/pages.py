"""The pages that have a picture: name, address, and who looks at them. A test finds those that are missing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Page

Who = Literal["nobody", "ida", "newcomer", "admin"]


@dataclass(frozen=True)
class Shown:
    """A page in the gallery."""

    endpoint: str
    name: str
    """Of its files; several pictures may be of one endpoint."""
    address: str
    """`{entry}` and its like stand for what the scene has."""
    who: Who
    about: str
    """What is seen, in words: the pictures' alternative text."""
    status: int = 200
    steps: tuple[Callable[[Page], object], ...] = ()
    """What is done on the page before the picture."""


PAGES = (
    Shown("pages.sign_in", "sign-in", "/sign-in", "nobody", "The sign-in page with its form"),
    Shown("pages.home", "home", "/", "ida", "Home of a user who won today"),
    Shown("pages.home", "home-new", "/", "newcomer", "Home of a user who has nothing yet"),
    Shown("pages.audit", "audit", "/audit", "admin", "The audit log, as staff see it"),
)

NO_PAGES: dict[str, str] = {
    "pages.audit_csv": "the audit log as CSV",
}
"""Endpoints that answer GET and are no page, with what they are instead."""
