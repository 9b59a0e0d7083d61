"""Random books, exported in both formats: Beancount and hledger find no fault and agree with every balance."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import count
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, Engine, text

from portal.ledger.errors import Refused
from portal.services.journals.beancount import DIGITS
from tests.factories import Books
from tests.services.journals import programs
from tests.services.journals.conftest import Write
from tests.services.journals.random_books import KINDS, RandomBooks

START = datetime(2026, 11, 1, 20, 30, tzinfo=UTC)
EXAMPLES = 24
NAMES = ("A", "NULL", "TRUE", "END_", "X1_2_3", "A2345678901234567890123456789012")
DIGIT_COUNTS = (1, 3, 9, 15, 20, 26, 27, 28, 76)
CHOSEN = ("DREAM", "own", "USD", "own", "FEES", None)
# Not by the totals that the journals' own balances come from.
BALANCES = """
SELECT l.code AS ledger, a.code AS account, a.type, s.scale,
       coalesce(sum(CASE a.id WHEN p.debit_account_id THEN p.amount WHEN p.credit_account_id THEN -p.amount END)
                FILTER (WHERE e.accounting_date <= :last), 0) AS balance
FROM ledger.accounts a
JOIN ledger.ledgers l ON l.id = a.ledger_id
JOIN ledger.assets s ON s.code = l.asset
LEFT JOIN ledger.postings p ON p.ledger_id = l.id
LEFT JOIN ledger.entries e ON e.owner_id = p.owner_id AND e.seq = p.seq
GROUP BY a.id, l.code, a.code, a.type, s.scale
"""
TOPS = {"asset": "Assets", "equity": "Equity", "income": "Income", "expense": "Expenses"}
TOPS |= {"liability": "Liabilities"}


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture
def story(books: Books, app: Flask) -> RandomBooks:
    """One for all examples: the books go on."""
    books.set_clock(START)
    return RandomBooks(books, app)


def balances(engine: Engine, wanted: str | None, last: date) -> dict[str, Decimal]:
    """What we say, by the names that accounts have in both programs."""
    found = {}
    with engine.connect() as connection, localcontext(prec=120):
        for row in connection.execute(text(BALANCES), {"last": last}):
            if wanted in {None, row.ledger}:
                name = f"{TOPS[row.type]}:{row.ledger}:{row.account}".replace("_", "-")
                found[name] = Decimal(int(row.balance)).scaleb(-row.scale)
    return found


def is_too_much(write: Write, wanted: str | None, first: date, last: date) -> bool:
    """Whether a journal is refused as Beancount can't compute with its figures."""
    try:
        write("beancount", wanted, first, last)
    except Refused as refused:
        return refused.code == "too_many_digits"
    return False


def test_both_programs_agree_with_every_balance_of_random_books(
    story: RandomBooks, write: Write, hledger: Path, engine: Engine
) -> None:
    numbers, agreed = count(), Counter[str]()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.randoms(use_true_random=True))
    def agree(chance: random.Random) -> None:
        number = next(numbers)
        name = NAMES[number % len(NAMES)]
        code = name if number < len(NAMES) else f"N{number}{name}"[:32]
        scale, digits = chance.choice((0, 2, 18, 30)), DIGIT_COUNTS[number % len(DIGIT_COUNTS)]
        credit = story.add_credit(code, scale, digits)
        for _ in range(30):
            story.go_on(chance, credit)
        chosen = CHOSEN[number % len(CHOSEN)]
        wanted = credit.code if chosen == "own" else chosen
        first, last = sorted(
            max(START.date(), story.today - timedelta(chance.randrange(4))) for _ in range(2)
        )
        ours = balances(engine, wanted, last)

        file = write("hledger", wanted, first, last)
        programs.hledger_check(hledger, file)
        assert programs.of_hledger(hledger, file) == ours
        agreed["hledger"] += 1
        if is_too_much(write, wanted, first, last):
            assert chosen is None or digits + scale > DIGITS - 3
            return
        file = write("beancount", wanted, first, last)
        programs.bean_check(file)
        assert programs.of_beancount(file)[1] == ours
        agreed["beancount"] += 1

    agree()
    assert agreed["hledger"] == EXAMPLES
    assert agreed["beancount"] > EXAMPLES // 2
    assert set(story.posted) == set(KINDS) - {"hour", "fee rule"}
    assert story.today >= START.date() + timedelta(days=2)
