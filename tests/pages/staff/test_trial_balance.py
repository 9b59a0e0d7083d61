"""The trial balance: any time of either clock, from either side, exact; what makes no sense is told beside its field."""

import re
from collections.abc import Iterator
from datetime import timedelta
from threading import Event, Thread

import pytest
from flask import Flask

from portal import ledger
from portal.ledger import Side, Span
from portal.ledger.amounts import MAX_AMOUNT
from portal.ledger.spans import INSTANT
from portal.ledger.trial_balance import TrialBalance
from portal.services import written
from tests.factories import convert_due, start_of_hour
from tests.pages.conftest import Browser, Make
from tests.pages.reading import table
from tests.pages.staff.filled import Cell, Portal, Shown

BEFORE, MOVED, AFTER = (
    ("Debit before", "Credit before"),
    ("Debits", "Credits"),
    ("Debit balance", "Credit balance"),
)
DAY = timedelta(days=1)
CLOCKS = ("booked", "accounting")
SIDES: tuple[Side, ...] = ("users", "dreamland")


def balance(portal: Portal, span: Span) -> TrialBalance:
    """What the books say."""
    with portal.books.engine.connect() as connection:
        return ledger.trial_balance(connection, span)


def spans(portal: Portal, clock: str) -> Iterator[tuple[dict[str, str], Span]]:
    """What an address says, and what it means: all of it, a time of the past, ranges, cut hours."""
    first, now = portal.days.hour, portal.books.now()
    middle = first + (now - first) / 2
    times = (first + timedelta(minutes=1), first + ledger.HOUR, middle, now)
    for until in times:
        for since in (None, first + ledger.HOUR / 2, middle):
            if since and since >= until:
                continue
            if clock == "booked":
                said = {"until": written.moment(until)}
                said |= {"since": written.moment(since)} if since else {}
                yield said, Span.booked(since, until)
            else:
                said = {"clock": clock, "until": f"{until.date()}"}
                said |= {"since": f"{since.date()}"} if since else {}
                yield said, Span.accounting(since and since.date(), until.date())


def address(said: dict[str, str], **more: str) -> str:
    return "/trial-balance?" + "&".join(f"{name}={value}" for name, value in (said | more).items())


def net(debits: int, credits: int) -> tuple[int, int]:
    return max(debits - credits, 0), max(credits - debits, 0)


def figures(row: dict[str, Cell], labels: tuple[str, str], scale: int) -> tuple[int, int]:
    debit, credit = (row[label].units(scale) for label in labels)
    return debit, credit


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("clock", CLOCKS)
def test_every_figure_is_that_of_the_books(portal: Portal, clock: str, side: Side) -> None:
    for said, span in spans(portal, clock):
        shown = portal.page(address(said, side=side))
        lines = [line.seen_from(side) for line in balance(portal, span).lines]
        assert len(shown.rows) == len(lines)
        for row, line in zip(shown.rows, lines, strict=True):
            assert row["Account"].text == f"{line.account} {line.type}"
            assert figures(row, MOVED, line.scale) == (line.debits, line.credits)
            closing = net(line.closing_debits, line.closing_credits)
            assert figures(row, AFTER, line.scale) == closing
            if span.start:
                opening = net(line.opening_debits, line.opening_credits)
                assert figures(row, BEFORE, line.scale) == opening
            else:
                assert BEFORE[0] not in row


def test_debits_equal_credits_in_every_ledger_and_a_word_says_so(portal: Portal) -> None:
    for clock in CLOCKS:
        for said, _ in spans(portal, clock):
            shown = portal.page(address(said))
            assert shown.text.count("Debits equal credits") == len(shown.totals)
            for total in shown.totals:
                each = [cell.text for label, cell in total.items() if "ebit" in label]
                assert each == [cell.text for label, cell in total.items() if "redit" in label]


def test_each_side_has_its_words_and_fees_are_the_same_from_either(portal: Portal) -> None:
    ours, theirs = (portal.page(f"/trial-balance?side={side}").rows for side in SIDES)
    assert [row["Account"].text for row in ours[:2]] == [
        "TOKENS_INVENTORY asset",
        "TOKENS_EARNED income",
    ]
    assert [row["Account"].text for row in theirs[:2]] == [
        "TOKENS_INVENTORY liability",
        "TOKENS_EARNED expense",
    ]
    assert ours[0]["Debits"].text == theirs[0]["Credits"].text != ours[0]["Credits"].text
    assert [row["Debits"].text for row in ours[5:9]] == [row["Debits"].text for row in theirs[5:9]]


def test_one_ledger_is_shown_alone(portal: Portal) -> None:
    for code, accounts in (("FEES", 4), ("GOLD_COIN", 6), ("USD", 2)):
        shown = portal.page(f"/trial-balance?ledger={code}")
        assert len(shown.rows) == accounts
        assert f'<option selected value="{code}">' in shown.answer.text


