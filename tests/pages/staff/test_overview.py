"""The overview: the state of the books in one look, exact, of one moment, and refreshed."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest
from flask import Flask

from portal.services import verification
from tests.factories import Books, convert_due
from tests.pages.counted import MOST, counted
from tests.pages.reading import table, words
from tests.pages.staff.conftest import By

NOON = datetime(2027, 3, 2, 12, 10, tzinfo=UTC)


@pytest.fixture
def played(app: Flask, books: Books) -> Books:
    """Wins of two days, the hours of which are converted but for the last."""
    books.set_clock(datetime(2027, 2, 28, 9, 30, tzinfo=UTC))
    owner = books.owner()
    books.win(owner, "2")
    with app.app_context():
        books.next_hour()
        convert_due()
        books.set_clock(NOON)
        convert_due()
        books.win(owner, "1.5")
        books.top_up(owner, "GOLD_COIN", "1000")
        books.hold(owner, "GOLD_COIN", "30")
    return books


def test_new_books_say_what_is_to_come(by: By) -> None:
    page = words(by("viewer").get("/"))
    for said in (
        "Books verified Not yet They are each night",
        "Every hour that is over is converted.",
        "No hour was converted yet.",
        "Nothing was booked in these days.",
        "DREAM to be converted 0.00",
        "Together 0.00 USD Owed now 0.00 USD",
    ):
        assert said in page


def test_every_figure_is_that_of_the_books(app: Flask, played: Books, by: By) -> None:
    with app.app_context():
        verification.verify()
    assert played.now() >= NOON
    page = words(by("viewer").get("/"))
    for said in (
        "Books verified Clean",
        "Every hour that is over is converted.",
        "Last conversion 0.00 USD Tue 2 Mar 2027, 11:00 UTC : 0.00 DREAM of 0 users",
        "DREAM to be converted 1.50",
        "USD 0.30",
        "Gold Coins 1,000",
        "30 of it set aside",
        "Fees of March 2027 so far, in USD",
        "Issuing tokens 0.001",
        "Converting 0.00",
        "Owed now 0.005",
        "Tue 2 Mar 2027 1.50 0.00 0.00 0.001 0.00 Sun 28 Feb 2027 2.00 2.00 0.30 0.001 0.003",
    ):
        assert said in page, said


def test_an_hour_that_is_due_is_told_with_how_many_wait_behind_it(played: Books, by: By) -> None:
    hour = played.next_hour()
    played.next_hour()
    page = words(by("viewer").get("/"))
    assert f"Due {hour:%a %-d %b %Y, %H}:00 UTC . 1 more waits behind it." in page


@pytest.mark.usefixtures("played")
def test_charts_are_of_the_days_that_are_chosen_and_so_is_the_file(by: By) -> None:
    viewer = by("viewer")
    page = viewer.get("/?days=7")
    assert page.text.count('<svg class="chart"') == 3
    assert page.text.count('class="bar"') == 2 + 1 + 2
    assert "24 Feb Most: 2.00 DREAM 2 Mar" in words(page)
    rows = table(viewer.get("/overview.csv?days=90"))
    assert rows[1] == {
        "day": "2027-02-28",
        "won": "2",
        "converted": "2",
        "usd": "0.3",
        "issuance_fees": "0.001",
        "conversion_fees": "0.003",
    }
    assert viewer.get("/overview.xlsx").status_code == 200
    for days in ("8", "x", "", "-7", "9" * 30):
        assert viewer.get(f"/?days={days}").status_code == 404
        assert viewer.get(f"/overview.csv?days={days}").status_code == 404


def test_it_is_asked_for_again_with_its_days_and_costs_few_statements(
    app: Flask, played: Books, by: By
) -> None:
    viewer = by("viewer")
    page = viewer.get("/?days=90")
    found = re.search(r'hx-get="([^"]+)" hx-trigger="refresh from:body"', page.text)
    assert found
    with counted(played.engine) as sent:
        again = viewer.fragment(unescape(found.group(1)))
    assert again.text.lstrip().startswith('<div id="overview"')
    assert len(sent) <= MOST, sent
    assert app


def test_a_user_has_a_home_and_no_overview(by: By) -> None:
    user = by("user")
    assert "Good to see you" in user.get("/").text
    assert user.get("/overview.csv").status_code == 403
