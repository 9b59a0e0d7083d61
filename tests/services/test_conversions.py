"""The rules of converting an hour: what is converted, at which rate, with which fee, and in which order."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from config import Settings
from portal.ledger import amounts, chart
from portal.ledger.clock import HOUR
from portal.ledger.errors import Refused
from portal.services import conversions, fees, runs
from portal.services.runs import Run
from tests.concurrency.watch import Watch
from tests.factories import Books, convert_due
from tests.jobs.hours import Hours, expected
from tests.jobs.rate_server import RateServer, fixed

CHUNK_USERS = 2


@pytest.fixture
def settings(settings: Settings, rates: RateServer) -> Settings:
    return replace(
        settings,
        chunk_users=CHUNK_USERS,
        rate_source="http",
        rate_url=rates.url,
        rate_attempts=1,
        rate_max_move_percent=Decimal(10_000),
    )


@pytest.fixture
def hours(app: Flask, books: Books, watch: Watch) -> Iterator[Hours]:
    """Hours with users, in the app's context."""
    with app.app_context():
        yield Hours(app, books, watch)


def nothing() -> None:
    """What a test has done when it asks for an hour."""


def win(books: Books, owner: int, units: int) -> None:
    """A win of so many base units."""
    books.win(owner, amounts.text(units, chart.TOKEN_SCALE))


def tokens(books: Books, owner: int) -> int:
    """What a user holds, in base units."""
    return held(books, owner, "TOKENS_INVENTORY")


def usd(books: Books, owner: int) -> int:
    return held(books, owner, "USD_INVENTORY")


def held(books: Books, owner: int, account: str) -> int:
    statement = """
        SELECT coalesce(sum(b.debits - b.credits), 0) FROM ledger.account_balances b
        JOIN ledger.accounts a ON a.id = b.account_id
        WHERE b.owner_id = :owner AND a.code = :account
    """
    with books.engine.connect() as connection:
        return int(connection.exec_driver_sql(*_bound(statement, owner, account)).scalar_one())


def _bound(statement: str, owner: int, account: str) -> tuple[str, dict[str, Any]]:
    named = statement.replace(":owner", "%(owner)s").replace(":account", "%(account)s")
    return named, {"owner": owner, "account": account}


def fee_lines(watch: Watch) -> list[tuple[int, int, str]]:
    """Owner, base units and provider of every conversion's fee, in the order booked."""
    rows = watch.rows("""
        SELECT p.owner_id, p.amount, p.provider FROM ledger.postings p
        JOIN ledger.entries e ON e.owner_id = p.owner_id AND e.seq = p.seq
        JOIN ledger.entry_kinds k ON k.id = e.kind_id AND k.code = 'conversion'
        WHERE p.line = 3 ORDER BY p.booked_at, p.owner_id
    """)
    return [(row.owner_id, int(row.amount), row.provider) for row in rows]


def run_of(hour: datetime) -> Run:
    run = runs.of_hour(hour)
    assert run is not None
    return run


def test_all_that_was_won_in_an_hour_is_converted_at_its_rate(hours: Hours, books: Books) -> None:
    owners = hours.open_users(5)
    hour = hours.play()
    convert_due()
    hours.assert_exact(hour)
    assert [tokens(books, owner) for owner in owners] == [0] * 5
    run = run_of(hour)
    assert (run.state, run.rate, run.problem) == ("done", Decimal("0.15"), None)
    assert (run.chunks, run.chunks_finished) == (3, 3)
    assert run.started_at is not None
    assert run.finished_at is not None
    assert hour + HOUR <= run.started_at <= run.finished_at


@pytest.mark.usefixtures("hours")
def test_a_conversion_happened_at_the_last_microsecond_of_its_hour_on_the_user_s_own_day(
    books: Books, watch: Watch
) -> None:
    owner = books.owner("Asia/Kolkata")  # half past five: the hour 18:00 to 19:00 is past midnight
    books.set_clock(datetime(2026, 3, 2, 18, 5, tzinfo=UTC))
    books.win(owner)
    hour = books.next_hour()
    convert_due()
    [entry] = watch.rows("SELECT * FROM ledger.entries WHERE reference LIKE '2026-%'")
    assert entry.occurred_at == hour + HOUR - timedelta(microseconds=1)
    assert entry.booked_at >= hour + HOUR
    assert entry.day.isoformat() == "2026-03-03"
    assert entry.client_id == 0


