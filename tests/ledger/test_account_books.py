"""Finance's reads, on both clocks, each held against a plain sum of the postings."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import URL, Connection, Engine, create_engine, text

from portal import create_app, ledger
from portal.ledger import Span
from portal.ledger.errors import NotFound
from portal.ledger.fees import NAMES
from portal.ledger.spans import DAY, INSTANT, midnight
from tests.conftest import settings_for
from tests.factories import Books, some_days, start_of_hour
from tests.ledger.postings import Booked, all_of, sums

LATE = """
INSERT INTO ledger.entries (owner_id, seq, occurred_at, booked_at, client_id, day, accounting_date, kind_id, key_hash, request_hash)
SELECT 0, :seq, at, at, 1, (at AT TIME ZONE 'UTC')::date, (at AT TIME ZONE 'UTC')::date - CAST(:days AS integer), 10,
       gen_random_uuid(), sha256('')
FROM (SELECT ledger.clock() AS at) now
"""
SETTLED = """
INSERT INTO ledger.postings (owner_id, seq, booked_at, day, line, ledger_id, debit_account_id, credit_account_id, amount, provider)
SELECT 0, e.seq, e.booked_at, e.day, 1, 3, d.id, c.id, :amount, 'exchange'
FROM ledger.entries e, ledger.accounts d, ledger.accounts c
WHERE e.owner_id = 0 AND e.seq = :seq AND d.code = 'FEES_PAYABLE' AND c.code = 'CASH'
"""
ACCOUNTS = (
    *(("DREAM", "TOKENS_INVENTORY"), ("DREAM", "TOKENS_EARNED"), ("USD", "USD_INVENTORY")),
    *(("FEES", "FEES_PAYABLE"), ("FEES", "CASH"), ("FEES", "FEE_ISSUANCE")),
    *(("GOLD_COIN", "INVENTORY"), ("GOLD_COIN", "HELD")),
)


def settle(engine: Engine, seq: int, days: int, amount: int = 7) -> None:
    """A settlement that belongs to an earlier date, as no verb of the ledger makes one yet."""
    with engine.begin() as connection:
        connection.execute(text(LATE), {"seq": seq, "days": days})
        connection.execute(text(SETTLED), {"seq": seq, "amount": amount})


@pytest.fixture(scope="module")
def engine(shared_database: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Books of some days, with settlements of earlier dates, in closed hours and after them."""
    app = create_app(settings_for(shared_database, Path(tmp_path_factory.mktemp("days"))))
    owner = create_engine(shared_database)
    made: Engine = app.extensions["dreamland"].engine
    with app.app_context():
        books = Books(made)
        some_days(books)
        settle(owner, 1, days=1)
        settle(owner, 2, days=2, amount=5)
        hour = books.next_hour()
        books.convert(hour)
        settle(owner, 3, days=1, amount=11)
        books.win(books.owner(), "0.3")
    owner.dispose()
    yield made
    made.dispose()


