"""Databases for tests: one that is prepared once, and copies of it, cheap and independent."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import Self

from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

FAST = "-c wal_compression=off"
"""A copy is written whole to the log: compressing that took twice as long as all else."""


class Databases:
    """Copies of a database that `prepare` filled. The next one is made before it is asked for.

    `source` is the database that the prepared one starts as a copy of, instead of an empty one.
    """

    def __init__(
        self, server: URL, name: str, prepare: Callable[[URL], None], source: URL | None = None
    ) -> None:
        self._server = server
        self._name = f"{name}_{os.getpid()}"
        self._engine = create_engine(
            server,
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
            connect_args={"options": FAST},
        )
        self._numbers = count(1)
        self._worker = ThreadPoolExecutor(2)
        self._create(self._name, (source.database if source else None) or "template1")
        prepare(server.set(database=self._name))
        self._run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name",
            name=self._name,
        )
        self._next = self._make()
        self._drops: list[Future[None]] = []

    @property
    def template(self) -> URL:
        return self._server.set(database=self._name)

    def take(self) -> URL:
        """A copy that nobody else has."""
        url = self._next.result()
        self._next = self._make()
        return url

    def drop(self, url: URL) -> None:
        """Drop a copy, soon."""
        self._drops.append(self._worker.submit(self._drop, url))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for url in (self._next.result(), self.template):
            self.drop(url)
        self._worker.shutdown()
        for drop in self._drops:
            drop.result()

    def _make(self) -> Future[URL]:
        return self._worker.submit(self._create, f"{self._name}_{next(self._numbers)}", self._name)

    def _create(self, name: str, template: str) -> URL:
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self._server.set(database=name)

    def _drop(self, url: URL) -> None:
        self._run(f'DROP DATABASE "{url.database}" WITH (FORCE)')

    def _run(self, statement: str, **values: str) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(statement), values)
