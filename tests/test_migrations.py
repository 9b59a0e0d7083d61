"""Migrations: up from empty, down to nothing, up again, without drift, by whoever owns the database."""

from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from local.postgres import Postgres
from portal import create_app
from portal.ledger import install
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


def upgrade(app: Flask) -> None:
    with app.app_context():
        flask_migrate.upgrade(directory=MIGRATIONS)


def downgrade(app: Flask) -> None:
    with app.app_context():
        flask_migrate.downgrade(directory=MIGRATIONS, revision="base")


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
    with empty.app_context():
        config = empty.extensions["migrate"].migrate.get_config(directory=MIGRATIONS)
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - only here

    assert len(ScriptDirectory.from_config(config).get_heads()) == 1


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
