"""Which endpoints a process delivers to alone: their advisory locks, all on one connection of its own.

The locks end with the connection, so with the process, however that ends.
"""

import threading
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, text

from portal import ledger
from portal.runtime import runtime
from portal.services import locks

TAKE = "SELECT pg_try_advisory_lock(:class, :id)"
GIVE = "SELECT pg_advisory_unlock(:class, :id)"


class Claims:
    """Any thread may ask. A connection that broke has lost every lock: all are taken anew."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._connection: Connection | None = None
        self._held: set[int] = set()

    def take(self, endpoint_id: int) -> bool:
        """Whether this process has the endpoint alone, now. Raises what the database raises."""
        with self._guard:
            try:
                if self._connection is None:
                    self._connection = ledger.autocommit(runtime().engine).connect()
                if endpoint_id in self._held:
                    self._connection.execute(text("SELECT 1"))  # it is still there, and its locks
                elif self._ask(self._connection, TAKE, endpoint_id):
                    self._held.add(endpoint_id)
                return endpoint_id in self._held
            except Exception:
                self._lose()
                raise

    def give(self, endpoint_id: int) -> None:
        """Let another process have the endpoint."""
        with self._guard:
            if self._connection is None or endpoint_id not in self._held:
                return
            try:
                self._ask(self._connection, GIVE, endpoint_id)
                self._held.discard(endpoint_id)
            except Exception:  # noqa: BLE001 - the lock ends with the session
                self._lose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._guard:
            self._lose()

    @staticmethod
    def _ask(connection: Connection, query: str, endpoint_id: int) -> bool:
        known = {"class": locks.ENDPOINT, "id": endpoint_id}
        return bool(connection.scalar(text(query), known))

    def _lose(self) -> None:
        """End the session and all its locks."""
        self._held.clear()
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.invalidate()
            connection.close()
