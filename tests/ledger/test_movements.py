"""What moved in wallets from day to day, held against a plain sum of the postings."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import URL, Engine, text

from portal import ledger
from portal.ledger.movements import DAYS, MOVEMENTS
from tests.factories import Books, Days
from tests.ledger.past import WALLETS, Posting, held, make, moved, postings_of

DAY = timedelta(days=1)
EVER = (date(2000, 1, 1), date(2100, 1, 1))


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture(scope="module")
def days(shared_database: URL, tmp_path_factory: pytest.TempPathFactory) -> Days:
    return make(shared_database, tmp_path_factory.mktemp("days"))


@pytest.fixture
def postings(owner_engine: Engine, days: Days) -> list[Posting]:
    assert days.hour
    return postings_of(owner_engine)


def ranges(postings: list[Posting]) -> list[tuple[date, date]]:
    """Every range of days that may matter."""
    booked = sorted({p.day for p in postings})
    edges = [booked[0] - DAY, *booked, booked[-1] + DAY]
    return [(first, last) for first in edges for last in edges if first <= last] + [EVER]


def test_movements_are_the_sums_of_the_postings_of_those_days(
    engine: Engine, postings: list[Posting]
) -> None:
    with engine.connect() as connection:
        for owner in {p.owner_id for p in postings}:
            for first, last in ranges(postings):
                for each in ledger.movements(connection, owner, first, last):
                    mine = [p for p in postings if (p.owner_id, p.ledger) == (owner, each.asset)]
                    check(each, mine, first, last)


def check(said: ledger.Movement, mine: list[Posting], first: date, last: date) -> None:
    """One wallet over some days; between its own accounts nothing comes and nothing goes."""
    within = [p for p in mine if first <= p.day <= last]
    crossing = [p for p in within if not {p.debit, p.credit} <= WALLETS]
    assert said.opening == moved([p for p in mine if p.day < first])
    assert said.came_in == sum(p.amount for p in crossing if p.debit in WALLETS)
    assert said.went_out == sum(p.amount for p in crossing if p.credit in WALLETS)
    assert said.held == held([p for p in mine if p.day <= last])
    assert said.since == moved([p for p in mine if p.day > last])
    assert said.closing + said.since == said.balance == moved(mine)


def test_every_wallet_that_ever_held_anything_is_there_and_one_alone_if_asked(
    engine: Engine, postings: list[Posting]
) -> None:
    with engine.connect() as connection:
        for owner in {p.owner_id for p in postings}:
            every = ledger.movements(connection, owner, *EVER)
            codes = {p.ledger for p in postings if p.owner_id == owner} - {"FEES"}
            assert {each.asset for each in every} == codes
            for each in every:
                assert ledger.movements(connection, owner, *EVER, each.asset) == [each]


def test_the_balance_is_that_of_the_wallet(engine: Engine, postings: list[Posting]) -> None:
    with engine.connect() as connection:
        for owner in {p.owner_id for p in postings}:
            held_now = {a.code: w for a, w in ledger.holdings(connection, owner)}
            for each in ledger.movements(connection, owner, *EVER):
                wallet = held_now[each.asset]
                assert (each.balance, each.held) == (wallet.balance, wallet.held)


def test_holdings_are_the_wallets_of_every_asset(engine: Engine, days: Days) -> None:
    with engine.connect() as connection:
        known = ledger.assets(connection)
        for owner in (days.winner, days.spender, 2**60):
            holdings = ledger.holdings(connection, owner)
            assert [asset for asset, _ in holdings] == [*known.values()]
            wallets = ledger.wallets(connection, owner, known.values())
            assert {asset.code: wallet for asset, wallet in holdings} == wallets


def test_open_holds_are_those_that_nothing_ended(engine: Engine, days: Days) -> None:
    with engine.connect() as connection:
        asset = ledger.assets(connection)["GOLD_COIN"]
        every = ledger.holds(connection, days.spender, asset, None, 100)
        found = ledger.open_holds(connection, days.spender, asset, 100)
        assert found == [hold for hold in every if hold.state == "open"]
        assert len(found) == 1 < len(every)


def test_the_sums_of_days_and_months_are_those_of_the_postings(
    engine: Engine, postings: list[Posting]
) -> None:
    with engine.connect() as connection:
        for owner in {p.owner_id for p in postings}:
            mine = [p for p in postings if p.owner_id == owner]
            rows = ledger.day_sums(connection, owner, *EVER)
            for row in rows:
                won = [
                    p for p in mine if p.day == row.day and "TOKENS_EARNED" in (p.debit, p.credit)
                ]
                assert row.won == moved(won)
                assert row.usd == moved([p for p in mine if p.day == row.day and p.ledger == "USD"])
                assert row.converted == row.won - moved(
                    [p for p in mine if p.day == row.day and p.ledger == "DREAM"]
                )
            assert [a.day < b.day for a, b in pairwise(rows)] == [True] * (len(rows) - 1)
            months = ledger.month_sums(connection, owner)
            assert {m.month for m in months} == {
                p.day.replace(day=1) for p in mine if p.ledger != "FEES"
            }
            for name in ("won", "converted", "usd"):
                total = sum(getattr(row, name) for row in rows)
                assert sum(getattr(month, name) for month in months) == total


def test_who_has_nothing_has_no_movements(books: Books) -> None:
    owner = books.owner()
    with books.engine.connect() as connection:
        assert ledger.movements(connection, owner, *EVER) == []
        assert ledger.day_sums(connection, owner, *EVER) == []
        assert ledger.month_sums(connection, owner) == []


@pytest.mark.parametrize("statement", [MOVEMENTS, DAYS])
def test_sums_are_read_by_the_owners_accounts_and_days(books: Books, statement: str) -> None:
    known = {"owner_id": books.owner(), "first": EVER[0], "last": EVER[1], "asset": None}
    with books.engine.connect() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(connection.scalars(text("EXPLAIN " + statement), known))
    assert "daily_balances_pkey" in plan
    assert "Seq Scan on daily_balances" not in plan
    assert "Seq Scan on postings" not in plan
