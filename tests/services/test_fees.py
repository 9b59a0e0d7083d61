"""Fees: dated rules, never backdated, borne by the company, rounded half up once."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, text

from portal.ledger.clock import HOUR
from portal.ledger.errors import Refused
from portal.services import fees
from portal.services.fees import FeeRule
from tests.factories import Books, start_of_hour

pytestmark = pytest.mark.usefixtures("context")
MILLI = 10**15


def fee_of_last(books: Books, owner: int) -> Any:
    query = """
        SELECT p.amount, p.provider FROM ledger.postings p
        WHERE p.owner_id = :owner AND p.ledger_id = 3
          AND p.seq = (SELECT max(seq) FROM ledger.entries WHERE owner_id = :owner)"""
    with books.engine.connect() as connection:
        row = connection.execute(text(query), {"owner": owner}).first()
    return row and (int(row.amount), row.provider)


def test_the_rules_that_a_new_database_has_are_the_defaults() -> None:
    assert fees.rules() == [
        FeeRule("win", None, "token-issuer", MILLI, 0),
        FeeRule("conversion", None, "exchange", 0, 100),
    ]


def test_a_new_rule_holds_from_its_start_on(books: Books) -> None:
    owner = books.owner()
    start = start_of_hour(books.now()) + HOUR
    fees.add_rule(FeeRule("win", start, "cheaper", 7, 0))
    books.win(owner)
    assert fee_of_last(books, owner) == (MILLI, "token-issuer")
    books.set_clock(start)
    books.win(owner, at=start - timedelta(minutes=30))  # when it happened does not count
    assert fee_of_last(books, owner) == (7, "cheaper")
    assert fees.rules()[0] == FeeRule("win", start, "cheaper", 7, 0)


def test_a_fee_of_zero_makes_no_posting(books: Books) -> None:
    owner = books.owner()
    books.add_fee_rule("win", "0")
    books.next_hour()
    books.win(owner)
    assert fee_of_last(books, owner) is None


def test_a_conversions_fee_is_by_the_rule_at_its_hours_end(books: Books) -> None:
    first, second = books.owner(), books.owner()
    start = start_of_hour(books.now()) + HOUR
    fees.add_rule(FeeRule("conversion", start, "dearer", 5, 250))
    books.win(first, "1")
    hour = books.next_hour()
    books.win(second, "1")
    books.convert(hour)
    assert fee_of_last(books, first) == (15 * 10**17 // 1000, "exchange")
    books.convert(books.next_hour())
    assert fee_of_last(books, second) == (15 * 10**16 * 250 // 10_000 + 5, "dearer")


def test_a_rule_cannot_be_backdated(books: Books) -> None:
    for start in (books.now() - timedelta(seconds=1), books.now() - timedelta(days=400), None):
        with pytest.raises(Refused) as error:
            fees.add_rule(FeeRule("win", start, "late", 1, 0))
        assert error.value.code in ("backdated", "invalid_fee_rule")
    assert len(fees.rules()) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "gift"},
        {"kind": "spend"},
        {"kind": "reversal"},
        {"basis_points": 1},
        {"fixed": -1},
        {"kind": "conversion", "basis_points": -1},
        {"fixed": 10**78},
        {"basis_points": 2**31},
    ],
)
def test_a_rule_that_cannot_be_is_refused(books: Books, change: dict[str, Any]) -> None:
    good = FeeRule("win", books.now() + HOUR, "x", 1, 0)
    with pytest.raises(Refused) as error:
        fees.add_rule(replace(good, **change))
    assert error.value.code == "invalid_fee_rule"
    assert len(fees.rules()) == 2


def test_a_second_rule_from_the_same_moment_is_refused(books: Books) -> None:
    rule = FeeRule("win", books.now() + HOUR, "x", 1, 0)
    fees.add_rule(rule)
    with pytest.raises(Refused) as error:
        fees.add_rule(replace(rule, fixed=2))
    assert error.value.code == "invalid_fee_rule"


def test_a_fee_is_rounded_half_up_to_the_base_unit(engine: Engine) -> None:
    rng = Random(3)
    cases = [
        (0, 100, 49),
        (0, 100, 50),
        (0, 100, 149),
        (0, 100, 150),
        (3, 0, 10**30),
        (0, 1, 5000),
        (0, 1, 4999),
    ]
    cases += [
        (rng.randrange(10**6), rng.randrange(10_001), rng.randrange(2**200)) for _ in range(300)
    ]
    with engine.connect() as connection:
        for fixed, points, base in cases:
            exact = fixed + Fraction(base * points, 10_000)
            found = connection.scalar(
                text("SELECT ledger.fee(:fixed, :points, :base)"),
                {"fixed": fixed, "points": points, "base": base},
            )
            assert int(found) == (exact + Fraction(1, 2)).__floor__()


def test_no_users_account_is_touched_by_a_fee(books: Books) -> None:
    owner = books.owner()
    books.win(owner)
    with books.engine.connect() as connection:
        query = text(
            "SELECT count(*) FROM ledger.account_balances WHERE owner_id = :o AND account_id BETWEEN 6 AND 9"
        )
        assert connection.scalar(query, {"o": owner}) == 0
