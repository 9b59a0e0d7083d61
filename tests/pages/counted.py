"""How many SQL statements a page costs: all told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

MOST = 6
"""Statements that a page may cost, its visitor's own among them."""
BY_HAND = {"/": 1}
"""Those of the driver's own cursors, which nothing tells of, by page: the version of the books."""


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """Collects the statements that SQLAlchemy sends while the block runs."""
    sent: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
