"""A row of the gallery's table: a page, who looks at it, and what is done on it before the picture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Page

Who = Literal["nobody", "ida", "theo", "newcomer", "admin"]
"""Ida has a long history; Theo a second factor and a wish to leave; the newcomer nothing yet."""


@dataclass(frozen=True)
class Shown:
    """A page in the gallery."""

    endpoint: str
    """Without `pages.`; empty for the page of an error."""
    name: str
    """Of its files; several pictures may be of one endpoint."""
    address: str
    """`{win}` and its like stand for what the scene has."""
    who: Who
    about: str
    """What is seen, in words: the pictures' alternative text."""
    status: int = 200
    steps: tuple[Callable[[Page], object], ...] = ()
    """What is done on the page before the picture."""


def press(
    button: str, until: str = "", ticks: tuple[str, ...] = (), **fields: str
) -> Callable[[Page], None]:
    """Fill fields, by their labels, tick some, and press a button; the address that it leads to."""

    def step(page: Page) -> None:
        for label in ticks:
            page.get_by_label(label, exact=True).check()
        for label, value in fields.items():
            page.get_by_label(label, exact=True).fill(value)
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            page.get_by_role("button", name=button).click()
        if until:
            page.wait_for_url(f"**{until}")

    return step
