"""Wallets and the USD history, which goes by the local day of an hour's last microsecond."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import URL

from portal import ledger
from portal.ledger.errors import NotFound
from portal.services import users, wallets
from tests.factories import Books, convert_due

pytestmark = pytest.mark.usefixtures("context")
DAYS = count(1)
FIRST = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture
def day() -> date:
    """A date of the test's own, later than any before."""
    return (datetime.now(UTC) + timedelta(days=2 * next(DAYS))).date()


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def history(user: int, **bounds: date) -> list[tuple[date, int]]:
    found = wallets.usd_history(user, bounds.get("first"), bounds.get("last"), None, 100)
    assert found.total == sum(each.amount for each in found.days)
    return [(each.day, each.tokens) for each in found.days]


ENDS = [
    ("Pacific/Kiritimati", 9, 0),  # the hour ends at 23:59:59.999999 there
    ("Pacific/Kiritimati", 10, 1),
    ("Pacific/Pago_Pago", 10, -1),
    ("Pacific/Pago_Pago", 11, 0),
    ("Asia/Kolkata", 17, 0),  # at 23:29:59
    ("Asia/Kolkata", 18, 1),  # at 00:29:59: the next day, won before midnight or not
    ("Europe/London", 22, 0),
    ("UTC", 23, 0),
]


def test_the_usd_of_an_hour_is_of_the_day_its_last_microsecond_is_on(
    books: Books, day: date
) -> None:
    owners = []
    for n, (zone, hour, _) in enumerate(ENDS):
        books.set_clock(at(day, hour, 5 + n))
        owners.append(books.owner(zone))
        books.win(owners[-1], "1", at(day, hour, 5))
    books.next_hour()
    convert_due()
    books.set_clock(at(day + timedelta(2), 0))
    for owner, (zone, hour, days_on) in zip(owners, ENDS, strict=True):
        assert history(owner) == [(day + timedelta(days_on), 10**18)], (zone, hour)


def test_history_ends_with_the_users_yesterday(books: Books, day: date) -> None:
    owner = books.owner("Asia/Tokyo")  # its day ends at 15:00 UTC
    books.set_clock(at(day, 13, 30))
    books.win(owner, "1")
    books.next_hour()
    convert_due()
    assert history(owner) == []
    assert history(owner, last=day + timedelta(9)) == []
    books.set_clock(at(day, 15))
    assert history(owner) == [(day, 10**18)]
    assert history(owner, first=day + timedelta(1)) == []
    assert history(owner, first=day, last=day) == [(day, 10**18)]


def test_several_conversions_of_a_day_are_one_row(books: Books, day: date) -> None:
    owner = books.owner()
    for hour in (3, 4, 8):
        books.set_clock(at(day, hour, 10))
        books.win(owner, "0.5")
        books.next_hour()
        convert_due()
    books.set_clock(at(day + timedelta(1), 0))
    rows = wallets.usd_history(owner, None, None, None, 10).days
    assert [(r.day, r.tokens, r.amount, r.conversions) for r in rows] == [
        (day, 15 * 10**17, 225 * 10**15, 3)
    ]


def test_an_unknown_user_or_asset_is_not_found(books: Books) -> None:
    owner = books.owner()
    for call, code in (
        (lambda: wallets.all_of(2**62), "unknown_user"),
        (lambda: wallets.one(2**62, "USD", None), "unknown_user"),
        (lambda: wallets.one(owner, "EUR", None), "unknown_asset"),
        (lambda: wallets.statement(owner, "FEES", None, 10), "unknown_asset"),
        (lambda: wallets.usd_history(2**62, None, None, None, 10), "unknown_user"),
    ):
        with pytest.raises(NotFound) as error:
            call()  # type: ignore[no-untyped-call]
        assert error.value.code == code


def test_a_new_user_has_every_wallet_empty() -> None:
    user = users.create("poor", "Poor")[0]
    held = {each.asset.code: each.wallet for each in wallets.all_of(user.id)}
    codes = ("DREAM", "USD", "GOLD_COIN", "DIAMOND", "LOYALTY_POINT")
    assert held == dict.fromkeys(codes, ledger.Wallet(0, 0))


def test_a_wallet_is_what_is_available_and_what_is_held(books: Books) -> None:
    owner = books.owner()
    books.top_up(owner, "GOLD_COIN", "10")
    before = books.now()
    books.hold(owner, "GOLD_COIN", "4")
    now = wallets.one(owner, "GOLD_COIN", None).wallet
    assert (now.balance, now.held, now.available) == (10, 4, 6)
    assert wallets.one(owner, "GOLD_COIN", before).wallet == ledger.Wallet(10, 0)
    assert wallets.one(owner, "GOLD_COIN", FIRST).wallet == ledger.Wallet(0, 0)
