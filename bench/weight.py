"""What a page weighs: its statements of SQL, and its bytes over the wire as a browser asks for them."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import psycopg2.extensions
from sqlalchemy import Engine, event

AS_BROWSERS = {"Accept-Encoding": "gzip, deflate, br, zstd", "Accept": "text/html,*/*;q=0.8"}
PLAIN = {**AS_BROWSERS, "Accept-Encoding": "identity"}
HTMX = {**AS_BROWSERS, "HX-Request": "true"}
PART = re.compile(rb"""<(?:link|script|img)\b[^>]*?\b(?:href|src)="(/[^"]*)\"""")
PINGS = ("SELECT 1", ";", "")
"""Whether a connection of the pool is alive: asked by SQLAlchemy, not by a page."""
Get = Callable[[str, Mapping[str, str]], bytes]
"""Asks for an address with headers; the body as it came over the wire."""


def first_visit(get: Get, address: str) -> int:
    """Bytes of the page and of all that it has a browser fetch, each once; headers do not count."""
    parts = {found.decode() for found in PART.findall(get(address, PLAIN))}
    return sum(len(get(each, AS_BROWSERS)) for each in (address, *sorted(parts)))


def fragment(get: Get, address: str) -> int | None:
    """Bytes of what htmx gets; None where that is the page itself."""
    whole = b"<html" in get(address, {**HTMX, "Accept-Encoding": "identity"})
    return None if whole else len(get(address, HTMX))


class _Noting(psycopg2.extensions.cursor):
    """A cursor that notes what it sends, whoever made it: SQLAlchemy, or the driver's own."""

    sent: ClassVar[list[str]] = []

    def execute(self, query: Any, values: Any = None) -> None:
        if str(query) not in PINGS:
            self.sent.append(str(query))
        super().execute(query, values)


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The statements that are sent in the block, as they are sent. Not for two blocks at once."""
    _Noting.sent.clear()
    taken: list[Any] = []

    def note(connection: Any, *_: object) -> None:
        taken.append(connection)
        connection.cursor_factory = _Noting

    event.listen(engine, "checkout", note)
    try:
        yield _Noting.sent
    finally:
        event.remove(engine, "checkout", note)
        for connection in taken:
            connection.cursor_factory = None
