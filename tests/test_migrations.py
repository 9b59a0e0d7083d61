"""Migrations: up from empty, down to nothing, up again, without drift, by whoever owns the database."""

from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from local.postgres import Postgres
from portal import create_app, ledger
from portal.ledger import install
from portal.services import verification
from tests.conftest import settings_for
from tests.factories import Books

MIGRATIONS = str(Path(__file__).parent.parent / "migrations")
SMALL = {"shared_buffers": "16MB", "max_wal_size": "64MB", "min_wal_size": "32MB"}

OBJECTS = """
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('public', 'ledger') AND c.relname NOT LIKE 'alembic_version%'
UNION ALL
SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('public', 'ledger')
"""

SHAPE = """
SELECT format('%s.%s %s %s %s', table_schema, table_name, column_name, data_type, is_nullable)
FROM information_schema.columns WHERE table_schema IN ('public', 'ledger') AND table_name <> 'alembic_version'
UNION ALL
SELECT format('%s %s %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE n.nspname IN ('public', 'ledger') AND c.conrelid::regclass::text <> 'alembic_version'
UNION ALL
SELECT indexdef FROM pg_indexes WHERE schemaname IN ('public', 'ledger') AND tablename <> 'alembic_version'
"""


@pytest.fixture
def empty(server: URL, tmp_path: Path) -> Iterator[Flask]:
    """An app on an empty database; the role that it acts in is there, of other tests."""
    name = f"dreamland_migration_{tmp_path.name}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    app = create_app(settings_for(server.set(database=name), tmp_path))
    yield app
    app.extensions["dreamland"].engine.dispose()
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    admin.dispose()


def upgrade(app: Flask, revision: str = "head") -> None:
    with app.app_context():
        flask_migrate.upgrade(directory=MIGRATIONS, revision=revision)


def downgrade(app: Flask, revision: str = "base") -> None:
    with app.app_context():
        flask_migrate.downgrade(directory=MIGRATIONS, revision=revision)


def has_drift(app: Flask) -> bool:
    """Whether models and database differ, as `flask db check` finds."""
    with app.app_context():
        try:
            flask_migrate.check(directory=MIGRATIONS)
        except SystemExit:
            return True
    return False


def owner(app: Flask) -> Engine:
    return create_engine(app.config["SQLALCHEMY_DATABASE_URI"])


def objects(app: Flask) -> set[str]:
    with owner(app).connect() as connection:
        return set(connection.scalars(text(OBJECTS)))


def use(app: Flask) -> None:
    """Post a win in the app's role."""
    books = Books(app.extensions["dreamland"].engine)
    books.win(books.owner())
    with books.engine.connect() as connection:
        install.check(connection)
        assert connection.scalar(text("SELECT current_user")) == "dreamland_app"
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text("DELETE FROM ledger.postings"))


def use_credits(app: Flask) -> None:
    """Move credits in every way; then the books are clean."""
    books = Books(app.extensions["dreamland"].engine)
    owner = books.owner()
    books.top_up(owner, "GOLD_COIN", "100")
    books.reverse(owner, books.spend(owner, "GOLD_COIN", "10"), "GOLD_COIN")
    books.capture(owner, books.hold(owner, "GOLD_COIN", "30"), "GOLD_COIN", "20")
    books.hold(owner, "GOLD_COIN", "5")
    assert books.wallet(owner, "GOLD_COIN") == ledger.Wallet(80, 5)
    assert_clean(app)


def assert_clean(app: Flask) -> None:
    with app.app_context():
        report = verification.verify()
    assert [str(each) for each in report.differences] == []
    assert report.postings > 0


def script_directory(app: Flask) -> ScriptDirectory:
    with app.app_context():
        config = app.extensions["migrate"].migrate.get_config(directory=MIGRATIONS)
    return ScriptDirectory.from_config(config)


def revisions(app: Flask) -> list[str]:
    """Every revision, oldest first."""
    return [script.revision for script in script_directory(app).walk_revisions()][::-1]


def shape(app: Flask) -> set[str]:
    """Columns, constraints and indexes of every table."""
    with owner(app).connect() as connection:
        return set(connection.scalars(text(SHAPE)))


def test_every_revision_goes_up_down_and_up_again(empty: Flask) -> None:
    below, before = "base", shape(empty)
    assert before == set()
    for revision in revisions(empty):
        upgrade(empty, revision)
        made = shape(empty)
        assert made != before
        downgrade(empty, below)
        assert shape(empty) == before
        upgrade(empty, revision)
        assert shape(empty) == made
        below, before = revision, made
    use(empty)
    use_credits(empty)


def test_books_of_before_wallets_go_on_with_them(empty: Flask) -> None:
    """Down and up again, as books that know wins only are taken up to wallets."""
    upgrade(empty)
    use(empty)
    for _ in range(2):
        downgrade(empty, "0001")
        assert "ledger.holds" not in objects(empty)
        upgrade(empty)
        assert not has_drift(empty)
        assert_clean(empty)
    use(empty)
    use_credits(empty)


