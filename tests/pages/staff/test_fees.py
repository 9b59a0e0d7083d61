"""Fees: by what finance asks, tied to the accounts; what is owed; the rules; days that make no sense."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask

from portal import ledger
from portal.ledger import Span
from portal.pages.staff.fees import BY
from portal.services import fees
from portal.services.fees import FeeRule
from tests.pages.conftest import Browser, Make
from tests.pages.reading import table
from tests.pages.staff.filled import Portal, Shown

ALL = ("Issuing", "Converting", "Both", "Settled", "Entries")


def begun(portal: Portal) -> date:
    """The first day of the books: a settlement was dated back to the day before the first entry, or so."""
    with portal.books.engine.connect() as connection:
        first = ledger.bounds(connection).first_date
    assert first
    return first


def every_day(portal: Portal) -> str:
    """All days of the books, in an address."""
    return f"first={begun(portal)}&last={portal.books.now().date()}"


def moved(portal: Portal, account: str, since: str = "first") -> int:
    """What an account of fees moved on all days, on its normal side."""
    first = begun(portal) if since == "first" else None
    with portal.books.engine.connect() as connection:
        span = Span.accounting(first, portal.books.now().date())
        lines = ledger.trial_balance(connection, span).lines
    return next(line.closing - line.opening for line in lines if line.account == account)


@pytest.mark.parametrize("by", [*BY])
def test_the_fees_by_anything_add_up_to_their_accounts(portal: Portal, by: str) -> None:
    shown = portal.page(f"/fees?by={by}&{every_day(portal)}")
    sums, owed = shown.totals
    for label, account in (("Issuing", "FEE_ISSUANCE"), ("Converting", "FEE_CONVERSION")):
        assert sums[label].units(18) == moved(portal, account) > 0
    assert sums["Settled"].units(18) == -moved(portal, "CASH") == 18
    rows = [row for row in shown.rows if "Issuing" in row]
    for label in ALL:
        assert sum(row[label].units(18) for row in rows) == sums[label].units(18)
    for row in rows:
        assert row["Both"].units(18) == row["Issuing"].units(18) + row["Converting"].units(18)
    assert owed["Owed"].units(18) == moved(portal, "FEES_PAYABLE")


def test_rows_have_the_names_that_people_know(portal: Portal) -> None:
    def names(by: str) -> list[str]:
        rows = portal.page(f"/fees?by={by}&{every_day(portal)}").rows
        return [next(iter(row.values())).text for row in rows if "Issuing" in row]

    assert names("kind") == ["Converted to USD", "Fees settled", "Taken back", "Won"]
    assert "another" in names("provider")
    assert names("game") == ["No game named"]
    assert names("region") == ["global"]
    days = names("day")
    assert days[0] == f"{portal.books.now():%a %-d %b %Y}"
    assert days[-1] == f"{begun(portal):%a %-d %b %Y}"


def test_a_day_and_each_total_open_the_account_with_the_same_figure(portal: Portal) -> None:
    shown = portal.page(f"/fees?by=day&{every_day(portal)}")
    opened = 0
    for row in (*shown.rows, *shown.totals):
        for label, cell in row.items():
            if not cell.address:
                continue
            account = portal.page(cell.address)
            debits, credits = (account.facts[side] for side in ("Debits", "Credits"))
            units = [type(cell)(text, None).units(18) for text in (debits, credits)]
            assert abs(units[0] - units[1]) == cell.units(18), (label, cell)
            opened += 1
    assert opened >= 8


def test_what_is_owed_equals_the_balance_and_a_sentence_says_so(portal: Portal) -> None:
    for last in (portal.days.hour, portal.books.now()):
        shown = portal.page(f"/fees?first={portal.days.hour.date()}&last={last.date()}")
        assert "Equals FEES_PAYABLE" in shown.text
        owed = [row for row in shown.rows if "Owed" in row]
        for row in owed:
            assert row["Owed"].units(18) == row["Incurred"].units(18) - row["Settled"].units(18)


def test_rules_have_their_times_and_the_one_in_force_is_marked(portal: Portal) -> None:
    with portal.app.app_context():
        start = portal.books.now() + timedelta(days=3)
        fees.add_rule(FeeRule("win", start, "mint", 10**15, 0))
        rules = fees.rules()
    rows = [row for row in portal.page("/fees").rows if "Holds" in row]
    assert len(rows) == len(rules) == 5
    assert [row["Now"].text for row in rows] == ["to come", "in force", "past", "in force", "past"]
    assert rows[0]["Holds"].text.startswith(f"from {start:%Y-%m-%d %H:%M}")
    assert rows[1]["Holds"].text.endswith(rows[0]["Holds"].text.removeprefix("from "))
    assert rows[2]["Holds"].text.startswith("from the beginning until")
    assert (rows[3]["USD an entry"].text, rows[3]["Of the USD converted"].text) == (
        "0.05",
        "0.33 %",
    )


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("first=2199-01-01", "That lies in the future: it is"),
        ("last=2199-01-01", "That lies in the future"),
        ("first=2001-01-01", "That is before the first entry, of"),
        ("last=2001-01-01", "That is before the first entry"),
        ("first=tomorrow", "Enter a day, such as 2026-11-21."),
        ("last=2026-02-30", "Enter a day, such as 2026-11-21."),
        ("last=0001-01-01", "Enter a day of the years 2000 to 2199."),
        ("first=%00", "Enter a day, such as 2026-11-21."),
        ("first=" + "9" * 10_000, "Enter a day, such as 2026-11-21."),
    ],
)
def test_days_that_make_no_sense_are_told_beside_their_field(
    portal: Portal, query: str, sentence: str
) -> None:
    for ask in (portal.browser.get, portal.browser.fragment):
        answer = ask(f"/fees?{query}")
        assert answer.status_code == 422
        assert sentence in answer.text
        assert "<table" not in answer.text
    for file in ("/fees.csv", "/fees/owed.xlsx"):
        assert portal.browser.get(f"{file}?{query}").status_code == 303


def test_days_out_of_order_are_told(portal: Portal) -> None:
    first, last = portal.books.now().date(), portal.days.hour.date()
    shown = portal.page(f"/fees?first={first}&last={last}", 422)
    assert "The last day must not lie before the first." in shown.text


@pytest.mark.parametrize("query", ["by=moon", "by=%00", "after=nothing", "by=day&after=2001-01-01"])
def test_what_can_be_no_address_is_not_there(portal: Portal, query: str) -> None:
    portal.page(f"/fees?{query}", 404)


def test_the_files_have_the_figures_of_the_page(portal: Portal) -> None:
    query = every_day(portal)
    for by in BY:
        rows = table(portal.browser.get(f"/fees.csv?by={by}&{query}"))
        total = sum(units(row["total"]) for row in rows)
        assert total == moved(portal, "FEE_ISSUANCE") + moved(portal, "FEE_CONVERSION")
    owed = table(portal.browser.get(f"/fees/owed.csv?{query}"))
    assert sum(units(row["owed"]) for row in owed) == moved(portal, "FEES_PAYABLE", "ever")
    rules = table(portal.browser.get("/fees/rules.csv"))
    assert {row["state"] for row in rules} >= {"in force", "past"}
    assert portal.browser.get(f"/fees.csv?by=moon&{query}").status_code == 404


def units(decimal: str) -> int:
    """Base units of USD."""
    whole, _, decimals = decimal.partition(".")
    return int(whole + decimals.ljust(18, "0"))


def test_long_lists_go_on_page_by_page_with_the_sums_of_all(portal: Portal) -> None:
    books = portal.books
    owner = books.owner()
    with portal.app.app_context():
        start = books.now() + timedelta(seconds=1)
        fees.add_rule(FeeRule("win", start, "mint", 10**15, 0))
    books.set_clock(start + timedelta(seconds=1))
    wins = [books.entry("win", owner, "0.001", at=books.now()) for _ in range(60)]
    books.post(*(replace(win, game=f"game-{n:02}") for n, win in enumerate(wins)))
    first = portal.page(f"/fees?by=game&{every_day(portal)}")
    second = portal.page(first.link("Next"))
    games = [row["Game"].text for page in (first, second) for row in page.rows if "Game" in row]
    assert games == ["No game named", *(f"game-{n:02}" for n in range(60))]
    assert first.totals[0] == second.totals[0]
    assert portal.page(second.link("First")).rows == first.rows


def test_htmx_gets_the_part_alone(portal: Portal) -> None:
    part = portal.browser.fragment("/fees").text
    assert part.lstrip().startswith('<div id="fees">')
    assert "<html" not in part


def test_books_without_an_entry_owe_nothing(
    browser: Browser, make_person: Make, app: Flask
) -> None:
    assert app
    browser.enter(make_person("viewer"), second_factor=True)
    shown = Shown("/fees", browser.get("/fees"))
    assert "No fee belongs to these days." in shown.text
    assert "Nothing was ever owed until then. Equals FEES_PAYABLE" in shown.text


def test_each_hour_has_its_fee_and_leads_to_its_conversion(portal: Portal) -> None:
    shown = portal.page(f"/fees/hours?{every_day(portal)}")
    done = [row for row in shown.rows if row["Fee, USD"].units(18)]
    assert len(done) == 4
    assert sum(row["Fee, USD"].units(18) for row in done) == moved(portal, "FEE_CONVERSION")
    for row in shown.rows:
        assert "/conversions/" in str(row["Hour"].address)
        portal.page(str(row["Hour"].address))
    hours = table(portal.browser.get(f"/fees/hours.csv?{every_day(portal)}"))
    assert [units(row["fees"]) for row in hours] == [
        row["Fee, USD"].units(18) for row in shown.rows
    ]


def test_hours_are_those_of_the_days_and_go_on_page_by_page(portal: Portal) -> None:
    day = portal.days.hour.date()
    shown = portal.page(f"/fees/hours?first={day}&last={day}")
    assert {row["Hour"].text[:15] for row in shown.rows} == {f"{day:%a %-d %b %Y}"}
    every = portal.page(f"/fees/hours?{every_day(portal)}")
    begins = str(every.rows[4]["Hour"].address).rpartition("/")[2]
    older = portal.page(f"/fees/hours?{every_day(portal)}&before={begins}")
    assert older.rows == every.rows[5:]
    assert portal.page(older.link("Newest")).rows == every.rows
    portal.page("/fees/hours?before=x", 404)
    portal.page("/fees/hours?first=2199-01-01", 422)
    assert portal.browser.get("/fees/hours.csv?first=2199-01-01").status_code == 303
    part = portal.browser.fragment("/fees/hours").text
    assert part.lstrip().startswith('<div id="fees">')


def test_fees_by_day_have_a_chart_beside_their_table(portal: Portal) -> None:
    label = 'aria-label="Fees by day, at most'
    assert label in portal.page("/fees?by=day").answer.text
    assert label not in portal.page("/fees?by=kind").answer.text


def test_a_journal_has_the_fees_of_all_days_also_what_was_dated_before_the_first_entry(
    portal: Portal,
) -> None:
    file = portal.page(f"/journals/file?ledger=FEES&format=csv&{every_day(portal)}")
    assert min(row["accounting_date"] for row in table(file.answer)) == f"{begun(portal)}"
