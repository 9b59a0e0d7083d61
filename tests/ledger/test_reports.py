"""Balances, statements and trial balances at any time, held against a plain sum of the postings."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import URL, Engine, text

from portal import create_app, ledger
from portal.ledger.errors import NotFound
from portal.ledger.trial_balance import trial_balance_at
from portal.ledger.wallets import AssetInfo, StatementLine, Wallet
from tests.conftest import settings_for
from tests.factories import Books, Days, some_days, start_of_hour
from tests.ledger.postings import Booked, all_of

MICROSECOND = timedelta(microseconds=1)
WALLETS = {"TOKENS_INVENTORY", "USD_INVENTORY", "INVENTORY", "HELD"}


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture(scope="module")
def days(shared_database: URL, tmp_path_factory: pytest.TempPathFactory) -> Days:
    """Two days of everything, made once."""
    app = create_app(settings_for(shared_database, Path(tmp_path_factory.mktemp("days"))))
    with app.app_context():
        engine = app.extensions["dreamland"].engine
        made = some_days(Books(engine))
    engine.dispose()
    return made


@pytest.fixture
def postings(owner_engine: Engine, days: Days) -> list[Booked]:
    assert days.hour
    return all_of(owner_engine)


@pytest.fixture
def assets(engine: Engine) -> dict[str, AssetInfo]:
    with engine.connect() as connection:
        return ledger.assets(connection)


def moments(postings: list[Booked]) -> Iterator[datetime]:
    """Times that may matter: about each booking, about each full hour, and at random."""
    rng = Random(1)
    booked = sorted({p.booked_at for p in postings})
    for at in booked:
        yield from (at - MICROSECOND, at, at + MICROSECOND)
    for hour in sorted({start_of_hour(at) for at in booked}):
        for edge in (hour, hour + ledger.HOUR):
            yield from (edge - MICROSECOND, edge, edge + MICROSECOND)
    for _ in range(40):
        yield booked[0] + (booked[-1] - booked[0]) * rng.uniform(-0.2, 1.2)
    yield from (datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))


def test_the_trial_balance_is_the_sum_of_all_postings_at_any_time(
    engine: Engine, postings: list[Booked]
) -> None:
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM ledger.closed_hours")) > 2
    for at in moments(postings):
        wanted: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        for posting in postings:
            if posting.booked_at <= at:
                wanted[posting.ledger, posting.debit][0] += posting.amount
                wanted[posting.ledger, posting.credit][1] += posting.amount
        found = trial_balance_at(engine, at)
        assert found.is_balanced()
        sums = {(x.ledger, x.account): [x.debits, x.credits] for x in found.lines}
        assert {key: value for key, value in sums.items() if any(value)} == wanted, at


def test_the_trial_balance_of_now_has_every_account_in_the_order_of_the_chart(
    engine: Engine, postings: list[Booked]
) -> None:
    found = trial_balance_at(engine)
    assert len(found.lines) == 27
    assert [line.account for line in found.lines][:3] == [
        "TOKENS_INVENTORY",
        "TOKENS_EARNED",
        "TOKENS_EXCHANGED",
    ]
    total = sum(p.amount for p in postings if p.ledger == "FEES")
    assert found.totals()["FEES"] == (total, total)
    earned = next(line for line in found.lines if line.account == "TOKENS_EARNED")
    assert earned.closing == earned.credits - earned.debits > 0


def test_the_trial_balance_of_empty_books_is_zero(databases: object, tmp_path: Path) -> None:
    url = databases.take()  # type: ignore[attr-defined]
    engine = create_app(settings_for(url, tmp_path)).extensions["dreamland"].engine
    found = trial_balance_at(engine)
    assert found.is_balanced()
    assert not any(line.debits or line.credits for line in found.lines)
    engine.dispose()
    databases.drop(url)  # type: ignore[attr-defined]


def brute_wallet(postings: list[Booked], owner: int, asset: str, at: datetime | None) -> Wallet:
    """What the owner's accounts with a floor hold, by adding up."""
    mine = [p for p in postings if (p.owner_id, p.ledger) == (owner, asset)]
    booked = [p for p in mine if at is None or p.booked_at <= at]
    return Wallet(
        sum(p.amount * ((p.debit in WALLETS) - (p.credit in WALLETS)) for p in booked),
        sum(p.amount * ((p.debit == "HELD") - (p.credit == "HELD")) for p in booked),
    )


def test_a_wallet_at_any_time_is_the_sum_of_its_postings(
    engine: Engine, postings: list[Booked], assets: dict[str, AssetInfo]
) -> None:
    times = [None, *Random(2).sample(list(moments(postings)), 60)]
    with engine.connect() as connection:
        for owner in sorted({p.owner_id for p in postings}):
            for asset in assets.values():
                for at in times:
                    found = ledger.wallet(connection, owner, asset, at)
                    assert found == brute_wallet(postings, owner, asset.code, at)


