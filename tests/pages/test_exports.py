"""Files that are sent as they are read, their stamp, and what spreadsheets might run."""

import csv
from datetime import UTC, date, datetime
from io import BytesIO, StringIO
from itertools import islice
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape
from openpyxl.worksheet.worksheet import Worksheet

from portal.pages import exports, workbooks
from tests.factories import Books
from tests.pages.conftest import Browser, Person


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1"]
)
def test_no_cell_begins_like_a_formula(text: str) -> None:
    assert exports.cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "told"), [("a;=1", "a;'=1"), ("=1;@b;c", "'=1;'@b;c"), ("a\n-1;;+2", "a\n'-1;;'+2")]
)
def test_none_does_where_semicolons_or_lines_part_cells_either(text: str, told: str) -> None:
    assert exports.cell(text) == told
    assert exports.cell(told) == told


@pytest.mark.parametrize("text", ["maze", "a=b", "", "'=1", " -1", "a;b; =1", "a,=1"])
def test_other_text_is_as_it_was(text: str) -> None:
    assert exports.cell(text) == text
    assert exports.cell(None) == ""


def test_a_long_file_is_read_piece_by_piece_and_has_every_row(
    browser: Browser, ida: Person, books: Books
) -> None:
    """Also in a second request while the first is half sent; and one that is dropped does no harm."""
    assert ida.user_id
    for _ in range(3):
        books.post(*(books.entry("bonus", ida.user_id, "1", asset="DIAMOND") for _ in range(700)))
    half_sent = browser.get("/entries.csv", buffered=False)
    pieces = iter(half_sent.response)
    next(pieces)
    whole = browser.get("/wallets/DIAMOND.csv").text.splitlines()
    rest = list(pieces)
    assert len(rest) > 2
    assert len(whole) == 2101
    rows = browser.get("/entries.csv").text.splitlines()
    assert [row.partition(",")[0] for row in rows[1:]] == [
        f"{ida.user_id}-{seq}" for seq in range(2100, 0, -1)
    ]
    dropped = browser.get("/entries.csv", buffered=False)
    next(iter(dropped.response))
    dropped.close()
    assert browser.get("/").status_code == 200


COLUMNS = ("name", "amount", "number")
STAMP = exports.Stamp(
    "users, whose\nname is #1",
    datetime(2026, 11, 20, 17, 0, 0, 5, UTC),
    datetime(2026, 11, 20, 16, tzinfo=UTC),
    date(2026, 11, 19),
)
LINES = (
    "# Dreamland: users, whose name is #1",
    "# Booked up to: 2026-11-20T17:00:00.000005Z",
    "# Accounting dates up to: 2026-11-19",
    "# Last closed hour: 2026-11-20T16:00:00Z",
)
NASTY = ["=1+1", "+49 30", "-cmd", "@SUM(A1)", "\t=1", "\r=1", "-1.5.2", "-\u0661"]
EXACT = ["-1.5", "-40", "1.5", "0.000000000000000001", "1" * 78, "http://x.example", "0012", "NaN"]
STRANGE = ["a,b", 'a"b', "a\nb", "\x01\x1f_x0041_", "\ufffe\uffff", "\U0001f600 ", " x ", "#1"]


def downloaded(app: Flask, form: str, rows: list[tuple[Any, ...]]) -> bytes:
    with app.test_request_context():
        response = exports.sheet(form, "users", COLUMNS, rows, STAMP)
        assert response.headers["Content-Disposition"] == (
            f'attachment; filename="dreamland-users.{form}"'
        )
        assert response.headers["Cache-Control"] == "private, no-store"
        return b"".join(response.iter_encoded())


def sheets(file: Any) -> list[list[tuple[Any, ...]]]:
    """The rows of each sheet."""
    found = load_workbook(file).worksheets
    return [list(each.iter_rows(values_only=True)) for each in found]


def test_above_a_csv_of_staff_stands_of_which_moment_it_is(app: Flask) -> None:
    lines = downloaded(app, "csv", [("Ida", "1.5", 3)]).decode().splitlines()
    assert lines == [*LINES, "name,amount,number", "Ida,1.5,3"]


