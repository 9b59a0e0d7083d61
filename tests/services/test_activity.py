"""What happened in a user's books, for the pages."""

import pytest
from sqlalchemy import URL, insert

from portal.ledger.errors import NotFound
from portal.runtime import runtime
from portal.services import activity, wins
from portal.services.models import ApiClient
from tests.factories import CLIENT, Books, convert_due

pytestmark = pytest.mark.usefixtures("context")
TOKEN = 10**18


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


def test_home_has_the_day_the_wallets_and_the_newest_entries(books: Books) -> None:
    owner = books.owner("Asia/Kathmandu")
    for _ in range(7):
        books.win(owner, "0.1")
    books.top_up(owner, "GOLD_COIN", "20")
    books.hold(owner, "GOLD_COIN", "5")
    home = activity.home(owner)
    assert (home.today.won, home.today.time_zone) == (7 * TOKEN // 10, "Asia/Kathmandu")
    held = {asset.code: (wallet.balance, wallet.held) for asset, wallet in home.holdings}
    assert held["GOLD_COIN"] == (20, 5)
    assert held["DREAM"] == (7 * TOKEN // 10, 0)
    assert [entry.seq for entry in home.newest] == [9, 8, 7, 6, 5]


def test_home_is_of_one_moment(books: Books) -> None:
    owner = books.owner()
    with runtime().reading() as connection:
        before = activity.home(owner)
        books.win(owner, "1")
        assert activity.home(owner).holdings == before.holdings
        assert not connection.closed
    assert activity.home(owner).holdings != before.holdings


def test_an_unknown_user_has_no_home() -> None:
    with pytest.raises(NotFound):
        activity.home(2**62)


def test_an_event_names_the_client_that_asked_for_it(books: Books) -> None:
    owner = books.owner()
    books.win(owner, "1")
    assert activity.event(owner, 1).client == "client 1"
    with runtime().engine.begin() as connection:
        row = {"id": CLIENT, "name": "the maze", "created_at": books.now()}
        connection.execute(insert(ApiClient).values(row))
    books.next_hour()
    convert_due()
    assert activity.event(owner, 1).client == "the maze"
    assert activity.event(owner, 2).client == "Dreamland"


def test_the_companys_lines_are_for_staff_alone(books: Books) -> None:
    owner = books.owner()
    books.win(owner, "1")
    assert [line.ledger for line in activity.event(owner, 1).entry.lines] == ["DREAM"]
    of_staff = activity.event(owner, 1, fees=True).entry.lines
    assert [line.ledger for line in of_staff] == ["DREAM", "FEES"]


def test_an_event_of_another_user_is_not_there(books: Books) -> None:
    owner, other = books.owner(), books.owner()
    books.win(owner, "1")
    assert activity.entries(other, None, 10) == []
    with pytest.raises(NotFound) as error:
        activity.event(other, 1)
    assert error.value.code == "unknown_entry"


def test_the_page_of_a_day_has_its_wins_and_its_games(books: Books) -> None:
    owner = books.owner()
    books.win(owner, "1")
    books.win(owner, "2")
    page = wins.day_page(owner, None, None, 1)
    assert (page.today.won, len(page.wins), page.wins[0].total) == (3 * TOKEN, 1, 3 * TOKEN)
    assert page.games == []
