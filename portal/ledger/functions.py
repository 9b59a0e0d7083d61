"""Loads the SQL of the books into the database: the functions and fences of sql/, in file order.

Migrations call it. Each file may be run again: it replaces what it defines.
"""

from pathlib import Path

from sqlalchemy import Connection

SQL = Path(__file__).parent / "sql"

ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'dreamland_app') THEN
        CREATE ROLE dreamland_app NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;   -- another database's migration
END $$
"""

MEMBERSHIP = """
DO $$ BEGIN
    GRANT dreamland_app TO CURRENT_USER;
EXCEPTION WHEN insufficient_privilege THEN   -- an administrator made the role, and us a member
    IF NOT pg_has_role(current_user, 'dreamland_app', 'MEMBER') THEN
        RAISE;
    END IF;
END $$
"""


def create_role(connection: Connection) -> None:
    """Make the role that the app acts in, and let the migrating user act in it."""
    connection.exec_driver_sql(ROLE)
    connection.exec_driver_sql(MEMBERSHIP)


def load(connection: Connection) -> None:
    """Define, or define anew, every function, trigger and right of the books.

    Their bodies are not checked: a later migration may bring the column that one of them names.
    """
    connection.exec_driver_sql("SET LOCAL check_function_bodies = off")
    for path in sorted(SQL.glob("*.sql")):
        connection.exec_driver_sql(path.read_text().replace("%", "%%"))
