"""Tables as files, however long: exact decimals, times in UTC, text that no program runs.

A user's own files are plain CSV. Those of staff are CSV or XLSX, and say above the table of which
moment of the books they are: `Stamp`. docs/exports.md tells how they are read.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import TextIOWrapper
from typing import IO, TypeVar

from flask import Response
from sqlalchemy import Connection

from portal import ledger
from portal.pages import spools, workbooks
from portal.runtime import runtime
from portal.services import written

AT_ONCE = 1_000
"""Rows read by one statement."""
SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
"""What formulas begin with; at last as wide letters."""
RUN = (*SIGNS, "\t", "\r", "\n")
"""What a spreadsheet may take for a formula, at the beginning of a cell."""
INNER = re.compile(rf"(?<=[;\n])(?<!\A\n)(?=[{re.escape(SIGNS)}])")
"""Where one begins a cell, too: the spreadsheets of many countries have semicolons between cells."""
NUMBER = re.compile(r"-[0-9]+(?:\.[0-9]+)?", re.ASCII)
"""What begins like a formula and is none: a negative amount."""
SPLIT = re.compile(rf"(?<=[,;])( *)(?=[{re.escape(SIGNS)}])")
"""Where a line that is read as cells would have one that begins like a formula."""
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")

Row = TypeVar("Row")
Cells = Sequence[str | int | None]


def cell(text: str | None) -> str:
    """What a client said, for a cell: never a formula."""
    plain = INNER.sub("'", text or "")
    return f"'{plain}" if plain.startswith(RUN) else plain


def moment(at: datetime | None) -> str | None:
    """A time that there may not be, for a cell."""
    return written.moment(at) if at else None


def walk(read: Callable[[Row | None], Sequence[Row]]) -> Iterator[Row]:
    """All rows of a list that is read after its last one, AT_ONCE at a time."""
    last: Row | None = None
    while True:
        rows = read(last)
        yield from rows
        if len(rows) < AT_ONCE:
            return
        last = rows[-1]


def answer(name: str, columns: Cells, rows: Iterable[Cells]) -> Response:
    """A CSV of that name."""
    return _csv(name, [], columns, rows)


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

    @property
    def lines(self) -> tuple[str, ...]:
        """Four, always: a program skips them by their number."""
        hour, day = self.last_closed_hour, self.accounting_to
        title = UNPRINTABLE.sub(" ", self.title).replace('"', "'")
        return (
            "# Dreamland: " + SPLIT.sub(r"\1'", title),
            f"# Booked up to: {written.moment(self.booked_to)}",
            f"# Accounting dates up to: {written.day(day) if day else 'any'}",
            f"# Last closed hour: {written.moment(hour) if hour else 'none yet'}",
        )


def titled(what: str, filters: Mapping[str, object]) -> str:
    """What a table is, with the filters that are set."""
    return ", ".join([what, *(f"{name} {value}" for name, value in filters.items() if value)])


def stamp_of(connection: Connection, title: str, accounting_to: date | None = None) -> Stamp:
    """The stamp of the moment that a connection sees."""
    now, hour = ledger.now(connection), ledger.last_closed_hour(connection)
    return Stamp(title, now, hour, accounting_to)


def sheet(form: str, name: str, columns: Cells, rows: Iterable[Cells], stamp: Stamp) -> Response:
    """A table of staff as a file of that name, all its rows: `form` is csv or xlsx.

    Cells are exact: amounts as decimal strings, times in UTC by `written.moment`; text that somebody
    else said has gone through `cell`, and what has not and begins like a formula goes through it here.
    All rows are read before this returns.
    """
    assert form in ("csv", "xlsx")
    safe = (list(map(_safe, row)) for row in rows)
    if form == "csv":
        return _csv(name, stamp.lines, columns, safe)

    def write(file: IO[bytes]) -> None:
        workbooks.write(file, stamp.lines, columns, safe)

    return spools.answer(write, workbooks.MEDIA, f"{name}.xlsx")


def table(
    form: str,
    name: str,
    columns: Cells,
    rows: Iterable[Cells],
    title: str,
    accounting_to: date | None = None,
) -> Response:
    """The same with its stamp, all of one moment: that of a `reading`, if there is one."""
    with runtime().reading() as connection:
        stamp = stamp_of(connection, title, accounting_to)
        return sheet(form, name, columns, ended(rows, connection), stamp)


def ended(rows: Iterable[Row], connection: Connection) -> Iterator[Row]:
    """Them all; what then takes its time, packing a workbook, keeps no transaction open."""
    yield from rows
    connection.rollback()


def _csv(name: str, above: Iterable[str], columns: Cells, rows: Iterable[Cells]) -> Response:
    def write(file: IO[bytes]) -> None:
        text = TextIOWrapper(file, "utf-8", newline="")
        text.writelines(f"{line}\r\n" for line in above)
        writer = csv.writer(text)
        writer.writerow(columns)
        writer.writerows(rows)
        text.detach()  # else it would close the file

    return spools.answer(write, "text/csv", f"{name}.csv")


def _safe(value: str | int | None) -> str | int | None:
    """A cell that no program runs."""
    if not isinstance(value, str) or NUMBER.fullmatch(value):
        return value
    return cell(value) if value.startswith(RUN) or ";" in value else value
