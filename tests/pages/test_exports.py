"""CSV that is sent as it is read, and what spreadsheets might run."""

import pytest

from portal.pages import exports
from tests.factories import Books
from tests.pages.conftest import Browser, Person


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_begins_like_a_formula(text: str) -> None:
    assert exports.cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["maze", "a=b", "", "'=1", " -1"])
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