@pytest.mark.parametrize("revision", ["0001", "base"])
def test_wallets_in_use_are_not_taken_down(empty: Flask, revision: str) -> None:
    """What wallets had, holds and claimed payments could not be made again."""
    upgrade(empty)
    use_credits(empty)
    made = objects(empty)
    with pytest.raises(DBAPIError, match="credits were booked"):
        downgrade(empty, revision)
    assert objects(empty) == made
    use(empty)
    assert_clean(empty)


def test_up_down_and_up_again(empty: Flask) -> None:
    assert objects(empty) == set()
    upgrade(empty)
    made = objects(empty)
    assert {"ledger.entries", "ledger.post", "public.users"} <= made
    use(empty)
    downgrade(empty)
    assert objects(empty) == set()
    upgrade(empty)
    assert objects(empty) == made
    use(empty)


def test_an_upgrade_that_fails_at_its_end_has_done_nothing_and_may_be_run_again(
    empty: Flask,
) -> None:
    """Somebody holds a table that only the loading of the functions needs, for longer than it waits."""
    with empty.app_context():
        flask_migrate.upgrade(directory=MIGRATIONS, revision="0001")
    made = objects(empty)
    with owner(empty).connect() as other:
        other.execute(text("LOCK TABLE ledger.closed_hours IN SHARE MODE"))
        with pytest.raises(DBAPIError, match="lock timeout"):
            upgrade(empty)
    assert objects(empty) == made
    with owner(empty).connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0001"
    upgrade(empty)
    use(empty)


def test_upgrading_again_changes_nothing(empty: Flask) -> None:
    upgrade(empty)
    use(empty)
    made = objects(empty)
    upgrade(empty)
    assert objects(empty) == made
    with owner(empty).connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM ledger.entries")) == 1


def test_the_models_and_the_database_do_not_differ(empty: Flask) -> None:
    upgrade(empty)
    assert not has_drift(empty)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE users ADD COLUMN nickname text",
        "ALTER TABLE ledger.entries DROP COLUMN reason",
        "ALTER TABLE ledger.owners ALTER COLUMN last_seq DROP NOT NULL",
        "DROP INDEX ledger.postings_wallet",
        "CREATE TABLE ledger.extra (id int)",
        "ALTER TABLE ledger.entries DROP CONSTRAINT entries_key",
    ],
)
def test_a_difference_is_found(database: URL, tmp_path: Path, change: str) -> None:
    app = create_app(settings_for(database, tmp_path))
    with owner(app).begin() as connection:
        connection.execute(text(change))
    assert has_drift(app)


def test_there_is_one_head(empty: Flask) -> None:
    assert len(script_directory(empty).get_heads()) == 1


# --- A database owner that is no superuser, in a cluster of its own


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("cluster") / "postgres", settings=SMALL) as made:
        yield made


def own_database(cluster: Postgres, name: str, rights: str, tmp_path: Path) -> Flask:
    """An app on a database of an owner with those rights, who logs in as the app."""
    admin = create_engine(make_url(psycopg2(cluster.url)), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN {rights}"))
        connection.execute(text(f"CREATE DATABASE {name} OWNER {name}"))
    admin.dispose()
    return create_app(settings_for(make_url(psycopg2(cluster.url_of(name, name))), tmp_path))


def psycopg2(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg2://")


def as_admin(cluster: Postgres, statement: str) -> None:
    admin = create_engine(make_url(psycopg2(cluster.url)), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(statement))
    admin.dispose()


def test_an_owner_who_may_create_roles_needs_no_superuser(
    cluster: Postgres, tmp_path: Path
) -> None:
    app = own_database(cluster, "boss", "CREATEROLE", tmp_path)
    for _ in range(2):
        upgrade(app)
        use(app)
        assert not has_drift(app)
        with owner(app).connect() as connection:
            assert connection.scalar(text("SELECT current_setting('is_superuser')")) == "off"
            with pytest.raises(DBAPIError, match="is never changed"):
                connection.execute(text("DELETE FROM ledger.postings"))
        downgrade(app)
    app.extensions["dreamland"].engine.dispose()
    as_admin(cluster, "DROP OWNED BY dreamland_app")
    as_admin(cluster, "DROP DATABASE boss WITH (FORCE)")
    as_admin(cluster, "DROP ROLE dreamland_app")


def test_an_owner_without_any_right_needs_an_administrator_to_make_the_role(
    cluster: Postgres, tmp_path: Path
) -> None:
    app = own_database(cluster, "clerk", "NOCREATEROLE", tmp_path)
    with pytest.raises(DBAPIError, match="permission denied to create role"):
        upgrade(app)
    assert objects(app) == set()
    as_admin(cluster, "CREATE ROLE dreamland_app NOLOGIN")
    with pytest.raises(DBAPIError, match=r"permission denied|admin option"):
        upgrade(app)
    assert objects(app) == set()
    as_admin(cluster, "GRANT dreamland_app TO clerk")
    upgrade(app)
    use(app)
    app.extensions["dreamland"].engine.dispose()