@pytest.fixture
def reading(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection.execution_options(isolation_level="REPEATABLE READ")


@pytest.fixture
def postings(engine: Engine) -> list[Booked]:
    return all_of(engine)


def spans(postings: list[Booked]) -> Iterator[Span]:
    """All of it, days, hours, cut hours, nothing; on both clocks."""
    rng = Random(3)
    times = sorted({posting.booked_at for posting in postings})
    first, last = times[0], times[-1]
    yield Span.booked(None, last)
    yield Span.booked(first, first)
    yield Span.booked(last + INSTANT, last + DAY)
    for at in rng.sample(times, 6):
        hour = start_of_hour(at)
        yield Span.booked(hour, hour + ledger.HOUR - INSTANT)
        yield Span.booked(at, at + timedelta(minutes=50))
        yield Span.booked(at - timedelta(minutes=10), at + timedelta(hours=3))
        yield Span.booked(None, at)
    days = sorted({posting.accounting_date for posting in postings})
    yield from (Span.accounting(day, day) for day in (days[0] - DAY, *days, days[-1] + DAY))
    yield from (Span.accounting(None, day) for day in days)
    yield Span.accounting(days[1], days[-2])


def test_late_settlements_are_there(postings: list[Booked]) -> None:
    late = [p for p in postings if p.accounting_date < p.booked_at.date()]
    assert [p.amount for p in late] == [7, 5, 11]


def test_a_trial_balance_opens_moves_and_closes_as_its_postings_say(
    reading: Connection, postings: list[Booked]
) -> None:
    for span in spans(postings):
        moved = [p for p in postings if p.is_of(span)]
        before = Span(span.clock, None, span.start) if span.start else None
        opening = [p for p in postings if before and p.is_of(before)]
        found = ledger.trial_balance(reading, span)
        assert len(found.lines) == 27
        assert found.is_balanced()
        for line in found.lines:
            assert (line.debits, line.credits) == sums(moved, line.ledger, line.account), span
            wanted = sums(opening, line.ledger, line.account)
            assert (line.opening_debits, line.opening_credits) == wanted, span


@pytest.mark.parametrize(("name", "account"), ACCOUNTS)
def test_days_hours_users_and_lines_add_up_to_the_account(
    reading: Connection, postings: list[Booked], name: str, account: str
) -> None:
    for span in spans(postings):
        moved = [p for p in postings if p.is_of(span) and any(p.moves(name, account))]
        days = ledger.account_days(reading, name, account, span)
        assert [day.at for day in days] == sorted({_date(p, span) for p in moved}, reverse=True)
        for day in days:
            of_day = [p for p in moved if _date(p, span) == day.at]
            assert (day.debits, day.credits) == sums(of_day, name, account)
            hours = ledger.account_hours(reading, name, account, day.at, span)
            wanted = sorted({start_of_hour(p.booked_at) for p in of_day}, reverse=True)
            assert [hour.at for hour in hours] == wanted
            for hour in hours:
                _check_hour(reading, (name, account), hour, (day.at, span), of_day)


def _date(posting: Booked, span: Span) -> date:
    return posting.accounting_date if span.clock == "accounting" else posting.booked_at.date()


def _check_hour(
    reading: Connection,
    names: tuple[str, str],
    hour: Any,
    of: tuple[date, Span],
    booked: list[Booked],
) -> None:
    day, span = of
    own = Span.accounting(day, day) if span.clock == "accounting" else span
    of_hour = [p for p in booked if start_of_hour(p.booked_at) == hour.at]
    assert (hour.debits, hour.credits) == sums(of_hour, *names)
    assert hour.late == (hour.at.date() > day)
    users = ledger.account_users(reading, *names, hour.at, own, None, 100)
    assert [user.owner_id for user in users] == sorted({p.owner_id for p in of_hour})
    for user in users:
        mine = [p for p in of_hour if p.owner_id == user.owner_id]
        assert (user.debits, user.credits) == sums(mine, *names)
        assert user.entries == len({p.seq for p in mine})
        lines = ledger.account_lines(reading, *names, hour.at, own, user.owner_id, None, 100)
        assert [(x.seq, x.line) for x in lines] == [(p.seq, p.line) for p in mine]
        assert [(x.debit, x.credit) for x in lines] == [p.moves(*names) for p in mine]
        assert [x.other for x in lines] == [
            p.credit if p.debit == names[1] else p.debit for p in mine
        ]


def test_lists_go_on_after_their_last_row(reading: Connection, postings: list[Booked]) -> None:
    names = ("DREAM", "TOKENS_INVENTORY")
    span = Span.booked(None, postings[-1].booked_at + DAY)
    days = ledger.account_days(reading, *names, span)
    found, before = [], None
    while page := ledger.account_days(reading, *names, span, before, 1):
        found += page
        before = page[-1].at
    assert found == days
    hour = ledger.account_hours(reading, *names, days[-1].at, span)[-1].at
    users = ledger.account_users(reading, *names, hour, span, None, 100)
    assert len(users) > 3
    rest = ledger.account_users(reading, *names, hour, span, users[1].owner_id, 2)
    assert rest == users[2:4]
    owner = users[0].owner_id
    lines = ledger.account_lines(reading, *names, hour, span, owner, None, 100)
    assert len(lines) > 2
    after = (lines[0].seq, lines[0].line)
    assert ledger.account_lines(reading, *names, hour, span, owner, after, 1) == lines[1:2]


def test_an_account_that_is_not_there_is_said_so(reading: Connection) -> None:
    span = Span.booked(None, datetime.now(UTC))
    for names in (("DREAM", "NOTHING"), ("NOTHING", "INVENTORY"), ("DREAM", "CASH"), ("", "")):
        with pytest.raises(NotFound, match="there is no account") as refused:
            ledger.account_days(reading, *names, span)
        assert refused.value.code == "unknown_account"


def test_from_dreamlands_side_debits_and_credits_change_places(reading: Connection) -> None:
    found = ledger.trial_balance(reading, Span.booked(None, datetime.now(UTC) + 9 * DAY))
    for line in found.lines:
        other = line.seen_from("dreamland")
        assert line.seen_from("users") == line
        if line.ledger == "FEES":
            assert other == line
        else:
            assert (other.debits, other.credits) == (line.credits, line.debits)
            assert (other.opening, other.closing) == (line.opening, line.closing)
            assert other.seen_from("dreamland") == line
    types = {line.account: line.seen_from("dreamland").type for line in found.lines}
    assert types["USD_INVENTORY"] == "liability"
    assert types["REVENUE"] == "income"
    assert types["PROMOTIONS"] == "expense"
    assert types["FEES_PAYABLE"] == "liability"


@pytest.mark.parametrize("by", [*NAMES])
def test_fees_add_up_by_every_side(reading: Connection, postings: list[Booked], by: Any) -> None:
    for span in spans(postings):
        wanted: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for p in postings:
            if p.ledger == "FEES" and p.is_of(span):
                name = {
                    "kind": p.kind,
                    "provider": p.provider,
                    "day": _date(p, span).isoformat(),
                    "game": p.game,
                    "region": str(p.owner_id >> 48),
                }[by]
                sides = [(p.debit, p.amount), (p.credit, -p.amount)]
                for account, amount in sides:
                    for place, code in enumerate(("FEE_ISSUANCE", "FEE_CONVERSION")):
                        wanted[name][place] += amount * (account == code)
                    wanted[name][2] -= amount * (account == "CASH")
                wanted[name][3] += 1
        found = ledger.fee_sums(reading, span, by)
        assert {x.name: [x.issuance, x.conversion, x.settled, x.entries] for x in found} == wanted


def test_what_is_owed_is_the_balance_of_fees_payable(
    reading: Connection, postings: list[Booked]
) -> None:
    for span in spans(postings):
        found = ledger.owed(reading, span)
        balance = next(
            line
            for line in ledger.trial_balance(reading, span).lines
            if line.account == "FEES_PAYABLE"
        )
        assert sum(each.owed for each in found) == balance.closing, span
        assert sum(each.settled for each in found) == sum(
            p.amount
            for p in postings
            if p.credit == "CASH" and p.is_of(Span(span.clock, None, span.end))
        )


def test_days_flow_as_their_postings_say(reading: Connection, postings: list[Booked]) -> None:
    dates = sorted({p.booked_at.date() for p in postings})
    flows = ledger.daily_flows(reading, dates[0] - 3 * DAY, dates[-1] + DAY)
    assert [flow.day for flow in flows] == [
        day for day in dates if any(p.booked_at.date() == day and p.owner_id for p in postings)
    ]
    for flow in flows:
        of_day = [p for p in postings if p.booked_at.date() == flow.day]
        debits, credits = sums(of_day, "DREAM", "TOKENS_EARNED")
        assert flow.won == credits - debits
        debits, credits = sums(of_day, "USD", "USD_INVENTORY")
        assert flow.usd == debits - credits
        debits, credits = sums(of_day, "FEES", "FEE_ISSUANCE")
        assert flow.issuance_fees == debits - credits
        debits, credits = sums(of_day, "FEES", "FEE_CONVERSION")
        assert flow.conversion_fees == debits - credits
    middle = ledger.daily_flows(reading, dates[1], dates[1])
    assert middle == [flow for flow in flows if flow.day == dates[1]]


def test_the_books_of_a_date_are_final_once_all_its_months_are_closed(
    engine: Engine, postings: list[Booked]
) -> None:
    first = min(p.booked_at for p in postings).date()
    later = first + 400 * DAY
    month = first.replace(day=1)
    with engine.connect() as connection:  # never committed
        assert ledger.open_periods(connection, first) == [month]
        assert len(ledger.open_periods(connection, later)) in (13, 14)
        assert ledger.close_period(connection, month, running=True)
        assert ledger.open_periods(connection, first) == []
        assert len(ledger.open_periods(connection, later)) in (12, 13)


def test_a_page_of_days_is_never_longer_than_its_days(reading: Connection) -> None:
    span = Span.booked(None, datetime.now(UTC) + 30 * DAY)
    days = ledger.account_days(reading, "DREAM", "TOKENS_EARNED", span, limit=2)
    assert 0 < len(days) <= 2
    assert days[0].at - days[-1].at < 2 * DAY


def test_midnight_is_where_a_utc_day_begins() -> None:
    assert midnight(date(2026, 11, 29)) == datetime(2026, 11, 29, tzinfo=UTC)
