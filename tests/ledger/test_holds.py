"""Holds: opened, captured whole or in part, released, once; and what the wallet says meanwhile."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import URL, Engine, text

from portal.ledger import chart
from portal.ledger.holds import DUE_HOLDS
from portal.ledger.posting import Outcome
from tests.factories import Books

SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture
def owner(books: Books) -> int:
    """A user with 100 Gold Coins."""
    made = books.owner()
    books.top_up(made, "GOLD_COIN", "100")
    return made


def end(books: Books, kind: str, owner: int, hold: int, amount: str | None = None) -> Outcome:
    asset = "GOLD_COIN"
    return books.post(books.entry(kind, owner, amount, asset=asset, ends=hold))[0]


def accounts(engine: Engine, owner: int) -> dict[str, int]:
    """What the user has in each account of Gold Coins."""
    query = """
        SELECT a.code, b.debits - b.credits AS balance
        FROM ledger.account_balances b JOIN ledger.accounts a ON a.id = b.account_id
        JOIN ledger.ledgers l ON l.id = a.ledger_id AND l.code = 'GOLD_COIN' WHERE b.owner_id = :o"""
    with engine.connect() as connection:
        return {r.code: int(r.balance) for r in connection.execute(text(query), {"o": owner})}


def last_lines(engine: Engine, owner: int) -> list[tuple[str, str, int, int]]:
    """The postings of the last entry: debit, credit, amount, the wallet's balance after."""
    query = """
        SELECT d.code AS debit, c.code AS credit, p.amount, p.wallet_balance FROM ledger.postings p
        JOIN ledger.accounts d ON d.id = p.debit_account_id JOIN ledger.accounts c ON c.id = p.credit_account_id
        WHERE p.owner_id = :o AND p.seq = (SELECT last_seq FROM ledger.owners WHERE owner_id = :o)
        ORDER BY p.line"""
    with engine.connect() as connection:
        rows = connection.execute(text(query), {"o": owner})
        return [(r.debit, r.credit, int(r.amount), int(r.wallet_balance)) for r in rows]


def test_a_hold_sets_aside_and_leaves_the_balance(books: Books, owner: int) -> None:
    outcome = books.post(books.entry("hold", owner, "30", asset="GOLD_COIN"))[0]
    assert (outcome.status, outcome.balance, outcome.held) == ("posted", 100, 30)
    assert accounts(books.engine, owner) == {"INVENTORY": 70, "HELD": 30}
    assert last_lines(books.engine, owner) == [("HELD", "INVENTORY", 30, 100)]


@pytest.mark.parametrize("amount", ["30", None])
def test_a_whole_capture_spends_all_of_it(books: Books, owner: int, amount: str | None) -> None:
    outcome = end(books, "capture", owner, books.hold(owner, "GOLD_COIN", "30"), amount)
    assert (outcome.status, outcome.balance, outcome.held) == ("posted", 70, 0)
    assert last_lines(books.engine, owner) == [("REVENUE", "HELD", 30, 70)]


def test_a_part_captured_lets_the_rest_go_back(books: Books, owner: int) -> None:
    outcome = end(books, "capture", owner, books.hold(owner, "GOLD_COIN", "30"), "20")
    assert (outcome.balance, outcome.held) == (80, 0)
    assert accounts(books.engine, owner) == {"INVENTORY": 80, "HELD": 0}
    assert last_lines(books.engine, owner) == [
        ("REVENUE", "HELD", 20, 80),
        ("INVENTORY", "HELD", 10, 80),
    ]


def test_a_release_gives_all_of_it_back(books: Books, owner: int) -> None:
    outcome = end(books, "release", owner, books.hold(owner, "GOLD_COIN", "30"))
    assert (outcome.balance, outcome.held) == (100, 0)
    assert last_lines(books.engine, owner) == [("INVENTORY", "HELD", 30, 100)]


@pytest.mark.parametrize("first", ["capture", "release"])
@pytest.mark.parametrize("second", ["capture", "release"])
def test_a_hold_ends_once(books: Books, owner: int, first: str, second: str) -> None:
    hold = books.hold(owner, "GOLD_COIN", "30")
    assert end(books, first, owner, hold).status == "posted"
    before = accounts(books.engine, owner)
    outcome = end(books, second, owner, hold)
    assert (outcome.status, outcome.code) == ("rejected", "hold_not_open")
    assert accounts(books.engine, owner) == before


def test_a_hold_ends_once_in_one_batch(books: Books, owner: int) -> None:
    hold = books.hold(owner, "GOLD_COIN", "30")
    kinds = ("capture", "release", "capture")
    batch = [books.entry(k, owner, None, asset="GOLD_COIN", ends=hold) for k in kinds]
    assert [outcome.code for outcome in books.post(*batch)] == [
        None,
        "hold_not_open",
        "hold_not_open",
    ]


def test_releases_without_any_amount_among_them_end_side_by_side(books: Books, owner: int) -> None:
    """An array of nothing but NULLs is sent as NULL."""
    holds = [books.hold(owner, "GOLD_COIN", amount) for amount in ("10", "20", "30")]
    batch = [books.entry("release", owner, None, asset="GOLD_COIN", ends=seq) for seq in holds]
    assert [outcome.held for outcome in books.post(*batch)] == [50, 30, 0]
    assert accounts(books.engine, owner) == {"INVENTORY": 100, "HELD": 0}


