"""What mails say: plain text, of templates/mail/. The first line of a text is its subject.

Addresses in it are the portal's own (PUBLIC_URL), never what a request said its host was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from portal.runtime import runtime


@dataclass(frozen=True, slots=True)
class Text:
    """A mail as it is read."""

    subject: str
    body: str


@cache
def kinds() -> frozenset[str]:
    """Every kind of mail there is a text for."""
    names = (file.name for file in files("portal").joinpath("templates", "mail").iterdir())
    return frozenset(name.removesuffix(".txt") for name in names if not name.startswith("_"))


def text_of(kind: str, email: str, link: str | None, facts: Mapping[str, Any]) -> Text:
    """The text of a kind, for whom it goes to; `link` is the address that may be opened once.

    Raises jinja2.UndefinedError where the text names a fact that there is none of.
    """
    home = runtime().settings.public_url
    said = (
        _environment().get_template(f"{kind}.txt").render(facts, email=email, home=home, link=link)
    )
    subject, _, body = said.strip().partition("\n")
    return Text(subject.strip(), body.strip() + "\n")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("portal", "templates/mail"),
        autoescape=False,  # noqa: S701 - plain text, no HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
