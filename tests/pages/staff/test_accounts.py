"""An account from the top down: each page adds up to the figure it was opened from, down to the postings."""

from collections import Counter
from datetime import timedelta

import pytest

from portal.ledger import Side
from portal.services import written
from tests.factories import start_of_hour
from tests.pages.reading import table
from tests.pages.staff.filled import Cell, Portal

DAY = timedelta(days=1)
SIDES: tuple[Side, ...] = ("users", "dreamland")
Pair = tuple[int, int]


def pair(row: dict[str, Cell], scale: int) -> Pair:
    """What a row moved."""
    debit = row.get("Debits") or row["Debit"]
    credit = row.get("Credits") or row["Credit"]
    return debit.units(scale), credit.units(scale)


def since_of(portal: Portal, clock: str) -> str:
    """Amid what there is: an hour that is cut, or the second day."""
    at = portal.days.hour + timedelta(minutes=90)
    return written.moment(at) if clock == "booked" else f"{(at + DAY).date()}"


def added(pairs: list[Pair]) -> Pair:
    return sum(debit for debit, _ in pairs), sum(credit for _, credit in pairs)


def go_down(portal: Portal, address: str, scale: int, wanted: Pair, levels: list[str]) -> None:
    """Open what a figure leads to, and all below it: everything adds up to the figure."""
    shown = portal.page(address)
    pairs = [pair(row, scale) for row in shown.rows]
    assert added(pairs) == wanted, address
    assert [pair(total, scale) for total in shown.totals] == [wanted], address
    assert (Cell(shown.facts["Debits"], None).units(scale), wanted[1]) == wanted
    level = next(iter(shown.rows[0]))
    levels.append(level)
    for row, moved in zip(shown.rows, pairs, strict=True):
        below = str(next(iter(row.values())).address)
        if level == "Entry":
            levels.append("posting")
        else:
            go_down(portal, below, scale, moved, levels)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("clock", ["booked", "accounting"])
def test_every_figure_of_a_trial_balance_is_followed_down_to_its_postings(
    portal: Portal, clock: str, side: Side
) -> None:
    levels: list[str] = []
    for since in ("", since_of(portal, clock)):
        top = portal.page(f"/trial-balance?clock={clock}&side={side}&since={since}")
        assert len(top.rows) == 27
        for number, row in enumerate(top.rows):
            scale = 18 if number < 9 else 2 if number > 20 else 0
            if (moved := pair(row, scale)) != (0, 0):
                go_down(portal, str(row["Account"].address), scale, moved, levels)
    found = Counter(levels)
    assert found["Day"] >= 20
    assert found["Hour"] >= found["Day"]
    assert found["User"] >= found["Hour"]
    assert found["posting"] > found["Entry"] >= found["User"]


@pytest.mark.parametrize("clock", ["booked", "accounting"])
def test_a_balance_opens_all_that_it_consists_of(portal: Portal, clock: str) -> None:
    since = since_of(portal, clock)
    top = portal.page(f"/trial-balance?ledger=DREAM&clock={clock}&since={since}")
    opened = 0
    for row in top.rows:
        for label in ("Debit before", "Credit before", "Debit balance", "Credit balance"):
            if not row[label].address:
                continue
            shown = portal.page(str(row[label].address))
            debits, credits = added([pair(each, 18) for each in shown.rows])
            assert abs(debits - credits) == row[label].units(18)
            assert (debits > credits) == label.startswith("Debit")
            opened += 1
    assert opened >= 4


def test_what_belongs_to_an_earlier_date_stands_in_it_and_says_when_it_was_booked(
    portal: Portal,
) -> None:
    now = portal.books.now()
    by_date = portal.page("/accounts/FEES/CASH?clock=accounting")
    booked = portal.page("/accounts/FEES/CASH")
    assert len(by_date.rows) == 2
    assert [row["Day"].text for row in booked.rows] == [f"{now:%a %-d %b %Y}"]
    for row in by_date.rows:
        hours = portal.page(str(row["Day"].address))
        assert "booked late, on" in hours.rows[0]["Hour"].text
        users = portal.page(str(hours.rows[0]["Hour"].address))
        assert users.rows[0]["User"].text == "Dreamland (0)"
        postings = portal.page(str(users.rows[0]["User"].address))
        assert postings.rows[0]["What"].text.startswith("Fees settled")
        entry = portal.page(str(postings.rows[0]["Entry"].address))
        assert "FEES_PAYABLE" in entry.text