def test_what_a_capture_gives_back_may_be_spent_in_the_same_batch(books: Books, owner: int) -> None:
    hold = books.hold(owner, "GOLD_COIN", "90")
    capture = books.entry("capture", owner, "20", asset="GOLD_COIN", ends=hold)
    spends = [books.entry("spend", owner, amount, asset="GOLD_COIN") for amount in ("80", "1")]
    first, second, third = books.post(capture, *spends)
    assert (first.balance, second.balance) == (80, 0)
    assert (third.code, third.balance) == ("insufficient_funds", 0)


def test_a_capture_above_the_hold_is_refused(books: Books, owner: int) -> None:
    hold = books.hold(owner, "GOLD_COIN", "30")
    outcome = end(books, "capture", owner, hold, "31")
    assert (outcome.code, outcome.held) == ("capture_exceeds_hold", 30)
    assert end(books, "capture", owner, hold, "30").status == "posted"


def test_only_a_hold_of_the_same_user_and_asset_can_be_ended(books: Books, owner: int) -> None:
    hold, other = books.hold(owner, "GOLD_COIN", "30"), books.owner()
    for entry in (
        books.entry("capture", other, None, asset="GOLD_COIN", ends=hold),
        books.entry("capture", owner, None, asset="DIAMOND", ends=hold),
        books.entry("release", owner, None, asset="GOLD_COIN", ends=1),
        books.entry("release", owner, None, asset="GOLD_COIN", ends=2**62),
        books.entry("release", owner, None, asset="GOLD_COIN"),
    ):
        assert books.post(entry)[0].code == "unknown_hold"
    assert end(books, "release", owner, hold).status == "posted"


def test_a_hold_guessed_in_its_own_batch_is_found(books: Books, owner: int) -> None:
    """The id that an entry will have can be guessed: the batch is then posted in two."""
    entries = [
        books.entry("hold", owner, "30", asset="GOLD_COIN"),
        books.entry("capture", owner, "10", asset="GOLD_COIN", ends=2),
    ]
    assert [outcome.status for outcome in books.post(*entries)] == ["posted", "posted"]
    assert accounts(books.engine, owner)["INVENTORY"] == 90


def test_an_expired_hold_is_released_and_not_captured(books: Books, owner: int) -> None:
    until = books.now() + timedelta(hours=1)
    hold = books.hold(owner, "GOLD_COIN", "30", until)
    books.set_clock(until)
    assert end(books, "capture", owner, hold).code == "hold_not_open"
    assert end(books, "release", owner, hold).balance == 100


@pytest.mark.parametrize("after", [-SECOND, timedelta(0), chart.HOLD_LONGEST + SECOND])
def test_a_hold_expires_within_31_days(books: Books, owner: int, after: timedelta) -> None:
    entry = books.entry("hold", owner, "1", asset="GOLD_COIN", expires_at=books.now() + after)
    assert books.post(entry)[0].code == "expires_at_out_of_range"
    books.hold(owner, "GOLD_COIN", "1", books.now() + chart.HOLD_LONGEST - SECOND)


@pytest.mark.parametrize(
    "until", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)]
)
def test_a_hold_until_the_end_of_the_calendar_harms_no_neighbour(
    books: Books, owner: int, until: datetime
) -> None:
    bad = books.entry("hold", owner, "1", asset="GOLD_COIN", expires_at=until)
    good = books.entry("hold", owner, "1", asset="GOLD_COIN")
    outcomes = books.post(bad, good)
    assert [outcome.code for outcome in outcomes] == ["expires_at_out_of_range", None]


def test_a_hold_without_a_time_expires_after_7_days(books: Books, owner: int) -> None:
    outcome = books.post(books.entry("hold", owner, "1", asset="GOLD_COIN"))[0]
    query = text("SELECT expires_at FROM ledger.holds WHERE owner_id = :o AND seq = :s")
    with books.engine.connect() as connection:
        until = connection.execute(query, {"o": owner, "s": outcome.seq}).scalar_one()
    assert outcome.booked_at
    assert until == outcome.booked_at + chart.HOLD_DEFAULT


def test_holds_that_are_not_due_are_not_even_looked_at(books: Books, owner: int) -> None:
    """The clock must be a condition of the index: open holds may be many."""
    books.hold(owner, "GOLD_COIN", "1")
    known = {"expires_at": "-infinity", "owner_id": 0, "seq": 0, "limit": 500}
    with books.engine.connect() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(connection.scalars(text("EXPLAIN " + DUE_HOLDS), known))
    assert "holds_due" in plan
    assert re.search(r"Index Cond: .*expires_at <= ", plan), plan


def test_more_than_is_available_cannot_be_held(books: Books, owner: int) -> None:
    books.hold(owner, "GOLD_COIN", "60")
    outcome = books.post(books.entry("hold", owner, "41", asset="GOLD_COIN"))[0]
    assert (outcome.code, outcome.balance, outcome.held) == ("insufficient_funds", 100, 60)


def test_a_top_up_that_is_held_cannot_be_reversed(books: Books) -> None:
    owner = books.owner()
    seq = books.top_up(owner, "DIAMOND", "10")
    books.hold(owner, "DIAMOND", "1")
    outcome = books.post(books.entry("reversal", owner, None, asset="DIAMOND", reverses=seq))[0]
    assert outcome.code == "insufficient_funds"


def test_a_retry_of_a_capture_finds_its_entry_though_the_hold_has_ended(
    books: Books, owner: int
) -> None:
    capture = books.entry(
        "capture", owner, "20", asset="GOLD_COIN", ends=books.hold(owner, "GOLD_COIN", "30")
    )
    first, again = books.post(capture)[0], books.post(capture)[0]
    assert (first.status, again.status) == ("posted", "replayed")
    assert (first.seq, first.booked_at) == (again.seq, again.booked_at)
