"""Waits until the database has this code's migrations: `python -m deploy.migrated`.

A pod's first container, so that nothing serves or works on books that are not there yet. A database
that a later version has migrated will do: migrations come before the processes of their version.
"""

import sys
import time
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.exc import OperationalError

import config

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
PAUSE_S = 2


def main() -> int:
    """Ask until it is so; whoever started this sets the limit."""
    engine = create_engine(config.load().database_url)
    while problem := missing(engine):
        print(problem, file=sys.stderr, flush=True)
        time.sleep(PAUSE_S)
    return 0


def missing(engine: Engine) -> str | None:
    """What is still to come, in one line."""
    try:
        with engine.connect() as connection:
            found = revision(connection)
    except OperationalError as error:
        return "waiting for the database: " + str(error.orig).partition("\n")[0]
    script = scripts()
    known = {each.revision for each in script.walk_revisions()}
    if found == script.get_current_head() or (found and found not in known):
        return None
    return f"waiting for the migration: {found or 'nothing'} is there"


def scripts() -> ScriptDirectory:
    """This code's migrations."""
    return ScriptDirectory(str(MIGRATIONS))


def revision(connection: Connection) -> str | None:
    """The last migration that the database has seen, if any."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


if __name__ == "__main__":
    sys.exit(main())