def test_a_stamp_always_has_four_lines() -> None:
    bare = exports.Stamp("all\u2028that\r\nis", datetime(2026, 11, 20, tzinfo=UTC), None)
    assert bare.lines == (
        "# Dreamland: all that is",
        "# Booked up to: 2026-11-20T00:00:00Z",
        "# Accounting dates up to: any",
        "# Last closed hour: none yet",
    )


@pytest.mark.parametrize("letter", ["=", "+", "-", "@"])
@pytest.mark.parametrize("between", [",", ", ", ";", ",\t", ",\r\n"])
def test_a_stamp_that_quotes_a_filter_has_no_cell_that_begins_like_a_formula(
    letter: str, between: str
) -> None:
    """Who makes the link to a file says what its filters are, and its first line is read as cells, too."""
    title = f"users, who x{between}{letter}1+1"
    line = exports.Stamp(title, datetime(2026, 11, 20, tzinfo=UTC), None).lines[0]
    cells = [each.strip() for each in line.replace(";", ",").split(",")]
    assert cells[-1] == f"'{letter}1+1"


def test_a_stamp_that_quotes_a_filter_opens_no_quoted_cell() -> None:
    title = 'users, who x,"=1+1'
    first, *rest = csv.reader(exports.Stamp(title, datetime(2026, 11, 20, tzinfo=UTC), None).lines)
    assert (first[-1], len(rest)) == ("'=1+1", 3)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_no_text_is_a_formula_and_every_other_is_exactly_as_it_was(app: Flask, form: str) -> None:
    texts = [*NASTY, *EXACT, *STRANGE]
    file = downloaded(app, form, [(text, "1", 1) for text in texts])
    if form == "csv":
        read = csv.reader(islice(StringIO(file.decode(), newline=""), 5, None))
        found = [row[0] for row in read]
    else:
        found = [unescape(row[0]) for row in sheets(BytesIO(file))[0][5:]]
    assert found == [f"'{text}" for text in NASTY] + EXACT + STRANGE


def test_a_workbook_has_the_same_rows_below_the_stamp_and_a_frozen_bold_header(app: Flask) -> None:
    file = BytesIO(downloaded(app, "xlsx", [("Ida", "1.50", 3), (None, "", 10**15)]))
    sheet: Worksheet = load_workbook(file).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    assert [row[0] for row in rows[:4]] == list(LINES)
    assert rows[4:] == [COLUMNS, ("Ida", "1.50", 3), (None, None, str(10**15))]
    assert sheet.freeze_panes == "A6"
    assert sheet["A5"].font.b
    assert not sheet["A6"].font.b
    assert {sheet["B6"].data_type, sheet["C7"].data_type} == {"s"}
    assert sheet["C6"].data_type == "n"
    assert sheet.auto_filter.ref == "A5:C7"


def test_what_a_sheet_has_no_row_for_goes_on_in_the_next() -> None:
    rows = [(f"user {n}", "1", n) for n in range(10)]
    file = BytesIO()
    workbooks.write(file, LINES, COLUMNS, rows, most_rows=9)
    found = sheets(file)
    assert [len(each) for each in found] == [9, 9, 7]
    for each in found:
        assert [row[0] for row in each[:4]] == list(LINES)
        assert each[4] == COLUMNS
    assert [row for each in found for row in each[5:]] == rows


@pytest.mark.parametrize("letter", ["x", "\U0001f600"])
def test_a_text_that_no_cell_can_hold_is_cut_and_says_so(letter: str) -> None:
    fits = letter * (32_767 // (len(letter.encode("utf-16-le")) // 2))
    rows = [(fits,), (fits + letter,)]
    file = BytesIO()
    workbooks.write(file, LINES, ("name",), rows)
    [[*_, whole, cut]] = sheets(file)
    assert whole == (fits,)
    assert cut[0].endswith(letter + "…")
    assert len(cut[0].encode("utf-16-le")) <= 2 * 32_767


def test_a_table_without_rows_is_a_file_with_its_header(app: Flask) -> None:
    assert downloaded(app, "csv", []).decode().splitlines() == [*LINES, "name,amount,number"]
    assert sheets(BytesIO(downloaded(app, "xlsx", [])))[0][4:] == [COLUMNS]