def test_now_is_written_into_every_link_so_that_what_opens_is_the_same(portal: Portal) -> None:
    shown = portal.page("/trial-balance")
    for row in shown.rows:
        assert "until=20" in str(row["Account"].address)
    assert "until=20" in shown.link("CSV")


def test_a_time_in_closed_hours_is_final_and_now_is_not(portal: Portal) -> None:
    now = portal.books.now()
    closed = start_of_hour(now) - INSTANT
    assert (
        " Final All of its hours are closed"
        in portal.page(address({"until": written.moment(closed)})).text
    )
    shown = portal.page("/trial-balance").text
    assert f"Not final The last closed hour ended at {start_of_hour(now):%Y-%m-%d %H:%M}" in shown
    assert "added live" in shown


def test_accounting_dates_are_final_once_their_months_are_closed(portal: Portal) -> None:
    shown = portal.page("/trial-balance?clock=accounting").text
    assert "Not final Entries may still get these dates:" in shown
    assert re.search(r"(is|are) not closed\. The last closed hour ended", shown)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("until=2199-01-01T00:00Z", "That lies in the future: it is 20"),
        ("since=2199-01-01T00:00Z", "That lies in the future"),
        ("clock=accounting&until=2199-01-01", "That lies in the future"),
        ("until=2001-01-01T00:00Z", "That is before the first entry, of 20"),
        ("since=2001-01-01T00:00:00Z", "That is before the first entry"),
        ("clock=accounting&since=2001-01-01", "That is before the first entry"),
        ("until=2026-11-28T17:00", "Add the offset: 2026-11-28T17:00Z for UTC"),
        ("until=2026-11-28+17:00:30", "Add the offset: 2026-11-28T17:00:30Z for UTC"),
        ("until=2026-11-28", "Add the time of the day and its offset, such as"),
        ("until=2026-11-28T17:00CET", "Enter the offset as Z or such as +01:00."),
        ("until=2026-02-30T17:00Z", "There is no such day."),
        ("until=2026-11-28T25:00Z", "There is no such time."),
        ("until=2026-11-28T17:00%2B99:00", "There is no such time."),
        ("until=0001-01-01T00:00Z", "Enter a day of the years 2000 to 2199."),
        ("until=yesterday", "Enter a time such as 2026-11-28T17:00Z."),
        ("until=%00", "Enter a time such as"),
        ("until=" + "9" * 10_000, "longer than 64 characters"),
        ("clock=accounting&until=2026-11-28T17:00Z", "Accounting dates are days"),
        ("clock=accounting&until=2026-13-01", "There is no such day."),
        ("clock=accounting&until=1.1.2026", "Enter a day such as 2026-11-28."),
        ("clock=sundial", "Not a valid choice."),
        ("side=moon", "Not a valid choice."),
        ("ledger=EUR", "There is no such ledger."),
        ("ledger=%00", "There is no such ledger."),
    ],
)
def test_what_makes_no_sense_is_told_beside_its_field(
    portal: Portal, query: str, sentence: str
) -> None:
    for ask in (portal.browser.get, portal.browser.fragment):
        answer = ask(f"/trial-balance?{query}")
        assert answer.status_code == 422
        assert sentence in answer.text
        assert 'aria-invalid="true"' in answer.text
        assert "<table" not in answer.text
    sent = portal.browser.get(f"/trial-balance.csv?{query}")
    assert (sent.status_code, sent.location.partition("?")[0]) == (303, "/trial-balance")


@pytest.mark.parametrize("name", ["endpoint", "_method", "_external", "_scheme", "_anchor", "self"])
@pytest.mark.parametrize(
    "address", ["/trial-balance.csv", "/accounts/FEES/CASH", "/fees.csv", "/fees/hours.csv"]
)
def test_what_an_address_asks_for_is_told_again_whatever_it_is_called(
    portal: Portal, address: str, name: str
) -> None:
    """What Flask's own function of addresses knows by the same name is a parameter like any other."""
    sent = portal.browser.get(f"{address}?clock=x&first=x&{name}=a%26b%C3%BC&{name}=2")
    page, _, query = sent.location.partition("?")
    assert (sent.status_code, query) == (303, f"clock=x&first=x&{name}=a%26b%C3%BC&{name}=2")
    assert page in {"/trial-balance", "/fees", "/fees/hours"}


def test_a_range_that_ends_before_it_begins_is_told(portal: Portal) -> None:
    now = portal.books.now()
    said = {"since": written.moment(now), "until": written.moment(now - ledger.HOUR)}
    shown = portal.page(address(said), 422)
    assert "That is after the time up to which you ask." in shown.text
    portal.page(address({**said, "until": "nonsense"}), 422)