def test_the_balance_after_each_day_is_that_of_the_day(portal: Portal) -> None:
    for account in ("DREAM/TOKENS_INVENTORY", "FEES/FEES_PAYABLE", "FEES/CASH"):
        for side in SIDES:
            shown = portal.page(f"/accounts/{account}?side={side}")
            for row in shown.rows:
                day = portal.page(str(row["Day"].address))
                assert day.facts["Balance after"].split()[0] == row["Balance after"].text


def test_the_way_back_is_one_click_at_each_level(portal: Portal) -> None:
    said = f"?clock=booked&until={written.moment(portal.books.now())}&side=dreamland"
    above = [f"/trial-balance{said}"]
    address = f"/accounts/DREAM/TOKENS_EARNED{said}"
    while not address.startswith("/entries/"):
        shown = portal.page(address)
        for link, wanted in zip(shown.trail, above, strict=True):
            assert link.partition("?")[0] == wanted.partition("?")[0]
            assert link.endswith("#ledger-DREAM") == link.startswith("/trial-balance")
            assert "side=dreamland" in link
            assert portal.page(link).totals == portal.page(wanted).totals
        above.append(address)
        address = str(next(iter(shown.rows[0].values())).address)
    assert len(above) == 5


@pytest.mark.parametrize(
    "address",
    [
        *("/accounts/DREAM/CASH", "/accounts/EUR/CASH", "/accounts/dream/TOKENS_EARNED"),
        *("/accounts/DREAM/%00", "/accounts/DREAM/x'--", f"/accounts/DREAM/{'x' * 10_000}"),
        *("/accounts/DREAM/CASH.csv", "/accounts/DREAM/CASH/days/2026-11-20"),
    ],
)
def test_an_unknown_account_says_so(portal: Portal, address: str) -> None:
    shown = portal.page(address, 404)
    assert "There is no account" in shown.text


GOOD = "/accounts/DREAM/TOKENS_EARNED"


@pytest.mark.parametrize(
    "below",
    [
        *(
            "?before=x",
            "?before=2026-02-30",
            "/days/yesterday",
            "/days/2026-02-30",
            "/days/0001-01-01",
        ),
        *("/days/2026-11-20/hours/17", "/days/2026-11-20/hours/2026-11-20T17:30Z"),
        *("/days/2026-11-20/hours/2026-11-21T17:00Z", "/days/2026-11-20/hours/2026-11-20T25:00Z"),
        *("/days/2026-11-20/hours/2026-11-19T17:00Z", "/days/2026-11-20/hours/9999-11-19T17:00Z"),
        "/days/2026-11-20/hours/2026-11-20T17:00Z?after=x",
        "/days/2026-11-20/hours/2026-11-20T17:00Z/users/x",
        "/days/2026-11-20/hours/2026-11-20T17:00Z/users/99999999999999999999",
        "/days/2026-11-20/hours/2026-11-20T17:00Z/users/1?after=1",
        "/days/2026-11-20/hours/2026-11-20T17:00Z/users/1?after=1-x",
        *(".pdf", "/days"),
    ],
)
def test_what_can_be_no_address_is_not_there(portal: Portal, below: str) -> None:
    assert "There is nothing here" in portal.page(GOOD + below, 404).text


@pytest.mark.parametrize(
    "below", ["", ".csv", "/days/2026-11-20", "/days/2026-11-20/hours/2026-11-20T17:00Z.xlsx"]
)
@pytest.mark.parametrize(
    "query", ["until=2199-01-01T00:00Z", "until=2026-11-28T17:00", "clock=x", "side=x", "part=x"]
)
def test_times_that_make_no_sense_are_told_on_the_trial_balance(
    portal: Portal, below: str, query: str
) -> None:
    sent = portal.browser.get(f"{GOOD}{below}?{query}")
    assert sent.status_code == 303
    assert sent.location == f"/trial-balance?{query}"


