"""Who may do what in the database: the app's role reads the books and calls functions, no more.

What holds of roles: the app's engine asks for its role at the connection, so `RESET ROLE` stays in
it. `SET ROLE NONE` returns to the login: nothing is gained where that is a login of its own, as a
production has; with the owner's login, as on a developer's machine, the triggers are the fence.
"""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from tests.factories import Books

IMMUTABLE = (
    *(
        "entries",
        "postings",
        "owner_zones",
        "hour_rates",
        "fee_rules",
        "closed_hours",
        "closed_periods",
        "closed_totals",
        "late_totals",
        "fee_totals",
        "assets",
        "ledgers",
        "accounts",
        "entry_kinds",
    ),
)
TABLES = (
    *IMMUTABLE,
    *("owners", "account_balances", "daily_balances", "clock_shift"),
    *("holds", "payment_claims", "flows", "pairs"),
)


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture
def owner(books: Books) -> int:
    """Somebody with a posting of each sort."""
    made = books.owner()
    books.win(made)
    books.top_up(made, "GOLD_COIN", "5")
    return made


def refused(connection: Connection, statement: str, why: str = "permission denied") -> None:
    with pytest.raises(DBAPIError, match=why):
        connection.execute(text(statement))
    connection.rollback()


def column_of(connection: Connection, table: str) -> str:
    query = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'ledger' AND table_name = :t"
    return str(connection.scalars(text(query), {"t": table}).first())


def test_these_are_all_tables_of_the_books(owner_engine: Engine) -> None:
    with owner_engine.connect() as connection:
        query = text("SELECT tablename FROM pg_tables WHERE schemaname = 'ledger'")
        assert set(connection.scalars(query)) == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_the_app_reads_every_table_of_the_books_and_writes_none(engine: Engine, table: str) -> None:
    with engine.connect() as connection:
        connection.execute(text(f"SELECT count(*) FROM ledger.{table}"))
        column = column_of(connection, table)
        refused(connection, f"INSERT INTO ledger.{table} DEFAULT VALUES")
        refused(connection, f"UPDATE ledger.{table} SET {column} = {column}")
        refused(connection, f"DELETE FROM ledger.{table}")
        refused(connection, f"TRUNCATE ledger.{table}")
        refused(connection, f"SELECT * FROM ledger.{table} FOR UPDATE")
        refused(connection, f"LOCK TABLE ledger.{table} IN ACCESS EXCLUSIVE MODE")


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ledger.entries DISABLE TRIGGER ALL",
        "DROP TRIGGER immutable ON ledger.entries",
        "DROP TABLE ledger.entries",
        "ALTER TABLE ledger.postings DROP CONSTRAINT postings_amount",
        "DROP FUNCTION ledger.clock()",
        "CREATE OR REPLACE FUNCTION ledger.clock() RETURNS timestamptz LANGUAGE sql RETURN now()",
        "CREATE TABLE ledger.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "SET session_replication_role = replica",
        "CREATE ROLE mine SUPERUSER",
        "ALTER ROLE dreamland_app SUPERUSER",
        "UPDATE alembic_version SET version_num = 'x'",
    ],
)
def test_the_app_cannot_take_the_fences_down(engine: Engine, statement: str) -> None:
    with engine.connect() as connection:
        refused(connection, statement, "permission denied|must be (owner|superuser)|Only roles")


def test_the_app_cannot_give_itself_rights(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("GRANT ALL ON ledger.entries TO dreamland_app"))  # grants nothing
        connection.commit()
        refused(connection, "DELETE FROM ledger.entries")


@pytest.mark.parametrize("table", IMMUTABLE)
@pytest.mark.usefixtures("owner")
def test_even_the_owner_cannot_change_what_was_booked(owner_engine: Engine, table: str) -> None:
    with owner_engine.connect() as connection:
        column = column_of(connection, table)
        for statement in (
            f"UPDATE ledger.{table} SET {column} = {column}",
            f"UPDATE ledger.{table} SET {column} = {column} WHERE false",
            f"DELETE FROM ledger.{table}",
            f"TRUNCATE ledger.{table} CASCADE",
            f"MERGE INTO ledger.{table} t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
        ):
            refused(connection, statement, "is never changed")


@pytest.mark.parametrize("table", ["owners", "account_balances", "daily_balances"])
@pytest.mark.usefixtures("owner")
def test_even_the_owner_cannot_remove_what_belongs_to_entries(
    owner_engine: Engine, table: str
) -> None:
    with owner_engine.connect() as connection:
        refused(connection, f"TRUNCATE ledger.{table} CASCADE", "never removed|never changed")
        refused(connection, f"DELETE FROM ledger.{table} WHERE false", "never removed")


def test_constraints_say_the_rules_again(owner_engine: Engine, owner: int) -> None:
    """A bug in the posting function, played by the owner, stops at the tables."""
    with owner_engine.connect() as connection:
        for statement, rule in (
            ("UPDATE ledger.account_balances SET credits = debits + 1", "account_balances_floor"),
            ("UPDATE ledger.daily_balances SET used = 5000000000000000001", "daily_balances_limit"),
            ("UPDATE ledger.daily_balances SET used = -1", "daily_balances_limit"),
            (posting(owner, seq=1, line=9, amount=0), "postings_amount"),
            (posting(owner, seq=1, line=9, amount=2**256), "postings_amount|overflow"),
            (posting(owner, seq=1, line=9, debit=1, credit=1), "postings_differ"),
            (posting(owner, seq=1, line=1), "postings_pkey"),
            (entry(owner, seq=0), "entries_seq"),
            (entry(owner, seq=1), "entries_pkey"),
            (entry(owner, seq=9, kind=11), "entries_reverses"),
            (entry(owner, seq=9, request="'\\x00'"), "entries_request_hash"),
            (
                entry(owner, seq=9, key="(SELECT key_hash FROM ledger.entries LIMIT 1)"),
                "entries_key",
            ),
        ):
            limited = statement + f" WHERE owner_id = {owner}" * statement.startswith("UPDATE")
            refused(connection, limited, rule)


