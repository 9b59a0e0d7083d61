"""Hours close once they are over, whether or not what was won in them can be converted yet."""

import pytest
from sqlalchemy import text

from portal import ledger
from portal.services import conversions, hours, verification
from tests.factories import Books, convert_due

pytestmark = pytest.mark.usefixtures("context")


def closed(books: Books) -> int:
    with books.engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM ledger.closed_hours")).scalar_one()


def test_empty_books_have_no_hour_to_close() -> None:
    assert hours.close_due() == 0


def test_every_hour_that_is_over_is_closed_and_no_other(books: Books) -> None:
    owner = books.owner()
    books.win(owner)
    assert hours.close_due() == 0
    for _ in range(3):
        books.next_hour()
    assert hours.close_due() == 3
    assert hours.close_due() == 0
    books.win(owner)
    books.next_hour()
    assert hours.close_due() == 1
    assert verification.verify().is_clean()


def test_hours_go_on_closing_while_one_waits_for_its_rate(books: Books) -> None:
    owner = books.owner()
    books.win(owner)
    first = books.next_hour()
    books.win(owner)
    books.next_hour()
    books.win(owner, "0.5")
    assert hours.close_due() == 2
    with books.engine.connect() as connection:
        assert conversions.next_hour(connection) == first
    books.next_hour()
    assert hours.close_due() == 1
    convert_due()
    assert closed(books) == 3
    with books.engine.connect() as connection:
        assert conversions.next_hour(connection) == first + 3 * ledger.HOUR
    assert books.wallet(owner, "USD") == ledger.Wallet(375 * 10**15, 0)
    assert verification.verify().is_clean()
