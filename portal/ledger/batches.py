"""Batches: entries that are posted together by one who waits for all of them."""

import logging
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import psycopg2
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from portal.ledger.errors import Unavailable, first_line
from portal.ledger.poster import autocommit
from portal.ledger.posting import BUSY, Entry, Outcome, Window, post_in_savepoint, post_isolating

log = logging.getLogger(__name__)


def post_batch(engine: Engine, entries: Sequence[Entry], window: Window) -> list[Outcome]:
    """Book 1 to 1,000 entries in the order given and wait for every one of them.

    Those of owners locked elsewhere are posted in a second call: two batches that share an owner
    then run side by side instead of one after the other. Raises Unavailable, when one is locked
    for too long as well: the same keys may be sent again.
    """
    try:
        with autocommit(engine).connect() as connection:
            try:
                with closing(connection.connection.cursor()) as cursor:
                    return _post_in_two_steps(cursor, entries, window)
            except psycopg2.Error:
                connection.invalidate()
                raise
    except (
        psycopg2.Error,
        DBAPIError,
    ) as error:  # the driver's own too, as a connection is given back
        log.warning("a batch of %d was not booked whole: %s", len(entries), first_line(error))
        raise Unavailable("the database is away; send the same keys again") from error


def post_within(connection: Connection, entries: Sequence[Entry], window: Window) -> list[Outcome]:
    """Book 1 to 1,000 entries in the caller's transaction: with what else it writes, or not at all.

    The caller commits, at once: its owners stay locked until then. Owners locked elsewhere are
    waited for as long as `lock_timeout` allows. Raises Unavailable, and then the caller rolls back.
    """
    try:
        with closing(connection.connection.cursor()) as cursor:
            outcomes = post_isolating(cursor, entries, window, wait=True, post=post_in_savepoint)
    except psycopg2.Error as error:
        log.warning("a batch of %d was not booked: %s", len(entries), first_line(error))
        raise Unavailable("the database is away; try again") from error
    if BUSY in outcomes:
        raise Unavailable("a user was locked for too long; try again")
    return outcomes


def _post_in_two_steps(cursor: Any, entries: Sequence[Entry], window: Window) -> list[Outcome]:
    outcomes = post_isolating(cursor, entries, window, wait=False)
    busy = [n for n, outcome in enumerate(outcomes) if outcome.status == "busy"]
    if busy:
        late = post_isolating(cursor, [entries[n] for n in busy], window, wait=True)
        if BUSY in late:
            raise Unavailable("a user was locked for too long; send the same keys again")
        for n, outcome in zip(busy, late, strict=True):
            outcomes[n] = outcome
    return outcomes