def posting(
    owner: int, seq: int, line: int, amount: int = 1, debit: int = 1, credit: int = 2
) -> str:
    return (
        "INSERT INTO ledger.postings (owner_id, seq, booked_at, day, line, ledger_id, debit_account_id,"
        f" credit_account_id, amount) VALUES ({owner}, {seq}, now(), 'today', {line}, 1, {debit}, {credit}, {amount})"
    )


def entry(
    owner: int, seq: int, kind: int = 1, key: str = "gen_random_uuid()", request: str = "sha256('')"
) -> str:
    return (
        "INSERT INTO ledger.entries (owner_id, seq, occurred_at, booked_at, client_id, day, accounting_date,"
        f" kind_id, key_hash, request_hash) SELECT {owner}, {seq}, now(), now(), 1, 'today', 'today', {kind},"
        f" {key.replace('LIMIT', f'WHERE owner_id = {owner} LIMIT')}, {request}"
    )


# --- Roles


@pytest.fixture
def login(owner_engine: Engine, database: URL) -> Iterator[Engine]:
    """A login of its own that may act in the app's role, as a production has."""
    name = f"login_{database.database}"
    with owner_engine.begin() as connection:
        connection.execute(text(f'CREATE ROLE "{name}" LOGIN'))
        connection.execute(text(f'GRANT dreamland_app TO "{name}"'))
    options = {"options": "-c role=dreamland_app"}
    made = create_engine(database.set(username=name), connect_args=options)
    yield made
    made.dispose()
    with owner_engine.begin() as connection:
        connection.execute(text(f'DROP ROLE "{name}"'))


@pytest.mark.parametrize(
    "leave", ["RESET ROLE", "SET ROLE NONE", "SET SESSION AUTHORIZATION DEFAULT"]
)
def test_a_login_of_its_own_gains_nothing_by_leaving_the_role(
    login: Engine, database: URL, leave: str
) -> None:
    with login.connect() as connection:
        for table in TABLES:
            connection.execute(text(leave))
            refused(connection, f"INSERT INTO ledger.{table} DEFAULT VALUES")
            connection.execute(text(leave))
            refused(connection, f"TRUNCATE ledger.{table}")
        refused(connection, f'SET ROLE "{database.username}"')


def test_a_login_of_its_own_can_post(login: Engine) -> None:
    books = Books(login)
    books.win(books.owner())


def test_resetting_the_role_stays_in_it(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("RESET ROLE"))
        assert connection.scalar(text("SELECT current_user")) == "dreamland_app"
        refused(connection, "DELETE FROM ledger.owners")


def test_a_login_without_the_role_sees_nothing(owner_engine: Engine, database: URL) -> None:
    name = f"stranger_{database.database}"
    with owner_engine.begin() as connection:
        connection.execute(text(f'CREATE ROLE "{name}" LOGIN'))
    stranger = create_engine(database.set(username=name))
    with stranger.connect() as connection:
        for statement in (
            "SELECT * FROM ledger.entries",
            "SELECT ledger.clock()",
            "SELECT ledger.open_owner(1, 'UTC')",
            "SELECT * FROM users",
            "SELECT * FROM api_keys",
        ):
            refused(connection, statement)
    stranger.dispose()
    with owner_engine.begin() as connection:
        connection.execute(text(f'DROP ROLE "{name}"'))


def test_tables_of_the_callers_own_do_not_stand_in_for_the_books(books: Books, owner: int) -> None:
    """The functions run with the owner's rights: they must look for tables in the ledger alone."""
    with books.engine.connect() as connection:
        for table in (
            "entries",
            "postings",
            "owners",
            "closed_hours",
            "clock_shift",
            "account_balances",
        ):
            connection.execute(text(f"CREATE TEMP TABLE {table} (LIKE ledger.{table})"))
        connection.execute(text("SET search_path = pg_temp, public"))
        connection.execute(
            text(
                "SELECT * FROM ledger.post(ARRAY[:o]::bigint[], '{4}', '{4}', '{1}', ARRAY[gen_random_uuid()],"
                " ARRAY[sha256('')], '{10}')"
            ),
            {"o": owner},
        )
        assert connection.scalar(text("SELECT count(*) FROM pg_temp.entries")) == 0
        count = text("SELECT count(*) FROM ledger.entries WHERE owner_id = :o")
        assert connection.scalar(count, {"o": owner}) == 3
        connection.rollback()


def test_every_function_with_the_owners_rights_names_where_it_looks(owner_engine: Engine) -> None:
    query = text(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace AND prosecdef"
        " AND NOT coalesce(proconfig, '{}') @> ARRAY['search_path=ledger, pg_temp']"
    )
    with owner_engine.connect() as connection:
        assert connection.scalars(query).all() == []
