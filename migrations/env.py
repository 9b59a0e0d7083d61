"""Runs migrations as the database's owner: not as the role the app acts in."""

from alembic import context
from flask import current_app
from sqlalchemy import Connection, create_engine

from portal.database import db
from portal.ledger import functions, install

LOCK_TIMEOUT = "5s"
"""A migration that can't have its lock fails, rather than queue every request behind it."""


def run() -> None:
    """Run the migrations that Flask-Migrate asked for, in one transaction each."""
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
            transaction_per_migration=True,
            compare_server_default=False,
        )
        before = _heads(connection)
        with context.begin_transaction():
            context.run_migrations()
        after = _heads(connection)
        if after != before and after == (context.get_head_revision(),):
            _bring_up_to_date(connection)


def _heads(connection: Connection) -> tuple[str, ...]:
    """The revision that the database is at; leaves no transaction open."""
    heads = context.get_context().get_current_heads()
    connection.rollback()
    return heads


def _bring_up_to_date(connection: Connection) -> None:
    """Give a database that has reached the newest tables the functions and chart of this code.

    Migrations only change tables: a function may name a column that a later one brings.
    """
    with connection.begin():
        functions.load(connection)
        install.install(connection)


run()
