"""What clients say, in both formats: nothing breaks the file, and every text can be read back."""

import json
import re
from dataclasses import replace
from datetime import UTC, date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine

from portal import ledger
from portal.ledger import Range
from portal.ledger.errors import Refused
from portal.services import journals
from portal.services.journals import beancount
from portal.services.journals import hledger as grammar
from tests.factories import Books
from tests.services.journals import programs
from tests.services.journals.conftest import Write
from tests.services.journals.random_books import NASTY

UNESCAPED = re.compile(r"\\(u[0-9a-f]{4}|.)")


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture
def owner(books: Books) -> int:
    return books.owner()


def today(books: Books) -> date:
    return books.now().astimezone(UTC).date()


def read_back(text: str) -> str:
    """What `escaped` wrote, as JSON reads it."""
    return UNESCAPED.sub(lambda found: json.loads(f'"\\{found[1]}"'), text)


@pytest.mark.parametrize("text", [*NASTY, "".join(map(chr, range(1, 0x300)))])
def test_an_escaped_text_is_one_line_that_ends_nothing_and_can_be_read_back(text: str) -> None:
    escaped = grammar.escaped(text)
    assert escaped.splitlines() == [escaped]
    assert not set(escaped) & set(";,")
    unicode_escapes = escaped.replace("\\u003b", ";").replace("\\u002c", ",")
    assert read_back(unicode_escapes.replace("\\'", "'")) == text


@pytest.mark.parametrize(
    ("code", "commodity"),
    [
        *(("USD", "USD"), ("GOLD_COIN", "GOLD_COIN"), ("A", "A"), ("A" * 32, "A" * 32)),
        *(("END_", "END_.X"), ("A__", "A__.X"), ("TRUE", "TRUE.X"), ("FALSE", "FALSE.X")),
        *(("NULL", "NULL.X"), ("TRUE_1", "TRUE_1")),
    ],
)
def test_a_code_is_a_commodity_of_beancounts(code: str, commodity: str) -> None:
    assert beancount.commodity(code) == commodity


def test_all_that_clients_say_comes_out_as_it_went_in(
    books: Books, owner: int, write: Write, hledger: Path
) -> None:
    for text in NASTY:
        entry = books.entry("bonus", owner, "1", asset="DIAMOND")
        said = dict.fromkeys(("game", "reference", "description", "reason"), text)
        books.post(replace(entry, **said))
    file = write("beancount", "DIAMOND", today(books), today(books))
    programs.bean_check(file)
    told, _ = programs.of_beancount(file)
    for name in ("game", "reference", "description", "reason"):
        assert [entry.meta[name] for entry in told] == list(NASTY)
    assert [entry.narration for entry in told] == list(NASTY)
    assert {entry.payee for entry in told} == {"bonus"}

    file = write("hledger", "DIAMOND", today(books), today(books))
    programs.hledger_check(hledger, file)
    found = [each for each in programs.transactions_of_hledger(hledger, file) if each["tcode"]]
    for name in ("game", "reference", "description", "reason"):
        tags = [dict(each["ttags"])[name] for each in found]
        assert tags == [grammar.escaped(text).strip() for text in NASTY]


def test_an_entry_in_both_formats(books: Books, owner: int, engine: Engine) -> None:
    books.top_up(owner, "GOLD_COIN", "500")
    hold = books.hold(owner, "GOLD_COIN", "20")
    books.capture(owner, hold, "GOLD_COIN", "15")
    wanted = Range("GOLD_COIN", today(books), today(books))
    with engine.connect() as connection:
        rows = list(ledger.posting_rows(connection, wanted))[-2:]
        told = "".join(journals.lines(connection, wanted, "beancount"))
        again = "".join(journals.lines(connection, wanted, "hledger"))
    at, day = rows[0].booked_at, today(books)
    assert told.endswith(f"""
{day} * "capture" "{rows[0].reference}" ^{owner}-3 ^{owner}-2
  entry: "{owner}-3"
  kind: "capture"
  user: "{owner}"
  client: "1"
  day: "{day}"
  occurred_at: "{at}"
  booked_at: "{at}"
  reference: "{rows[0].reference}"
  hold: "{owner}-2"
  Expenses:GOLD-COIN:REVENUE  15 GOLD_COIN
  Assets:GOLD-COIN:HELD  -15 GOLD_COIN
  Assets:GOLD-COIN:INVENTORY  5 GOLD_COIN
  Assets:GOLD-COIN:HELD  -5 GOLD_COIN
""")
    assert again.endswith(f"""
{day} * ({owner}-3) capture | {rows[0].reference}
    ; entry: {owner}-3
    ; kind: capture
    ; user: {owner}
    ; client: 1
    ; day: {day}
    ; occurred_at: {at}
    ; booked_at: {at}
    ; reference: {rows[0].reference}
    ; hold: {owner}-2
    Expenses:GOLD-COIN:REVENUE  15 "GOLD_COIN"
    Assets:GOLD-COIN:HELD  -15 "GOLD_COIN"
    Assets:GOLD-COIN:INVENTORY  5 "GOLD_COIN"
    Assets:GOLD-COIN:HELD  -5 "GOLD_COIN"
""")


