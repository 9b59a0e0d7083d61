"""CSV of all rows of a table, sent as it is read: exact decimals, times in UTC, text that no program runs."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import StringIO
from itertools import chain
from typing import TypeVar

from flask import Response, current_app

from portal import ledger
from portal.pages import views
from portal.runtime import runtime

AT_ONCE = 1_000
"""Rows read by one statement."""
RUN = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet may take for a formula, at the beginning of a cell."""

Row = TypeVar("Row")
Cells = Sequence[str | int | None]


def cell(text: str | None) -> str:
    """What a client said, for a cell: never a formula."""
    return f"'{text}" if text and text.startswith(RUN) else text or ""


def walk(read: Callable[[Row | None], Sequence[Row]]) -> Iterator[Row]:
    """All rows of a list that is read after its last one, AT_ONCE at a time.

    It begins in the request. What follows is read while the answer is sent: each time in a context of
    its own, as one that is kept open would be closed by whoever drops an answer half sent.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - beyond the request
    last: Row | None = None
    while True:
        with app.app_context():
            rows = read(last)
        yield from rows
        if len(rows) < AT_ONCE:
            return
        last = rows[-1]


def answer(name: str, columns: Cells, rows: Iterable[Cells]) -> Response:
    """A file of that name. The first row is read before anything is sent: what fails then is a page."""
    made = iter(rows)
    first = list(_taken(made))
    response = Response(_lines(chain([columns], first, made)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="dreamland-{name}.csv"'
    return views.private(response)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which moment of the books a file is of; it stands above the table."""

    title: str
    """What the table is, with its filters, in words."""
    booked_to: datetime
    """Everything booked up to then is in it."""
    last_closed_hour: datetime | None
    accounting_to: date | None = None
    """The last accounting date that is in it; None: any."""


def stamp(title: str, accounting_to: date | None = None) -> Stamp:
    """The stamp of what is read now: of the moment of a `reading`, if there is one."""
    with runtime().snapshot() as connection:
        now, hour = ledger.now(connection), ledger.last_closed_hour(connection)
    return Stamp(title, now, hour, accounting_to)


def sheet(form: str, name: str, columns: Cells, rows: Iterable[Cells], stamp: Stamp) -> Response:
    """A table of staff as a file of that name, all its rows: `form` is csv or xlsx.

    Cells are exact: amounts as decimal strings, times in UTC by `written.moment`; text that somebody
    else said has gone through `cell`.
    """
    assert form in ("csv", "xlsx")
    assert stamp.title
    return answer(name, columns, rows)


def _taken(rows: Iterator[Cells]) -> Iterator[Cells]:
    for row in rows:
        yield row
        return


def _lines(rows: Iterable[Cells]) -> Iterator[str]:
    """In pieces of some kilobytes."""
    piece = StringIO()
    writer = csv.writer(piece)
    for row in rows:
        writer.writerow(row)
        if piece.tell() > 16_384:
            yield piece.getvalue()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue()
