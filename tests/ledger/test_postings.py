"""Postings of a ledger and its accounting dates: as rows and as CSV, in the order they were booked."""

import csv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO, StringIO

import pytest
from sqlalchemy import Engine, text

from portal import ledger
from portal.ledger import PostingRow, Range
from portal.ledger.amounts import MAX_AMOUNT
from tests.factories import Books

START = datetime(2026, 11, 19, 23, 30, tzinfo=UTC)
DAY = date(2026, 11, 20)
LATER = Range(None, DAY, DAY + timedelta(days=30))


@pytest.fixture(autouse=True)
def start(books: Books) -> None:
    books.set_clock(START)


def rows(engine: Engine, wanted: Range) -> list[PostingRow]:
    with engine.connect() as connection:
        return list(ledger.posting_rows(connection, wanted))


def copied(engine: Engine, wanted: Range, marked: str = "") -> list[list[str]]:
    file = BytesIO()
    with engine.connect() as connection:
        ledger.copy_postings(connection, wanted, marked, file)
    return list(csv.reader(StringIO(file.getvalue().decode(), newline="")))


def test_a_row_has_the_posting_with_all_that_is_known_of_its_entry(
    books: Books, engine: Engine
) -> None:
    owner = books.owner("Asia/Kolkata")
    entry = books.entry("bonus", owner, "12.5", asset="LOYALTY_POINT")
    books.post(replace(entry, game="maze", reference="r", description="d", reason="why"))
    books.reverse(owner, 1, "LOYALTY_POINT")
    given, back = rows(engine, Range("LOYALTY_POINT", START.date(), DAY))
    assert given.booked_at == given.occurred_at
    assert given.booked_at.startswith("2026-11-19T23:30:")
    assert given.booked_at.endswith("Z")
    assert len(given.booked_at) == len("2026-11-19T23:30:00.000000Z")
    assert given == PostingRow(
        *(f"{owner}-1", 1, "bonus", given.booked_at, given.occurred_at),
        *("2026-11-19", "2026-11-20", "LOYALTY_POINT", "INVENTORY", "PROMOTIONS"),
        *("12.5", "LOYALTY_POINT", owner, 1, None, "maze", "r", "d", "why", None, None),
    )
    assert (back.debit, back.credit, back.reverses) == ("PROMOTIONS", "INVENTORY", f"{owner}-1")


@pytest.mark.parametrize(
    ("units", "scale", "written"),
    [
        *((1, 18, "0.000000000000000001"), (10**18, 18, "1"), (1_500, 2, "15"), (1_050, 2, "10.5")),
        *((MAX_AMOUNT, 0, str(MAX_AMOUNT)), (1, 30, "0." + 29 * "0" + "1")),
        (MAX_AMOUNT, 30, f"{str(MAX_AMOUNT)[:-30]}.{str(MAX_AMOUNT)[-30:]}"),
    ],
)
def test_amounts_are_the_exact_decimals(
    books: Books, engine: Engine, units: int, scale: int, written: str
) -> None:
    with engine.begin() as connection:
        ledger.add_asset(connection, "RUBY", "Rubies", scale)
        books._assets = ledger.assets(connection)
    entry = books.entry("bonus", books.owner(), "1", asset="RUBY")
    books.post(replace(entry, amount=units))
    wanted = Range("RUBY", START.date(), DAY)
    assert [row.amount for row in rows(engine, wanted)] == [written]
    assert copied(engine, wanted)[1][10] == written


def test_csv_and_rows_say_the_same_in_the_order_booked(books: Books, engine: Engine) -> None:
    owners = [books.owner() for _ in range(3)]
    for turn in range(20):
        books.win(owners[-turn % 3], "0.1")
        books.post(*(books.entry("bonus", owner, "1", asset="DIAMOND") for owner in owners))
    wanted = Range(None, START.date(), DAY)
    found = rows(engine, wanted)
    assert len(found) == 20 * 2 + 60
    places = [
        (row.booked_at, row.user_id, int(row.entry_id.split("-")[1]), row.line) for row in found
    ]
    assert places == sorted(places)
    names, *lines = copied(engine, wanted)
    assert names == list(PostingRow._fields)
    assert lines == [["" if value is None else str(value) for value in row] for row in found]
    with engine.connect() as connection:
        assert ledger.count_postings(connection, wanted, 1000) == 100
        assert ledger.count_postings(connection, wanted, 7) == 7


def test_a_day_has_what_was_dated_so_however_late_it_was_booked(
    books: Books, engine: Engine, owner_engine: Engine
) -> None:
    """Nothing dates an entry back yet: here the database's owner does, as an adjustment will."""
    owner = books.owner()
    books.bonus(owner, "DIAMOND", "1")
    for amount in ("2", "3"):
        books.next_hour()
        books.set_clock(books.now() + timedelta(days=1))
        books.bonus(owner, "DIAMOND", amount)
    with owner_engine.begin() as connection:
        connection.execute(text("ALTER TABLE ledger.entries DISABLE TRIGGER USER"))
        connection.execute(
            text("UPDATE ledger.entries SET accounting_date = :day WHERE seq = 3"),
            {"day": START.date()},
        )
        connection.execute(text("ALTER TABLE ledger.entries ENABLE TRIGGER USER"))
    first = START.date()
    assert [row.amount for row in rows(engine, Range(None, first, first))] == ["1", "3"]
    books.next_hour()
    with engine.connect() as connection:
        hour = ledger.first_booked_hour(connection)
        assert hour
        while hour < books.now() - ledger.HOUR:
            ledger.close_hour(connection, hour)
            hour += ledger.HOUR
    assert [row.amount for row in rows(engine, Range(None, first, first))] == ["1", "3"]
    assert [row.amount for row in rows(engine, LATER)] == ["2"]
    assert [row.amount for row in rows(engine, Range(None, first, LATER.last))] == ["1", "2", "3"]


def test_what_begins_with_a_marked_letter_gets_an_apostrophe(books: Books, engine: Engine) -> None:
    owner = books.owner()
    said = {"game": "=1;-2", "reference": "", "description": "a=1;;=2;b;", "reason": "\t1"}
    books.post(replace(books.entry("bonus", owner, "1", asset="DIAMOND"), **said))
    [_, line] = copied(engine, Range("DIAMOND", START.date(), DAY), "=+-@\t")
    assert line[15:19] == ["'=1;'-2", "", "a=1;;'=2;b;", "'\t1"]
    [_, line] = copied(engine, Range("DIAMOND", START.date(), DAY))
    assert line[15:19] == ["=1;-2", "", "a=1;;=2;b;", "\t1"]


def test_all_is_of_one_moment(books: Books, engine: Engine) -> None:
    owner = books.owner()
    books.post(*(books.entry("bonus", owner, "1", asset="DIAMOND") for _ in range(10)))
    with engine.connect() as connection:
        snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
        begun = ledger.posting_rows(snapshot, Range(None, START.date(), DAY))
        next(begun)
        books.bonus(owner, "DIAMOND", "1")
        assert len(list(begun)) == 9
        assert ledger.count_postings(snapshot, Range(None, START.date(), DAY), 100) == 10


def test_empty_books_have_no_rows(engine: Engine) -> None:
    assert rows(engine, LATER) == []
    assert copied(engine, LATER) == [list(PostingRow._fields)]
