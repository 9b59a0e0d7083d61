"""The hourly conversion of tokens to USD: what is due, in order, in chunks, exactly once.

An hour is closed, gets its one rate, and its users are split into chunks, each converted in one
transaction with its sums. A run may be killed at any moment and started again: what is done is
found in the database, never in a process. Jobs and the command line only call this module.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from portal import ledger
from portal.ledger.conversion import anything_held
from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services import audit, locks, rates
from portal.services.models import ConversionChunk, ConversionRun

Dispatch = Callable[[datetime, int], None]
"""Has a chunk (hour, number) converted, now or by a worker soon."""


def next_hour(connection: Connection) -> datetime | None:
    """The first hour that is not done, over or not; None while nothing was ever booked."""
    done = select(func.max(ConversionRun.hour)).where(ConversionRun.state == "done")
    last: datetime | None = connection.scalar(done)
    return last + ledger.HOUR if last else ledger.first_booked_hour(connection)


def due_hour() -> datetime | None:
    """The next hour to convert, if it is over."""
    with runtime().engine.connect() as connection:
        hour = next_hour(connection)
        return hour if hours_over(connection, hour) > 0 else None


def hours_over(connection: Connection, following: datetime | None) -> int:
    """How many hours are over from that one on: those that are due, if it is the next."""
    return (ledger.now(connection) - following) // ledger.HOUR if following else 0


def convert_due(dispatch: Dispatch, *, wait: bool = False) -> list[datetime]:
    """Do what is due, oldest first, until nothing is or an hour can't go on; the hours done.

    With a `dispatch` that only enqueues, the hour's last chunk carries on (see `convert_chunk`).
    With `wait`, another starter of the same hour is waited for instead of left alone.
    """
    done = []
    while (hour := due_hour()) and advance(hour, dispatch, wait=wait):
        done.append(hour)
    return done


def advance(hour: datetime, dispatch: Dispatch, *, wait: bool = False) -> bool:
    """Take an hour as far as it goes now; True when it is done. Safe to repeat at any point."""
    with locks.alone(locks.RUN, int(hour.timestamp()) // 3600, wait=wait) as is_alone:
        if not is_alone:
            return False
        _open(hour)
        if not _has_plan(hour) and not _plan(hour):
            return False
        chunks = open_chunks(hour)
    for number in chunks:
        dispatch(hour, number)
    finish(hour)
    with runtime().engine.connect() as connection:
        return state_of(connection, hour) == "done"


def convert_chunk(hour: datetime, number: int, *, wait: bool = False) -> bool:
    """Convert a chunk in one transaction with its sums; True when this very call ended the hour.

    A chunk that is finished, or that another worker has (unless `wait`), is left alone.
    """
    try:
        _convert_chunk(hour, number, wait=wait)
    except Exception as error:
        _set_state(hour, "failed", f"chunk {number}: {type(error).__name__}")
        raise
    return finish(hour)


def _convert_chunk(hour: datetime, number: int, *, wait: bool) -> None:
    this = (ConversionChunk.hour == hour, ConversionChunk.number == number)
    query = select(ConversionChunk.__table__).where(*this).with_for_update(skip_locked=not wait)
    with runtime().engine.begin() as connection:
        chunk = connection.execute(query).first()
        if chunk is None or chunk.finished_at is not None:
            return
        sums = ledger.convert(connection, hour, chunk.after_owner, chunk.upto_owner)
        finished = {**asdict(sums), "finished_at": ledger.now(connection)}
        connection.execute(update(ConversionChunk).where(*this).values(finished))


FINISH = """
UPDATE conversion_runs r
SET state = 'done', problem = NULL, finished_at = ledger.clock(),
    users = s.users, tokens = s.tokens, usd = s.usd, fees = s.fees, residue = s.residue
FROM (SELECT coalesce(sum(users), 0) AS users, coalesce(sum(tokens), 0) AS tokens,
             coalesce(sum(usd), 0) AS usd, coalesce(sum(fees), 0) AS fees,
             coalesce(sum(residue), 0) AS residue
      FROM conversion_chunks WHERE hour = :hour) s