@pytest.mark.parametrize("form", ["beancount", "hledger"])
def test_a_file_that_was_cut_off_fails_its_check(
    books: Books, owner: int, write: Write, hledger: Path, form: str
) -> None:
    """The balances that it must come to stand at its top."""
    for _ in range(3):
        books.win(owner, "0.5")
    file = write(form, "DREAM", today(books), today(books))
    whole = file.read_text()
    last = whole.rindex("\n\n")
    file.write_text(whole[: last + 1])
    with pytest.raises(AssertionError, match=r"(?i)balance"):
        programs.bean_check(file) if form == "beancount" else programs.hledger_check(hledger, file)


def test_a_range_that_begins_later_opens_with_the_balances_of_before(
    books: Books, owner: int, write: Write, hledger: Path
) -> None:
    with books.engine.begin() as connection:
        ledger.add_asset(connection, "RUBY", "Rubies", 1)
        books._assets = ledger.assets(connection)
    books.bonus(owner, "RUBY", "7.5")
    books.set_clock(books.now().replace(hour=0) + 24 * ledger.HOUR)
    books.spend(owner, "RUBY", "2")
    later = today(books)
    ours = {
        **dict.fromkeys(("Assets:RUBY:HELD", "Equity:RUBY:TREASURY", "Expenses:RUBY:EXPIRED"), 0),
        "Assets:RUBY:INVENTORY": Decimal("5.5"),
        "Income:RUBY:PROMOTIONS": Decimal("-7.5"),
        "Expenses:RUBY:REVENUE": Decimal(2),
    }
    told, balances = programs.of_beancount(write("beancount", "RUBY", later, later))
    assert told[0].narration == "opening balances"
    assert (len(told), told[0].date) == (2, date.fromordinal(later.toordinal() - 1))
    assert balances == ours
    file = write("hledger", "RUBY", later, later)
    programs.hledger_check(hledger, file)
    assert programs.of_hledger(hledger, file) == ours


def test_one_digit_more_than_beancount_computes_with_is_refused(
    books: Books, owner: int, write: Write, hledger: Path
) -> None:
    """28 digits are checked to the last; measured, not believed."""
    books.bonus(owner, "GOLD_COIN", "9" * 28)
    books.spend(owner, "GOLD_COIN", "9" * 28)
    with books.engine.begin() as connection:
        ledger.add_asset(connection, "OPAL", "Opals", 0)
        books._assets = ledger.assets(connection)
    books.bonus(owner, "OPAL", "9" * 28)
    file = write("beancount", "OPAL", today(books), today(books))
    programs.bean_check(file)
    _, balances = programs.of_beancount(file)
    assert balances["Assets:OPAL:INVENTORY"] == Decimal("9" * 28)
    books.bonus(owner, "OPAL", "1")
    with pytest.raises(Refused, match="INVENTORY of OPAL needs 29: take hledger"):
        write("beancount", "OPAL", today(books), today(books))
    programs.hledger_check(hledger, write("hledger", "OPAL", today(books), today(books)))


def test_a_workbook_of_too_many_rows_is_refused(books: Books, owner: int, engine: Engine) -> None:
    books.post(*(books.entry("bonus", owner, "1", asset="DIAMOND") for _ in range(3)))
    wanted = Range("DIAMOND", today(books), today(books))
    with engine.connect() as connection:
        count = ledger.count_postings(connection, wanted, 1000)
        journals.check(connection, wanted, "xlsx", count)
        with pytest.raises(Refused, match="choose fewer days, or CSV"):
            journals.check(connection, wanted, "xlsx", count - 1)
