"""What a process has one of: its settings, its database engine and its posting lanes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, cast

from flask import Flask, current_app
from sqlalchemy import Connection, Engine

from config import Settings
from portal import ledger
from portal.counts import Counts

_reading: ContextVar[Connection | None] = ContextVar("reading", default=None)


@dataclass(frozen=True)
class Runtime:
    """Made with the app, shared by all its threads."""

    settings: Settings
    engine: Engine
    poster: ledger.Poster
    feed: ledger.Feed
    counts: Counts
    start_conversions: Callable[[], None]
    """Has a worker do what is due; needs Redis."""
    start_verification: Callable[[], bool]
    """Has a worker verify the books; False where one is to already. Needs Redis."""
    start_import: Callable[[int], None]
    """Has a worker begin an import; needs Redis."""
    start_webhooks: Callable[[], None]
    """Has a worker deliver now; else it does within a minute."""
    start_mails: Callable[[], None]
    """Has a worker send the mails that are due; else one does within a minute."""
    send_webhook_again: Callable[[int, int, int, int], bool]
    """Has a worker send a (client_id, endpoint_id) an (owner_id, seq) once more, if few wait; needs Redis."""
    jobs: Any
    """Knows what waits, runs, failed and recurs, as `services.jobs.Jobs` says; needs Redis."""
    assets: dict[str, ledger.AssetInfo] = field(default_factory=dict, init=False)
    """Those that were asked for, by code."""

    @property
    def window(self) -> ledger.Window:
        """How far from the ledger clock the time of a win may lie."""
        return ledger.Window(self.settings.win_max_age, self.settings.win_max_ahead)

    @property
    def import_window(self) -> ledger.Window:
        """The same for a win of an import."""
        return ledger.Window(self.settings.import_max_age, self.settings.win_max_ahead)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection whose reads all see the books at one moment; within a `reading` its own."""
        if (shared := _reading.get()) is not None:
            yield shared
            return
        with self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A snapshot for all reads of the block that ask for one: one connection, one moment."""
        with self.snapshot() as connection:
            token = _reading.set(connection)
            try:
                yield connection
            finally:
                _reading.reset(token)


def start(
    app: Flask,
    settings: Settings,
    engine: Engine,
    count_batch: Callable[[str, int], None],
    **of_jobs: Any,
) -> None:
    """Give the app its runtime. `of_jobs` are those of its fields that need what jobs need."""
    window = ledger.Window(settings.win_max_age, settings.win_max_ahead)
    poster = ledger.Poster(engine, window, settings.batch_limit, settings.queue_limit, count_batch)
    feed = ledger.Feed(engine)
    counts = Counts.of(settings)
    app.extensions["dreamland"] = Runtime(settings, engine, poster, feed, counts, **of_jobs)


def runtime() -> Runtime:
    """The running app's. Needs an app context."""
    return cast(Runtime, current_app.extensions["dreamland"])