@pytest.mark.parametrize(
    "form", ["{:%Y-%m-%dT%H:%MZ}", "{:%Y-%m-%d %H:%M:%S UTC}", "{:%Y-%m-%dt%H:%M:00.000z}"]
)
def test_an_instant_is_taken_with_any_offset(portal: Portal, form: str) -> None:
    at = start_of_hour(portal.books.now()) - 5 * ledger.HOUR
    plain = portal.page(address({"until": written.moment(at)}))
    assert [
        row["Debits"] for row in portal.page(f"/trial-balance?until={form.format(at)}").rows
    ] == [row["Debits"] for row in plain.rows]
    east = f"{at + timedelta(hours=5, minutes=45):%Y-%m-%dT%H:%M}%2B05:45"
    assert portal.page(f"/trial-balance?until={east}").rows == plain.rows


def test_the_usual_times_lead_to_pages_and_one_is_marked(portal: Portal) -> None:
    for clock in CLOCKS:
        shown = portal.page(f"/trial-balance?clock={clock}")
        chips = re.findall(r'<a href="([^"]+)"[^>]*id="time-\d"[^>]*>([^<]+)<', shown.answer.text)
        assert len(chips) >= 3
        for chip, name in chips:
            opened = portal.page(chip.replace("&amp;", "&"))
            assert re.search(rf'aria-current="true">{re.escape(name)}<', opened.answer.text)


@pytest.mark.parametrize("clock", CLOCKS)
def test_the_file_has_the_figures_of_the_page(portal: Portal, clock: str) -> None:
    for said, span in spans(portal, clock):
        sent = portal.browser.get(address(said, ledger="FEES").replace("balance?", "balance.csv?"))
        rows = table(sent)
        lines = [line for line in balance(portal, span).lines if line.ledger == "FEES"]
        assert [row["account"] for row in rows] == [line.account for line in lines]
        for row, line in zip(rows, lines, strict=True):
            closing = net(line.closing_debits, line.closing_credits)
            assert row["closing_debit"] == written.decimal(closing[0], 18)
            assert row["credits"] == written.decimal(line.credits, 18)


def test_htmx_gets_the_part_alone(portal: Portal) -> None:
    part = portal.browser.fragment("/trial-balance").text
    assert part.lstrip().startswith('<div id="balance">')
    assert "<html" not in part


def test_a_closed_time_stays_the_same_while_wins_and_conversions_go_on(portal: Portal) -> None:
    """To the last unit, and all of the page's figures; on both clocks where nothing is dated back."""
    books, stop = portal.books, Event()
    closed = written.moment(start_of_hour(books.now()) - INSTANT)
    same = address({"until": closed, "since": written.moment(portal.days.hour + ledger.HOUR)})

    def play(owner: int) -> None:
        while not stop.is_set():
            books.post(books.entry("win", owner, "0.001", at=books.now()))

    players = [Thread(target=play, args=(books.owner(),)) for _ in range(3)]
    before, now = portal.page(same), portal.page("/trial-balance")
    for player in players:
        player.start()
    try:
        for number in range(6):
            assert portal.page(same).rows == before.rows
            if number % 2:
                books.next_hour()
                with portal.app.app_context():
                    convert_due()
    finally:
        stop.set()
        for player in players:
            player.join()
    assert (portal.page(same).rows, portal.page(same).totals) == (before.rows, before.totals)
    assert portal.page("/trial-balance").rows[0]["Debits"] != now.rows[0]["Debits"]


def test_amounts_of_78_digits_are_exact(portal: Portal) -> None:
    """Two of the largest amounts there can be, whose sum is larger than any."""
    for _ in range(2):
        portal.books.top_up(portal.books.owner(), "DIAMOND", str(MAX_AMOUNT))
    shown = portal.page("/trial-balance?ledger=DIAMOND")
    assert shown.rows[0]["Debits"].units(0) == 2 * MAX_AMOUNT + 3
    assert f"{2 * MAX_AMOUNT:,}" == shown.rows[0]["Debit balance"].text
    assert "231,<wbr>584,<wbr>178," in shown.answer.text
    assert f"{2 * MAX_AMOUNT + 3:,}" in portal.page(str(shown.rows[0]["Debits"].address)).text


def test_books_without_an_entry_are_all_zero(
    browser: Browser, make_person: Make, app: Flask
) -> None:
    assert app
    browser.enter(make_person("viewer"), second_factor=True)
    shown = Shown("/trial-balance", browser.get("/trial-balance"))
    assert "No hour is closed yet" in shown.text
    assert {row["Debits"].text + row["Credits"].text for row in shown.rows} == {"0.00", "0"}
    assert browser.get("/trial-balance?until=2026-11-28T17:00").status_code == 422
    assert browser.get("/trial-balance?clock=accounting").status_code == 200
