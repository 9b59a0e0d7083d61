"""Runs migrations as the database's owner: not as the role the app acts in."""

from alembic import context
from flask import current_app
from sqlalchemy import Connection, create_engine, text

from portal.database import db
from portal.ledger import functions, install

LOCK_TIMEOUT = "5s"
"""A migration that can't have its lock fails, rather than queue every request behind it."""


def run() -> None:
    """Run the migrations that Flask-Migrate asked for, in one transaction.

    A database that has reached the newest tables gets the functions and the chart of this code, in
    that transaction too: migrations only change tables, as a function may name a column that a later
    one brings.
    """
    engine = create_engine(current_app.config["SQLALCHEMY_DATABASE_URI"])
    with engine.connect() as connection:
        connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        connection.exec_driver_sql("SET timezone = 'UTC'")
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            include_schemas=True,
            include_name=lambda name, kind, _: kind != "schema" or name in (None, "ledger"),
            compare_server_default=False,
        )
        with context.begin_transaction():
            before = context.get_context().get_current_heads()
            if _moves(before):
                _keep_posters_out(connection)
            context.run_migrations()
            after = context.get_context().get_current_heads()
            if after != before and after == (context.get_head_revision(),):
                functions.load(connection)
                install.install(connection)


def _moves(heads: tuple[str, ...]) -> bool:
    """Whether the command is one that leads to another revision than the database is at."""
    try:
        return context.get_revision_argument() not in (heads, *heads)
    except KeyError:  # `db current`, `db check` and the like
        return False


def _keep_posters_out(connection: Connection) -> None:
    """Wait for those that are posting, and let nobody begin: posting locks the owner first.

    Else a migration and a posting, which lock tables in other orders, might wait for each other.
    """
    if connection.scalar(text("SELECT to_regclass('ledger.owners')")) is not None:
        connection.execute(text("LOCK TABLE ledger.owners IN EXCLUSIVE MODE"))


run()
