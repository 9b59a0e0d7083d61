"""A test's own view of a database, and its own locks: what makes a moment certain, not likely."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

BLOCKED = """
SELECT a.pid, a.query, a.xact_start IS NOT NULL AS is_open
FROM pg_stat_activity a WHERE CAST(:holder AS integer) = ANY (pg_blocking_pids(a.pid)) ORDER BY a.pid
"""


class Watch:
    """Reads as the database's owner; every read is a snapshot of its own."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine = create_engine(url, isolation_level="AUTOCOMMIT", pool_size=1)

    def value(self, statement: str, **values: Any) -> Any:
        """The first column of the first row, None where there is no row."""
        with self._engine.connect() as connection:
            return connection.scalar(text(statement), values)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.execute(text(statement), values))

    def run(self, statement: str, **values: Any) -> None:
        """Change something, as only the database's owner may."""
        with self._engine.connect() as connection:
            connection.execute(text(statement), values)

    @contextmanager
    def hold(self, statement: str, **values: Any) -> Iterator["Hold"]:
        """Take locks by a statement, in a transaction that ends with the block or by `release`."""
        engine: Engine = create_engine(self._url, poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(statement), values)
            held = Hold(self, connection)
            try:
                yield held
            finally:
                held.release()

    def dispose(self) -> None:
        self._engine.dispose()


class Hold:
    """Locks that a test holds, and who waits for them."""

    def __init__(self, watch: Watch, connection: Connection) -> None:
        self._watch = watch
        self._connection = connection
        self._pid: int = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()

    def blocked(self) -> list[Any]:
        """The sessions that wait for these locks: pid, query, and whether a transaction is open."""
        return self._watch.rows(BLOCKED, holder=self._pid)

    def release(self) -> None:
        self._connection.rollback()