def test_dust_stays_as_tokens_and_is_in_no_run(hours: Hours, books: Books) -> None:
    dusty, other = hours.open_users(2)
    win(books, dusty, 6)  # 0.9 of a base unit of USD
    win(books, other, 7)  # 1.05
    hour = books.next_hour()
    convert_due()
    assert (tokens(books, dusty), usd(books, dusty)) == (6, 0)
    assert (tokens(books, other), usd(books, other)) == (0, 1)
    run = run_of(hour)
    assert (run.users, run.tokens, run.usd, run.residue) == (1, 7, 1, Decimal("0.05"))

    win(books, dusty, 1)
    later = books.next_hour()
    convert_due()
    assert (tokens(books, dusty), usd(books, dusty)) == (0, 1), "with the next win it is enough"
    assert (run_of(later).users, run_of(later).tokens) == (1, 7)


def test_an_hour_of_dust_alone_is_done_with_nobody_in_it(hours: Hours, books: Books) -> None:
    [dusty] = hours.open_users(1)
    win(books, dusty, 1)
    hour = books.next_hour()
    convert_due()
    run = run_of(hour)
    assert (run.state, run.users, run.tokens, run.usd, run.fees) == ("done", 0, 0, 0, 0)
    assert tokens(books, dusty) == 1


def test_only_what_was_booked_by_the_hour_s_end_is_converted_though_more_was_won_since(
    hours: Hours, books: Books
) -> None:
    owners = hours.open_users(3)
    hour = hours.play()
    before = [tokens(books, owner) for owner in owners]
    late = hours.book(owners[:2])
    convert_due()
    hours.assert_exact(hour)
    assert sum(before) == run_of(hour).tokens
    assert [bool(tokens(books, owner)) for owner in owners] == [True, True, False]
    hours.end()
    convert_due()
    hours.assert_exact(late)
    assert [tokens(books, owner) for owner in owners] == [0, 0, 0]


def test_a_win_booked_in_an_hour_is_converted_with_it_whenever_it_occurred(
    hours: Hours, books: Books
) -> None:
    [owner] = hours.open_users(1)
    books.win(owner, "1", at=books.now() - timedelta(hours=20))
    books.win(owner, "2", at=books.now() + timedelta(seconds=50))
    hour = books.next_hour()
    convert_due()
    assert run_of(hour).tokens == 3 * 10**18


def test_a_user_whose_tokens_came_in_two_hours_of_downtime_has_each_hour_s_own_rate(
    hours: Hours, books: Books, rates: RateServer
) -> None:
    both, first_only, second_only = hours.open_users(3)
    first = hours.play([both, first_only])
    second = hours.play([both, second_only])
    of = {(first + HOUR).isoformat(): "0.123456789", (second + HOUR).isoformat(): "0.987654321"}
    rates.answer = lambda exchange: exchange.rate(of[exchange.at])
    convert_due()
    hours.assert_exact(first)
    hours.assert_exact(second)
    assert (hours.rate(first), hours.rate(second)) == (
        Fraction("0.123456789"),
        Fraction("0.987654321"),
    )
    assert [run_of(hour).users for hour in (first, second)] == [2, 2]
    assert [tokens(books, owner) for owner in (both, first_only, second_only)] == [0, 0, 0]


def test_an_empty_hour_needs_no_rate(hours: Hours, books: Books, rates: RateServer) -> None:
    hours.open_users(1)
    first = hours.play()
    empty = [books.next_hour() for _ in range(3)]
    convert_due()
    assert rates.asked.total() == 1
    for hour in empty:
        run = run_of(hour)
        assert (run.state, run.rate, run.users, run.chunks) == ("done", None, 0, 0)
    hours.assert_exact(first)


def test_an_empty_hour_needs_no_rate_though_tokens_were_won_since(
    hours: Hours, books: Books, rates: RateServer
) -> None:
    hours.open_users(3)
    first = hours.play()
    empty = books.next_hour()
    books.set_clock(empty + HOUR + timedelta(minutes=10))
    last = hours.play()
    rates.answer = lambda exchange: (
        exchange.send(b"", 404)
        if exchange.at == (empty + HOUR).isoformat()
        else exchange.rate("0.15")
    )
    convert_due()
    assert [hours.state(hour) for hour in (first, empty, last)] == ["done"] * 3
    assert rates.asked[(empty + HOUR).isoformat()] == 0
    assert hours.rate(empty) is None
    hours.assert_exact(last)


