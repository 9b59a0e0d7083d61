"""A table as a workbook (XLSX): made row by row, on disk, so that its size costs no memory.

All text stays text: no formula, no link, and no number that a double can't hold.
"""

from collections.abc import Iterable, Sequence
from typing import IO

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

MEDIA = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_576
"""Of a sheet, as all programs have it: what is more goes on in another one."""
LONGEST = 32_767
"""Of a cell's text, in the units of UTF-16."""
EXACT = 10**15
"""A whole number below that is a number in a sheet, any other its digits as text."""
NARROWEST, WIDEST = 10, 48
MEASURED = 200
"""Rows that the width of a column is taken from."""
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}

Cells = Sequence[str | int | None]


def write(
    file: IO[bytes],
    above: Sequence[str],
    columns: Cells,
    rows: Iterable[Cells],
    most_rows: int = MOST_ROWS,
) -> None:
    """Write the workbook into a file.

    Each sheet has the lines `above`, then the names of the columns; a sheet that is full goes on in
    the next.
    """
    with Workbook(file, OPTIONS) as book:
        _fill(book, above, columns, rows, most_rows)


def _fill(
    book: Workbook, above: Sequence[str], columns: Cells, rows: Iterable[Cells], most_rows: int
) -> None:
    begun = _Sheet(book, above, columns)
    for row in rows:
        if begun.next_row == most_rows:
            begun.finish()
            begun = _Sheet(book, above, columns)
        begun.add(row)
    begun.finish()


class _Sheet:
    """A sheet that is being filled."""

    def __init__(self, book: Workbook, above: Sequence[str], columns: Cells) -> None:
        self._sheet: Worksheet = book.add_worksheet()
        self._widths = [NARROWEST] * len(columns)
        quiet, bold = book.add_format({"italic": True}), book.add_format({"bold": True})
        for number, line in enumerate(above):
            self._sheet.write_string(number, 0, line, quiet)
        self._header = len(above)
        for number, name in enumerate(columns):
            self._sheet.write_string(self._header, number, str(name), bold)
        self._measure(columns)
        self._sheet.freeze_panes(self._header + 1, 0)
        self.next_row = self._header + 1

    def add(self, row: Cells) -> None:
        """Write a row."""
        sheet, place = self._sheet, self.next_row
        for number, value in enumerate(row):
            if value is None or value == "":
                continue
            if isinstance(value, int) and abs(value) < EXACT:
                sheet.write_number(place, number, value)
            else:
                sheet.write_string(place, number, _fitting(str(value)))
        if place <= self._header + MEASURED:
            self._measure(row)
        self.next_row += 1

    def finish(self) -> None:
        """Columns as wide as what stands in them; a filter on each."""
        for number, width in enumerate(self._widths):
            self._sheet.set_column(number, number, min(width, WIDEST) + 2)
        self._sheet.autofilter(self._header, 0, self.next_row - 1, len(self._widths) - 1)

    def _measure(self, row: Cells) -> None:
        lengths = (0 if value is None else len(str(value)) for value in row)
        self._widths = [max(pair) for pair in zip(self._widths, lengths, strict=True)]


def _fitting(text: str) -> str:
    """A text as long as a cell may be; where it is cut, it says so."""
    if len(text) * 2 <= LONGEST or len(text.encode("utf-16-le")) <= LONGEST * 2:
        return text
    return text.encode("utf-16-le")[: (LONGEST - 1) * 2].decode("utf-16-le", "ignore") + "…"
