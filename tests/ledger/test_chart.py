"""The chart of accounts: consistent in itself, and the same in code and in the database."""

from collections import Counter

import pytest
from flask import Flask
from sqlalchemy import URL, Engine, text

from portal import boot
from portal.ledger import chart, functions, install
from portal.ledger.amounts import MAX_AMOUNT
from portal.ledger.errors import ChartMismatch
from portal.ledger.posting import KIND_IDS
from tests.factories import Books


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


ACCOUNTS = {
    **{(led.code, a.code): a for led in chart.FIXED_LEDGERS for a in led.accounts},
    **{(chart.CREDIT, a.code): a for a in chart.CREDIT_ACCOUNTS},
}
PAIRS = [(kind, pair) for kind in chart.KINDS for pair in kind.pairs]


# --- In itself


@pytest.mark.parametrize(
    "names",
    [
        [asset.code for asset in chart.ASSETS],
        [led.id for led in chart.FIXED_LEDGERS],
        [led.code for led in chart.FIXED_LEDGERS],
        [kind.id for kind in chart.KINDS],
        [kind.code for kind in chart.KINDS],
    ],
)
def test_no_name_or_number_is_there_twice(names: list[object]) -> None:
    assert [name for name, times in Counter(names).items() if times > 1] == []


def test_every_pair_names_accounts_of_its_ledger() -> None:
    for _, pair in PAIRS:
        assert (pair.ledger, pair.debit) in ACCOUNTS
        assert (pair.ledger, pair.credit) in ACCOUNTS
        assert pair.debit != pair.credit


def test_every_account_is_moved_by_some_kind() -> None:
    used = {(pair.ledger, code) for _, pair in PAIRS for code in (pair.debit, pair.credit)}
    assert used == set(ACCOUNTS)


def test_every_ledger_is_of_an_asset() -> None:
    assert {led.asset for led in chart.FIXED_LEDGERS} <= {asset.code for asset in chart.ASSETS}


def test_a_kinds_first_pair_carries_its_amount() -> None:
    for kind in chart.KINDS:
        assert [pair.role for pair in kind.pairs[:1]] in ([], ["amount"])


def test_no_pair_moves_value_between_a_users_fee_and_a_wallet() -> None:
    """Fees are borne by the company: no account of a user is in the ledger of fees."""
    fees = next(led for led in chart.FIXED_LEDGERS if led.code == "FEES")
    assert {account.scope for account in fees.accounts} == {"company"}


def test_users_assets_never_fall_below_zero() -> None:
    for account in ACCOUNTS.values():
        assert account.never_negative == (account.scope == "user" and account.type == "asset")


@pytest.mark.parametrize(
    ("type_", "side"),
    [
        ("asset", "debit"),
        ("expense", "debit"),
        ("liability", "credit"),
        ("equity", "credit"),
        ("income", "credit"),
    ],
)
def test_the_normal_side_follows_from_the_type(type_: chart.AccountType, side: str) -> None:
    assert chart.Account("X", type_, "user").normal_side == side


def test_the_kinds_are_those_of_the_design() -> None:
    assert [(kind.id, kind.code) for kind in chart.KINDS] == list(
        enumerate(
            (
                "win",
                "conversion",
                "top_up",
                "bonus",
                "spend",
                "hold",
                "capture",
                "release",
                "expiry",
                "fee_settlement",
                "reversal",
            ),
            start=1,
        )
    )


# --- In the database


def test_a_migrated_database_has_the_chart(engine: Engine) -> None:
    with engine.connect() as connection:
        install.check(connection)


def test_constraints_say_the_limits_of_the_chart_again(owner_engine: Engine) -> None:
    query = (
        "SELECT string_agg(pg_get_constraintdef(oid), ' ') FROM pg_constraint WHERE conname = :name"
    )
    said = {
        "daily_balances_limit": f"{chart.DAY_LIMIT}",
        "postings_amount": f"{MAX_AMOUNT}",
        "entries_reverses": f"kind_id <> {KIND_IDS['reversal']}",
        "entries_hold": f"kind_id <> ALL (ARRAY[{KIND_IDS['capture']}, {KIND_IDS['release']}]",
    }
    with owner_engine.connect() as connection:
        for name, words in said.items():
            assert words in connection.scalar(text(query), {"name": name})
        source = connection.scalar(text("SELECT prosrc FROM pg_proc WHERE proname = 'post'"))
    for limit in (
        f"{MAX_AMOUNT};",
        f"'{chart.HOLD_DEFAULT.days} days'",
        f"'{chart.HOLD_LONGEST.days} days'",
    ):
        assert limit in source