def test_all_wallets_at_once_are_the_single_ones(
    engine: Engine, postings: list[Booked], assets: dict[str, AssetInfo]
) -> None:
    with engine.connect() as connection:
        for owner in sorted({p.owner_id for p in postings}):
            at_once = ledger.wallets(connection, owner, assets.values())
            for asset in assets.values():
                assert at_once[asset.code] == ledger.wallet(connection, owner, asset)


def test_who_has_no_postings_has_nothing_at_any_time(
    books: Books, assets: dict[str, AssetInfo]
) -> None:
    owner = books.owner()
    with books.engine.connect() as connection:
        for asset in assets.values():
            for at in (None, books.now()):
                assert ledger.wallet(connection, owner, asset, at) == Wallet(0, 0)
        assert ledger.statement(connection, owner, assets["USD"], None, 10) == []


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_a_statement_read_in_pages_is_the_whole_statement(
    engine: Engine, postings: list[Booked], assets: dict[str, AssetInfo], size: int
) -> None:
    with engine.connect() as connection:
        for owner in sorted({p.owner_id for p in postings}):
            for asset in assets.values():
                whole = ledger.statement(connection, owner, asset, None, 10_000)
                pages: list[StatementLine] = []
                while page := ledger.statement(
                    connection,
                    owner,
                    asset,
                    (pages and (pages[-1].booked_at, pages[-1].seq)) or None,
                    size,
                ):
                    assert len(page) <= size
                    pages += page
                assert pages == whole
                check_lines(
                    whole, [p for p in postings if (p.owner_id, p.ledger) == (owner, asset.code)]
                )


def check_lines(lines: list[StatementLine], postings: list[Booked]) -> None:
    """Newest first, one for each entry, each leading to the balance after it."""
    by_entry: dict[int, list[Booked]] = {}
    for posting in postings:
        by_entry.setdefault(posting.seq, []).append(posting)
    assert [line.seq for line in lines] == [*reversed(by_entry)]
    balance = held = 0
    for line, moved in zip(reversed(lines), by_entry.values(), strict=True):
        assert line.amount == sum(
            p.amount * ((p.debit in WALLETS) - (p.credit in WALLETS)) for p in moved
        )
        assert line.held_change == sum(
            p.amount * ((p.debit == "HELD") - (p.credit == "HELD")) for p in moved
        )
        balance, held = balance + line.amount, held + line.held_change
        assert line.balance_after == balance
        assert line.booked_at == moved[0].booked_at
    assert balance >= held >= 0


def test_a_statement_says_what_happened_and_when(
    books: Books, assets: dict[str, AssetInfo]
) -> None:
    owner = books.owner()
    books.top_up(owner, "LOYALTY_POINT", "10")
    spent = books.spend(owner, "LOYALTY_POINT", "2.5")
    books.reverse(owner, spent, "LOYALTY_POINT")
    with books.engine.connect() as connection:
        lines = ledger.statement(connection, owner, assets["LOYALTY_POINT"], None, 10)
    assert [(line.seq, line.kind, line.amount, line.balance_after) for line in lines] == [
        (3, "reversal", 250, 1000),
        (2, "spend", -250, 750),
        (1, "top_up", 1000, 1000),
    ]


def test_the_day_of_an_unknown_owner_is_an_unknown_user(books: Books) -> None:
    with books.engine.connect() as connection, pytest.raises(NotFound) as error:
        ledger.local_day(connection, 2**62, books.now())
    assert error.value.code == "unknown_user"


def test_wins_of_a_day_are_listed_newest_first_with_what_became_of_them(books: Books) -> None:
    owner = books.owner("Pacific/Kiritimati")
    at = books.now()
    with books.engine.connect() as connection:
        day, zone = ledger.local_day(connection, owner, at)
    assert zone == "Pacific/Kiritimati"
    first = books.win(owner, "1", at)
    hour = books.next_hour()
    with books.engine.connect() as connection:
        last = ledger.last_closed_hour(connection)
        while last and last < hour - ledger.HOUR:
            last += ledger.HOUR
            ledger.close_hour(connection, last)
    books.convert(hour)
    second = books.win(owner, "2", at)
    with books.engine.connect() as connection:
        wins = ledger.wins_of_day(connection, owner, day, at - timedelta(days=3), None, 10)
        assert [(w.seq, w.converted) for w in wins] == [(second, False), (first, True)]
        assert (
            ledger.wins_of_day(connection, owner, day, at - timedelta(days=3), second, 10)
            == wins[1:]
        )
        assert (
            ledger.wins_of_day(connection, owner, day, at - timedelta(days=3), None, 1) == wins[:1]
        )
        assert ledger.won_on(connection, owner, day) == sum(w.amount for w in wins)
        assert ledger.won_on(connection, owner, day + timedelta(1)) == 0
