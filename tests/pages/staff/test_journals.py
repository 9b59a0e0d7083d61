"""The page of journals: what is asked for, what is refused, and each format's file."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import URL, Engine, text
from werkzeug.test import TestResponse

from portal.ledger import PostingRow
from tests.factories import Books, convert_due
from tests.pages.conftest import Browser, Make
from tests.pages.reading import table
from tests.services.journals import programs

START = datetime(2026, 11, 20, 22, 15, tzinfo=UTC)
FIRST, LAST = date(2026, 11, 20), date(2026, 11, 21)
FILE = "/journals/file"


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    """One for all tests: they only read."""
    return shared_database


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    """Who is there, once made."""
    return {}


@pytest.fixture(autouse=True)
def owner(
    books: Books, browser: Browser, make_person: Make, made: dict[str, Any], app: Flask
) -> int:
    """A user with two days of books: a win that was converted, and Gold Coins on the day after.

    The browser is a viewer's.
    """
    if not made:
        books.set_clock(START)
        made["viewer"] = make_person("viewer")
        made["owner"] = owner_id = books.owner()
        books.win(owner_id, "1.5")
        with app.app_context():
            books.next_hour()
            convert_due()
            books.set_clock(START + timedelta(hours=4))
            convert_due()
        books.top_up(owner_id, "GOLD_COIN", "500")
        books.spend(owner_id, "GOLD_COIN", "120")
    browser.enter(made["viewer"], second_factor=True)
    return int(made["owner"])


def asked(**more: object) -> dict[str, Any]:
    return {"ledger": "", "first": FIRST, "last": LAST, "format": "csv", **more}


def errors(answer: TestResponse) -> list[str]:
    """What is said beside the fields."""
    assert answer.status_code == 422
    found = re.findall(r'class="error"[^>]*>(.*?)</p>', answer.text, re.DOTALL)
    return [unescape(re.sub(r"<[^>]+>", "", each)).strip() for each in found]


def test_the_page_asks_for_this_month_of_all_ledgers(browser: Browser) -> None:
    page = browser.get("/journals")
    assert page.status_code == 200
    assert 'name="first" required type="date" value="2026-11-20"' in page.text
    assert 'name="last" required type="date" value="2026-11-21"' in page.text
    assert [*re.findall(r'<option value="([A-Z_]+)"', page.text)][:4] == [
        *("DREAM", "USD", "FEES", "GOLD_COIN")
    ]
    assert "FEES, in USD" in page.text


def test_the_csv_has_every_posting_with_both_clocks_below_its_stamp(
    browser: Browser, owner: int
) -> None:
    answer = browser.get(FILE, query_string=asked())
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="dreamland-all-2026-11-20-2026-11-21.csv"'
    )
    assert answer.headers["Cache-Control"] == "private, no-store"
    what, booked, accounting, hour = answer.text.splitlines()[:4]
    assert what == "# Dreamland: postings of all ledgers, from 2026-11-20"
    assert booked.startswith("# Booked up to: 2026-11-21T02:")
    assert accounting == "# Accounting dates up to: 2026-11-21"
    assert hour == "# Last closed hour: 2026-11-21T01:00:00Z"
    rows = table(answer)
    assert [(r["entry_id"], r["line"], r["kind"], r["ledger"], r["amount"]) for r in rows] == [
        (f"{owner}-1", "1", "win", "DREAM", "1.5"),
        (f"{owner}-1", "2", "win", "FEES", "0.001"),
        (f"{owner}-2", "1", "conversion", "DREAM", "1.5"),
        (f"{owner}-2", "2", "conversion", "USD", "0.225"),
        (f"{owner}-2", "3", "conversion", "FEES", "0.00225"),
        (f"{owner}-3", "1", "top_up", "GOLD_COIN", "500"),
        (f"{owner}-4", "1", "spend", "GOLD_COIN", "120"),
    ]
    assert rows[2]["occurred_at"] == "2026-11-20T22:59:59.999999Z"
    assert rows[2]["booked_at"].startswith("2026-11-20T23:00:00.")
    assert [r["accounting_date"] for r in rows] == 5 * ["2026-11-20"] + 2 * ["2026-11-21"]
    assert (rows[1]["debit"], rows[1]["credit"]) == ("FEE_ISSUANCE", "FEES_PAYABLE")
    assert (rows[5]["user_id"], rows[5]["asset"], rows[5]["provider"]) == (
        *(str(owner), "GOLD_COIN", "test"),
    )


@pytest.mark.parametrize(
    ("ledger", "first", "last", "count"),
    [
        *(("FEES", FIRST, LAST, 2), ("GOLD_COIN", FIRST, FIRST, 0), ("GOLD_COIN", LAST, LAST, 2)),
        *(("", LAST, LAST, 2), ("DIAMOND", FIRST, LAST, 0)),
    ],
)
def test_a_ledger_and_a_range_narrow_it(
    browser: Browser, ledger: str, first: date, last: date, count: int
) -> None:
    rows = table(browser.get(FILE, query_string=asked(ledger=ledger, first=first, last=last)))
    assert len(rows) == count
    assert {row["ledger"] for row in rows} <= {ledger or row["ledger"] for row in rows}


def test_the_workbook_has_the_same_rows(browser: Browser) -> None:
    rows = table(browser.get(FILE, query_string=asked()))
    answer = browser.get(FILE, query_string=asked(format="xlsx"))
    assert answer.headers["Content-Disposition"].endswith('2026-11-21.xlsx"')
    sheet = load_workbook(BytesIO(answer.data)).worksheets[0]
    _, _, _, _, names, *found = sheet.iter_rows(values_only=True)
    assert names == PostingRow._fields
    told = [{n: "" if v is None else str(v) for n, v in zip(names, r, strict=True)} for r in found]
    assert told == rows


def test_what_a_client_said_is_no_formula(browser: Browser, books: Books) -> None:
    entry = books.entry("bonus", books.owner(), "1", asset="DIAMOND")
    entry.game, entry.reference, entry.description, entry.reason = "=1+1", "-cmd", '+"a",b', "\t=1"
    books.post(entry)
    for form in ("csv", "xlsx"):
        answer = browser.get(FILE, query_string=asked(ledger="DIAMOND", format=form))
        if form == "csv":
            [row] = table(answer)
            found = [row[name] for name in ("game", "reference", "description", "reason")]
        else:
            [*_, cells] = (
                load_workbook(BytesIO(answer.data)).worksheets[0].iter_rows(values_only=True)
            )
            found = [str(cell) for cell in cells[15:19]]
        assert found == ["'=1+1", "'-cmd", '\'+"a",b', "'\t=1"]


def test_beancount_finds_no_fault_in_its_journal(browser: Browser, tmp_path: Path) -> None:
    answer = browser.get(FILE, query_string=asked(format="beancount", first=LAST))
    assert answer.mimetype == "text/plain"
    assert answer.headers["Content-Disposition"].endswith('2026-11-21.beancount"')
    assert answer.text.startswith(
        "; Dreamland: postings of all ledgers, from 2026-11-21\n; Booked up to: "
    )
    file = tmp_path / "books.beancount"
    file.write_bytes(answer.data)
    programs.bean_check(file)
    _, balances = programs.of_beancount(file)
    assert str(balances["Assets:USD:USD-INVENTORY"]) == "0.225"
    assert str(balances["Liabilities:FEES:FEES-PAYABLE"]) == "-0.00325"


def test_hledgers_journal_has_the_same(browser: Browser) -> None:
    answer = browser.get(FILE, query_string=asked(format="hledger", ledger="USD"))
    assert answer.headers["Content-Disposition"].endswith(
        'dreamland-USD-2026-11-20-2026-11-21.journal"'
    )
    assert '    Assets:USD:USD-INVENTORY  0.225 "USD"\n' in answer.text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"last": "2026-11-22"}, "That lies in the future: it is Sat 21 Nov 2026 (UTC)."),
        ({"first": "2026-11-19"}, "That is before the first entry, of Fri 20 Nov 2026 (UTC)."),
        ({"first": LAST, "last": FIRST}, "The last day must not lie before the first."),
        ({"first": ""}, "Enter a day, such as 2026-11-21."),
        ({"last": "yesterday"}, "Enter a day, such as 2026-11-21."),
        ({"last": "2026-02-30"}, "Enter a day, such as 2026-11-21."),
        ({"first": "0001-01-01"}, "Enter a day of the years 2000 to 2199."),
        ({"first": "9" * 10_000}, "Enter a day, such as 2026-11-21."),
        ({"ledger": "RUBY"}, "Not a valid choice."),
        ({"ledger": "\0' OR 1"}, "Not a valid choice."),
        ({"format": "pdf"}, "Not a valid choice."),
    ],
)
def test_what_can_not_be_is_said_beside_its_field_and_not_recorded(
    browser: Browser, engine: Engine, more: dict[str, object], said: str
) -> None:
    assert errors(browser.get(FILE, query_string=asked(**more))) == [said]
    with engine.connect() as connection:
        query = "SELECT max(id) FROM audit_events WHERE action = 'books.exported' AND after ->> :field = :value"
        for field, value in more.items():
            known = {"field": field, "value": str(value).replace("\0", "")}
            kept = connection.scalar(text(query), known)
            assert kept is None or value in {FIRST, LAST}


def test_without_anything_the_form_asks_for_days(browser: Browser) -> None:
    assert errors(browser.get(FILE)) == 2 * ["Enter a day, such as 2026-11-21."]


def test_a_download_is_in_the_audit_log(browser: Browser, engine: Engine) -> None:
    browser.get(FILE, query_string=asked(ledger="USD", format="beancount"))
    query = (
        "SELECT target, after FROM audit_events WHERE action = 'books.exported' ORDER BY id DESC"
    )
    with engine.connect() as connection:
        target, after = connection.execute(text(query)).first() or ("", {})
    assert target == "books"
    assert after == {
        "ledger": "USD",
        "first": "2026-11-20",
        "last": "2026-11-21",
        "format": "beancount",
    }


def test_more_digits_than_beancount_computes_with_are_refused_and_hledger_is_named(
    browser: Browser, books: Books
) -> None:
    books.bonus(books.owner(), "LOYALTY_POINT", "1" + "0" * 27)
    [said] = errors(
        browser.get(FILE, query_string=asked(ledger="LOYALTY_POINT", format="beancount"))
    )
    assert said == (
        "Beancount computes with 28 digits, and INVENTORY of LOYALTY_POINT needs 30: take hledger, which"
        " has no limit."
    )
    whole = browser.get(FILE, query_string=asked(ledger="LOYALTY_POINT", format="hledger"))
    assert f'1{"0" * 27} "LOYALTY_POINT"' in whole.text