CHANGES = [
    ("assets", "UPDATE ledger.assets SET scale = 6 WHERE code = 'DREAM'"),
    ("assets", "UPDATE ledger.assets SET scale = 3 WHERE code = 'LOYALTY_POINT'"),
    ("assets", "UPDATE ledger.assets SET kind = 'credit' WHERE code = 'USD'"),
    ("ledgers", "UPDATE ledger.ledgers SET asset = 'USD' WHERE code = 'DREAM'"),
    ("ledgers", "INSERT INTO ledger.ledgers VALUES (99, 'EXTRA', 'USD')"),
    ("accounts", "UPDATE ledger.accounts SET never_negative = false WHERE code = 'USD_INVENTORY'"),
    ("accounts", "UPDATE ledger.accounts SET day_limit = 6000000000000000000 WHERE id = 2"),
    ("accounts", "UPDATE ledger.accounts SET sign = -sign WHERE id = 9"),
    ("accounts", "UPDATE ledger.accounts SET code = 'X' WHERE id = 27"),
    ("accounts", "UPDATE ledger.accounts SET scope = 'user' WHERE code = 'CASH'"),
    ("entry_kinds", "UPDATE ledger.entry_kinds SET code = 'gift' WHERE code = 'bonus'"),
    ("entry_kinds", "INSERT INTO ledger.entry_kinds VALUES (99, 'gift')"),
    ("flows", "UPDATE ledger.flows SET day_limit = NULL WHERE kind_id = 1"),
    ("flows", "UPDATE ledger.flows SET source_id = NULL WHERE kind_id = 5 AND ledger_id = 4"),
    ("flows", "DELETE FROM ledger.flows WHERE kind_id = 9 AND ledger_id = 6"),
    ("flows", "UPDATE ledger.flows SET reversible = true WHERE kind_id = 6"),
    ("pairs", "DELETE FROM ledger.pairs WHERE kind_id = 1 AND role = 'fee'"),
    ("pairs", "UPDATE ledger.pairs SET counts = false WHERE kind_id = 1"),
    ("pairs", "UPDATE ledger.pairs SET debit_account_id = 3 WHERE kind_id = 1 AND line = 1"),
    ("pairs", "INSERT INTO ledger.pairs VALUES (5, 1, 1, 1, 2, 1, 'amount', -1, 1, false)"),
]


@pytest.mark.parametrize(
    ("table", "change"), CHANGES, ids=[c.partition("ledger.")[2] for _, c in CHANGES]
)
def test_any_other_chart_in_the_database_is_named(
    owner_engine: Engine, table: str, change: str
) -> None:
    with owner_engine.connect() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # no triggers
        assert connection.execute(text(change)).rowcount > 0
        with pytest.raises(ChartMismatch, match=rf"ledger\.{table} differs"):
            install.check(connection)
        connection.rollback()
        install.check(connection)


def test_boot_refuses_a_database_with_another_chart(app: Flask, owner_engine: Engine) -> None:
    runtime = app.extensions["dreamland"]
    boot.check(runtime)
    forwards = text("UPDATE ledger.accounts SET sign = -sign WHERE code = 'REVENUE'")
    with owner_engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # no triggers
        connection.execute(forwards)
    with pytest.raises(ChartMismatch, match="REVENUE"):
        boot.check(runtime)
    with owner_engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(forwards)
    boot.check(runtime)


def test_installing_again_changes_nothing(owner_engine: Engine, books: Books) -> None:
    books.win(books.owner())
    tables = (
        "assets",
        "ledgers",
        "accounts",
        "entry_kinds",
        "flows",
        "pairs",
        "owners",
        "clock_shift",
    )
    with owner_engine.begin() as connection:
        before = [connection.execute(text(f"TABLE ledger.{name}")).all() for name in tables]
        install.install(connection)
        functions.load(connection)
        functions.create_role(connection)
        assert [connection.execute(text(f"TABLE ledger.{name}")).all() for name in tables] == before
    books.win(books.owner())


def test_another_credit_gets_a_ledger_with_every_credit_account(owner_engine: Engine) -> None:
    with owner_engine.connect() as connection:
        connection.execute(
            text("INSERT INTO ledger.assets VALUES ('STARDUST', 'Stardust', 4, 'credit')")
        )
        install.install(connection)
        install.check(connection)
        accounts = text(
            "SELECT count(*) FROM ledger.accounts a JOIN ledger.ledgers l ON l.id = a.ledger_id"
            " WHERE l.asset = 'STARDUST'"
        )
        assert connection.scalar(accounts) == len(chart.CREDIT_ACCOUNTS)
        connection.rollback()