def test_hours_are_converted_in_order(hours: Hours) -> None:
    hours.open_users(1)
    first, second = hours.play(), hours.play()
    running = second + HOUR
    for refused in (second, running, running + HOUR, first - HOUR, first + timedelta(minutes=1)):
        with pytest.raises(Refused) as error:
            conversions.request(refused, nothing)
        assert error.value.code == "hour_not_next"
    assert conversions.request(first, nothing) is False
    assert runs.of_hour(first) is None, "asking starts nothing by itself"
    convert_due()
    assert conversions.request(first, nothing) is True
    assert conversions.request(second, nothing) is True
    with pytest.raises(Refused, match="in order"):
        conversions.request(running, nothing)


@pytest.mark.usefixtures("hours")
def test_no_hour_is_next_while_nothing_was_ever_booked(books: Books) -> None:
    with pytest.raises(Refused, match="in order"):
        conversions.request(books.now().replace(minute=0, second=0, microsecond=0) - HOUR, nothing)
    convert_due()
    assert runs.page(None, 10) == []


def test_an_hour_is_not_due_before_it_is_over(hours: Hours, books: Books) -> None:
    hours.open_users(1)
    hour = hours.book()
    books.set_clock(hour + HOUR - timedelta(seconds=30))
    assert conversions.due_hour() is None
    books.set_clock(hour + HOUR)
    assert conversions.due_hour() == hour


def test_usd_is_rounded_down_and_what_is_left_is_told_to_the_last_decimal(
    hours: Hours, books: Books, rates: RateServer
) -> None:
    rates.answer = fixed("0.333333333333333333")
    owners = hours.open_users(3)
    won = dict(zip(owners, (10, 1_000_000_000_000_000_001, 5_000_000_000_000_000_000), strict=True))
    for owner, units in won.items():
        win(books, owner, units)
    hour = books.next_hour()
    convert_due()
    assert [usd(books, owner) for owner in owners] == [
        3,
        333_333_333_333_333_333,
        1_666_666_666_666_666_665,
    ]
    run = run_of(hour)
    whole = expected(won, Fraction("0.333333333333333333"))
    assert (run.tokens, run.usd, Fraction(run.residue)) == (whole.tokens, whole.usd, whole.residue)
    assert run.tokens * Fraction("0.333333333333333333") == run.usd + Fraction(run.residue)


@pytest.mark.parametrize(
    ("dollars", "fee"), [(49, 0), (50, 1), (51, 1), (149, 1), (150, 2), (250, 3), (10**18, 10**16)]
)
def test_a_fee_is_rounded_half_up_and_a_fee_of_nothing_makes_no_posting(
    hours: Hours, books: Books, rates: RateServer, watch: Watch, dollars: int, fee: int
) -> None:
    rates.answer = fixed("1")
    [owner] = hours.open_users(1)
    win(books, owner, dollars)
    hour = books.next_hour()
    convert_due()
    assert (run_of(hour).usd, run_of(hour).fees) == (dollars, fee)
    assert usd(books, owner) == dollars, "the user never pays it"
    assert fee_lines(watch) == ([(owner, fee, "exchange")] if fee else [])


def test_fees_are_rounded_once_an_entry_not_once_a_run(
    hours: Hours, books: Books, rates: RateServer
) -> None:
    rates.answer = fixed("1")
    for owner in hours.open_users(4):
        win(books, owner, 149)  # 1.49 each
    hour = books.next_hour()
    convert_due()
    assert run_of(hour).fees == 4


