"""What a process has one of: its settings, its database engine and its posting lanes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from flask import Flask, current_app
from sqlalchemy import Connection, Engine

from config import Settings
from portal import ledger


@dataclass(frozen=True)
class Runtime:
    """Made with the app, shared by all its threads."""

    settings: Settings
    engine: Engine
    poster: ledger.Poster
    feed: ledger.Feed
    start_conversions: Callable[[], None]
    """Has a worker do what is due; needs Redis."""
    start_webhooks: Callable[[], None]
    """Has a worker deliver now; else it does within a minute."""
    send_webhook_again: Callable[[int, int, int], None]
    """Has a worker send an endpoint an (owner_id, seq) once more; needs Redis."""
    assets: dict[str, ledger.AssetInfo] = field(default_factory=dict, init=False)
    """Those that were asked for, by code."""

    @property
    def window(self) -> ledger.Window:
        """How far from the ledger clock the time of a win may lie."""
        return ledger.Window(self.settings.win_max_age, self.settings.win_max_ahead)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection whose reads all see the books at one moment."""
        with self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="REPEATABLE READ")


def start(app: Flask, settings: Settings, engine: Engine, **jobs: Callable[..., None]) -> None:
    """Give the app its runtime. `jobs` are those of its fields that enqueue something."""
    window = ledger.Window(settings.win_max_age, settings.win_max_ahead)
    poster = ledger.Poster(engine, window, settings.batch_limit, settings.queue_limit)
    feed = ledger.Feed(engine)
    app.extensions["dreamland"] = Runtime(settings, engine, poster, feed, **jobs)


def runtime() -> Runtime:
    """The running app's. Needs an app context."""
    return cast(Runtime, current_app.extensions["dreamland"])