WHERE r.hour = :hour AND r.state IN ('running', 'failed')
  AND NOT EXISTS (SELECT FROM conversion_chunks c WHERE c.hour = :hour AND c.finished_at IS NULL)
"""


def finish(hour: datetime) -> bool:
    """Mark a run done once all its chunks are, with their sums; True for the one call that does.

    Only one, as whoever is told so starts the next hour: were every late copy of a chunk's job
    told, each would start it again, and the copies would multiply from hour to hour.
    """
    with runtime().engine.begin() as connection:
        ended = connection.execute(text(FINISH + "RETURNING r.hour"), {"hour": hour})
        return ended.first() is not None


def state_of(connection: Connection, hour: datetime) -> str | None:
    """A run's state; None for an hour that no run was started for."""
    state: str | None = connection.scalar(
        select(ConversionRun.state).where(ConversionRun.hour == hour)
    )
    return state


def request(hour: datetime, start: Callable[[], None]) -> bool:
    """Whether an hour that somebody asks for is done already; False when it may run now.

    Then `start` is called: where it fails, nobody asked. Raises
    Refused('hour_not_next') unless it is over and the next in order.
    """
    with runtime().engine.begin() as connection:
        state = state_of(connection, hour)
        if state == "done":
            return True
        if hour != next_hour(connection) or hour + ledger.HOUR > ledger.now(connection):
            raise Refused("hour_not_next", "hours are converted in order, once they are over")
        if state != "running":  # who asks again and again starts nothing more
            audit.record(connection, "conversion.asked", "hour", hour)
        start()
        return False


def open_chunks(hour: datetime) -> list[int]:
    """The numbers of the chunks that are still to be converted."""
    query = select(ConversionChunk.number).where(
        ConversionChunk.hour == hour, ConversionChunk.finished_at.is_(None)
    )
    with runtime().engine.connect() as connection:
        return list(connection.scalars(query.order_by(ConversionChunk.number)))


def _open(hour: datetime) -> None:
    """Close the hour and have a run for it."""
    with runtime().engine.connect() as connection:
        ledger.close_hour(connection, hour)
        run = {"hour": hour, "state": "due", "started_at": ledger.now(connection)}
        connection.execute(insert(ConversionRun).values(run).on_conflict_do_nothing())
        connection.commit()


def _has_plan(hour: datetime) -> bool:
    with runtime().engine.connect() as connection:
        return state_of(connection, hour) in ("running", "failed", "done")


def _plan(hour: datetime) -> bool:
    """Give the hour its rate and its chunks; False when it must wait for its rate."""
    with runtime().engine.connect() as connection:
        ranges = list(_ranges(connection)) if anything_held(connection, hour) else []
        rate = ledger.rate_of(connection, hour)
    if ranges and rate is None:
        try:
            rate = rates.fetch(hour, rates.last_rate(hour))
        except rates.RateUnavailable as problem:
            _set_state(hour, "waiting_for_rate", str(problem))
            return False
        with runtime().engine.begin() as connection:
            ledger.store_rate(connection, hour, rate)
    with runtime().engine.begin() as connection:
        chunks = [
            {"hour": hour, "number": n, "after_owner": after, "upto_owner": upto}
            for n, (after, upto) in enumerate(ranges, start=1)
        ]
        if chunks:
            connection.execute(insert(ConversionChunk), chunks)
        running = update(ConversionRun).where(ConversionRun.hour == hour)
        connection.execute(running.values(state="running", problem=None))
    return True


def _ranges(connection: Connection) -> Iterator[tuple[int, int]]:
    """Ranges (after, upto] of owners, each with at most CONVERSION_CHUNK_USERS that hold tokens."""
    size = runtime().settings.chunk_users
    after, upto, held = 0, 0, 0
    for owner in ledger.holders(connection):
        if held == size:
            yield after, upto
            after, held = upto, 0
        upto, held = owner, held + 1
    if held:
        yield after, upto


def _set_state(hour: datetime, state: str, problem: str) -> None:
    """Never for a run that is done: one who lost its connection may not know that it is."""
    with runtime().engine.begin() as connection:
        run = update(ConversionRun).where(ConversionRun.hour == hour, ConversionRun.state != "done")
        connection.execute(run.values(state=state, problem=problem))
