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


def _ask(page: Page) -> None:
    """Ask for a link; an address is sent no more than a few an hour, and there are four pictures."""
    width = (page.viewport_size or {"width": 0})["width"]
    page.get_by_label("E-mail").fill(f"{'noa' if width < 500 else 'noa.lind'}@players.example")
    page.get_by_role("button").click()
    page.wait_for_url("**/mail-sent")


def _choose_badly(page: Page) -> None:
    """Send the form with a password that would be guessed."""
    page.get_by_label("Your name").fill("Mira")
    page.get_by_label("Time zone").select_option("Europe/Lisbon")
    page.get_by_label("Password").fill("password123")
    page.get_by_role("button", name="Make the account").click()
    page.locator(".error").wait_for()


PAGES = (
    Shown("pages.sign_in", "sign-in", "/sign-in", "nobody", "The sign-in page with its form"),
    Shown("pages.sign_up", "sign-up", "/sign-up", "nobody", "Asking for a link to make an account"),
    Shown("pages.reset", "reset", "/reset", "nobody", "Asking for a link to choose a new password"),
    Shown(
        *("pages.mail_sent", "mail-sent", "/sign-up", "nobody"),
        "What to do once a link was sent",
        steps=(_ask,),
    ),
    Shown(
        *("pages.link", "link-sign-up", "/links/{link_sign_up}", "nobody"),
        "Making an account, with a password that is refused",
        steps=(_choose_badly,),
    ),
    Shown(
        *("pages.link", "link-known", "/links/{link_known}", "nobody"),
        "Making the account of somebody whom the games know",
    ),
    Shown(
        *("pages.link", "link-invitation", "/links/{link_invitation}", "nobody"),
        "The invitation of a new accountant",
    ),
    Shown(
        *("pages.link", "link-reset", "/links/{link_reset}", "nobody"),
        "Choosing a new password by the link in a mail",
    ),
    Shown(
        *("pages.link", "link-email", "/links/{link_email}", "nobody"),
        "Confirming a new e-mail by the link that was sent to it",
    ),
    Shown(
        *("pages.link", "link-used", "/links/none", "nobody"),
        "A link that can't be used any more",
        status=404,
    ),
    Shown(
        "pages.email",
        "email",
        "/account/email",
        "ida",
        "Asking for another e-mail to sign in with",
    ),
    Shown("pages.home", "home", "/", "ida", "Home of a user who won today"),
    Shown("pages.home", "home-new", "/", "newcomer", "Home of a user who has nothing yet"),
    Shown("pages.audit", "audit", "/audit", "admin", "The audit log, as staff see it"),
)

NO_PAGES: dict[str, str] = {
    "pages.audit_csv": "the audit log as CSV",
}
"""Endpoints that answer GET and are no page, with what they are instead."""