def test_where_nothing_moved_the_page_says_so(portal: Portal) -> None:
    for below in ("/days/2001-01-01", "/days/2001-01-01/hours/2001-01-01T17:00Z"):
        assert "Nothing moved in this account" in portal.page(GOOD + below).text
    nobody = portal.page(f"{GOOD}/days/2001-01-01/hours/2001-01-01T17:00Z/users/1")
    assert "Nothing moved for this user" in nobody.text
    assert "Nothing moved in this account" in portal.page("/accounts/DIAMOND/EXPIRED").text
    assert "it moved on no day before" in portal.page(f"{GOOD}?before=2001-01-01").text


def test_the_files_have_the_rows_of_their_pages(portal: Portal) -> None:
    address, levels = "/accounts/FEES/FEES_PAYABLE", 0
    while not address.startswith("/entries/"):
        path, _, query = address.partition("?")
        shown = portal.page(address)
        assert portal.browser.get(f"{path}.xlsx?{query}").data.startswith(b"PK")
        rows = table(portal.browser.get(f"{path}.csv?{query}"))
        assert len(rows) == len(shown.rows)
        names = ("debits", "credits") if "debits" in rows[0] else ("debit", "credit")
        for row, seen in zip(rows, shown.rows, strict=True):
            assert (row["ledger"], row["account"]) == ("FEES", "FEES_PAYABLE")
            decimals = tuple(written.decimal(units, 18) for units in pair(seen, 18))
            assert (row[names[0]], row[names[1]]) == decimals
        address, levels = str(next(iter(shown.rows[-1].values())).address), levels + 1
    assert levels == 4


def test_long_lists_go_on_page_by_page(portal: Portal) -> None:
    """Users of an hour, postings of a user: each once, and every page says the whole hour's sums."""
    books = portal.books
    books.next_hour()
    owners = [books.owner() for _ in range(60)]
    books.post(*(books.entry("bonus", owner, "2", asset="DIAMOND") for owner in owners))
    books.post(*(books.entry("bonus", owners[0], "1", asset="DIAMOND") for _ in range(60)))
    now = books.now()
    hour = f"{start_of_hour(now):%Y-%m-%dT%H:00Z}"
    top = f"/accounts/DIAMOND/PROMOTIONS/days/{now:%Y-%m-%d}/hours/{hour}"
    first = portal.page(top)
    second = portal.page(first.link("Next"))
    assert [len(first.rows), len(second.rows)] == [50, 10]
    assert [f"User {owner}" for owner in owners] == [
        row["User"].text for row in first.rows + second.rows
    ]
    assert first.totals[0]["Credits"].text == second.totals[0]["Credits"].text == "180"
    assert portal.page(second.link("First")).rows == first.rows
    own = portal.page(str(first.rows[0]["User"].address))
    rest = portal.page(own.link("Next"))
    assert [len(own.rows), len(rest.rows)] == [50, 11]
    assert own.totals[0]["Credit"].text == rest.totals[0]["Credit"].text == "62"
    assert "That were all" in portal.page(f"{top}/users/{owners[0]}?after=999-1").text
    assert "That were all" in portal.page(f"{top}?after={owners[-1]}").text


def test_days_go_on_page_by_page(portal: Portal) -> None:
    """Last: it moves the clock by months."""
    books = portal.books
    start, owner = books.now(), books.owner()
    for day in range(1, 61):
        books.set_clock(start + day * DAY)
        books.bonus(owner, "DIAMOND", "1")
    portal.browser.enter(portal.viewer, second_factor=True)  # the session had ended
    first = portal.page("/accounts/DIAMOND/PROMOTIONS?clock=booked")
    second = portal.page(first.link("Older"))
    assert len(first.rows) == 50
    assert 11 <= len(second.rows) <= 13
    assert "Older" not in second.text
    assert int(first.rows[-1]["Balance after"].text) - 1 == int(
        second.rows[0]["Balance after"].text
    )
    assert first.totals == second.totals
    assert portal.page(second.link("Newest")).rows[1:] == first.rows[1:]


def test_htmx_gets_the_part_alone(portal: Portal) -> None:
    part = portal.browser.fragment(GOOD).text
    assert part.lstrip().startswith('<div id="account">')
    assert "<html" not in part