def test_the_fee_rule_at_the_hour_s_end_holds_for_all_of_the_hour(
    hours: Hours, books: Books, watch: Watch
) -> None:
    [owner] = hours.open_users(1)
    first, second, third = (books.now().replace(minute=0) + n * HOUR for n in range(3))
    start = (second + HOUR).replace(second=0, microsecond=0)
    fees.add_rule(fees.FeeRule("conversion", start, "cheaper", 7, 50))
    for _ in range(3):
        books.win(owner, "1")
        books.set_clock(books.next_hour() + HOUR + timedelta(minutes=10))
    convert_due()
    dollar_15 = 15 * 10**16
    assert fee_lines(watch) == [
        (owner, dollar_15 // 100, "exchange"),
        (owner, dollar_15 // 100, "exchange"),
        (owner, dollar_15 // 200 + 7, "cheaper"),
    ]
    assert first < second < third


def test_a_rule_that_starts_within_an_hour_holds_for_the_whole_of_its_conversion(
    hours: Hours, books: Books, watch: Watch
) -> None:
    [owner] = hours.open_users(1)
    hour = books.now().replace(minute=0, second=0, microsecond=0)
    last = hour + HOUR - timedelta(microseconds=1)
    fees.add_rule(fees.FeeRule("conversion", last, "just in time", 0, 200))
    books.win(owner, "1")
    books.next_hour()
    convert_due()
    assert fee_lines(watch) == [(owner, 3 * 10**15, "just in time")]


def test_converting_anything_again_adds_nothing(hours: Hours) -> None:
    hours.open_users(5)
    hour = hours.play()
    convert_due()
    before = hours.everything()
    convert_due()
    assert conversions.advance(hour, lambda *_: None)
    for number in (1, 2, 3, 4):
        assert not conversions.convert_chunk(hour, number)
    assert not conversions.finish(hour)
    assert hours.everything() == before


def test_a_run_under_way_shows_what_it_has_so_far(hours: Hours) -> None:
    hours.open_users(5)
    hour = hours.play()
    conversions.advance(hour, lambda *_: None)
    assert not conversions.convert_chunk(hour, 2)
    run = run_of(hour)
    assert (run.state, run.chunks, run.chunks_finished, run.users) == ("running", 3, 1, 2)
    assert run.tokens > 0
    assert not conversions.convert_chunk(hour, 1)
    assert conversions.convert_chunk(hour, 3), "the last one ends the hour"
    hours.assert_exact(hour)


REFUSE_OWNER = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.owner_id = {owner} AND NEW.client_id = 0 THEN RAISE EXCEPTION 'refused'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON ledger.entries FOR EACH ROW EXECUTE FUNCTION refuse();
"""


def test_a_chunk_that_fails_is_seen_and_holds_up_no_other_and_goes_on_when_mended(
    hours: Hours, watch: Watch
) -> None:
    owners = hours.open_users(6)
    hour = hours.play()
    watch.run(REFUSE_OWNER.format(owner=owners[2]))
    conversions.advance(hour, lambda *_: None)
    with pytest.raises(DBAPIError):
        conversions.convert_chunk(hour, 2)
    for number in (1, 3):
        assert not conversions.convert_chunk(hour, number)
    run = run_of(hour)
    assert (run.state, run.problem) == ("failed", "chunk 2: InternalError")
    assert hours.chunks(hour) == [True, False, True]
    with pytest.raises(Refused, match="in order"):
        conversions.request(hour + HOUR, nothing)

    watch.run("DROP TRIGGER refuse ON ledger.entries")
    convert_due()
    hours.assert_exact(hour)
    assert run_of(hour).problem is None


def test_an_hour_that_is_done_is_never_called_failed_again(hours: Hours, watch: Watch) -> None:
    hours.open_users(1)
    hour = hours.play()
    convert_due()
    before = hours.everything()
    watch.run("REVOKE SELECT ON conversion_chunks FROM dreamland_app")
    with pytest.raises(DBAPIError):
        conversions.convert_chunk(hour, 1)
    watch.run("GRANT SELECT ON conversion_chunks TO dreamland_app")
    assert hours.everything() == before


def test_a_chunk_that_another_has_is_left_alone(hours: Hours, watch: Watch) -> None:
    hours.open_users(3)
    hour = hours.play()
    conversions.advance(hour, lambda *_: None)
    with watch.hold("SELECT 1 FROM conversion_chunks WHERE number = 1 FOR UPDATE"):
        assert not conversions.convert_chunk(hour, 1)
        assert hours.chunks(hour) == [False, False]
    convert_due()
    hours.assert_exact(hour)


def test_chunks_have_so_many_users_and_every_user_is_in_one(hours: Hours, watch: Watch) -> None:
    owners = hours.open_users(7)
    hour = hours.play([owner for owner in owners if owner != owners[3]])
    conversions.advance(hour, lambda *_: None)
    ranges = watch.rows(
        "SELECT number, after_owner, upto_owner FROM conversion_chunks ORDER BY number"
    )
    inside = [
        [owner for owner in owners if row.after_owner < owner <= row.upto_owner] for row in ranges
    ]
    assert inside == [owners[:2], owners[2:5], owners[5:]]
    convert_due()
    hours.assert_exact(hour)
