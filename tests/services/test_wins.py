"""Wins as a service: the entry of a request, the user's day."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import URL

from portal.ledger.errors import NotFound
from portal.services import users, wins
from portal.services.wins import WinRequest
from tests.factories import Books

pytestmark = pytest.mark.usefixtures("context")
TOKEN = 10**18


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture
def request_(books: Books) -> WinRequest:
    return WinRequest(books.owner(), "k", TOKEN, books.now(), "maze", "r1")


def test_the_same_request_has_the_same_hash_whatever_its_key_and_offset(
    request_: WinRequest,
) -> None:
    india = request_.occurred_at.astimezone(timezone(timedelta(hours=5, minutes=30)))
    first = wins.entry(1, request_)
    assert wins.entry(1, replace(request_, occurred_at=india)).request_hash == first.request_hash
    assert wins.entry(1, replace(request_, key="other")).request_hash == first.request_hash
    assert wins.entry(2, request_).request_hash == first.request_hash
    assert wins.entry(2, request_).key_hash != first.key_hash


@pytest.mark.parametrize(
    "change",
    [
        {"amount": TOKEN + 1},
        {"game": "maze "},
        {"reference": "R1"},
        {"occurred_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"user_id": 1},
    ],
)
def test_another_request_has_another_hash(request_: WinRequest, change: dict[str, object]) -> None:
    other = replace(request_, **change)  # type: ignore[arg-type]
    assert wins.entry(1, other).request_hash != wins.entry(1, request_).request_hash


def test_a_win_is_booked_once(request_: WinRequest) -> None:
    outcomes = [wins.book(1, request_), *wins.book_batch(1, [request_, request_])]
    assert [outcome.status for outcome in outcomes] == ["posted", "replayed", "replayed"]


def test_the_day_has_what_was_won_and_what_remains(books: Books) -> None:
    user = users.create("winner", "Winner", "Asia/Tokyo")[0]
    books.win(user.id, "1.5")
    day, listed = wins.today(user.id, None, 10)
    assert (day.won, day.limit, day.remaining) == (3 * TOKEN // 2, 5 * TOKEN, 7 * TOKEN // 2)
    assert (day.time_zone, len(listed), listed[0].amount) == ("Asia/Tokyo", 1, 3 * TOKEN // 2)


def test_a_reversed_win_counts_no_more(books: Books) -> None:
    user = users.create("reversed", "Reversed")[0]
    books.reverse(user.id, books.win(user.id, "2"))
    books.win(user.id, "1")
    assert wins.today(user.id, None, 10)[0].won == TOKEN


def test_an_unknown_user_has_no_day() -> None:
    with pytest.raises(NotFound):
        wins.today(2**62, None, 10)
