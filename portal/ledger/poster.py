"""Group commit: request threads hand over their entry, one thread posts all that are waiting.

A request is answered only after its commit. One waiting entry is posted at once; under load the
entries that came while the last batch was written make the next one. Entries of owners that are
locked elsewhere (by a conversion's chunk, say) go to a second lane that waits for them, so that
they never stall the others: not those whose owners are free, nor each other for long. A batch that
fails is halved until the culprit alone fails.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from portal.ledger.errors import InternalError, LedgerError, Unavailable, first_line
from portal.ledger.posting import AWAY, Entry, Outcome, Window, post_isolating

log = logging.getLogger(__name__)

LONGEST_WAIT = "1s"
"""For one locked owner, before all others that wait are tried again."""
STUCK_LIMIT = 8
"""How many entries may wait in a lane for owners that were locked for longer than that. Each keeps a
thread of the web from serving others: the rest are refused at once."""


Count = Callable[[str, int], None]
"""Told of each call: which lane, and how many entries."""


class Waiting:
    """An entry on its way: `answer` blocks until its batch has committed or failed."""

    __slots__ = ("_done", "_error", "_outcome", "entry", "is_given_up")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self._done = threading.Lock()  # held until settled: a third of an Event's cost
        self._done.acquire()
        self._outcome: Outcome | None = None
        self._error: LedgerError | None = None
        self.is_given_up = False

    def settle(self, outcome: Outcome) -> None:
        """Wake the request with what became of its entry."""
        self._outcome = outcome
        self._done.release()

    def fail(self, error: LedgerError) -> None:
        """Wake the request with an error, unless it was answered."""
        if self._done.locked():  # else it was settled before its lane died
            self._error = error
            self._done.release()

    def answer(self, timeout_s: float) -> Outcome:
        """What became of the entry, once its batch has ended. Raises LedgerError."""
        if not self._done.acquire(timeout=timeout_s):
            self.is_given_up = True
            raise Unavailable("the entry was not booked in time; send the same key again")
        if self._outcome is None:
            raise self._error or InternalError()
        return self._outcome


class Lane:
    """A queue, a thread and a connection. What is locked elsewhere goes to `overflow`."""

    def __init__(
        self,
        name: str,
        engine: Engine,
        window: Window,
        batch_limit: int,
        count: Count,
        overflow: "Lane | None",
    ) -> None:
        self._name, self._count = name, count
        self._engine = autocommit(engine)
        self._window = window
        self._batch_limit = batch_limit
        self._overflow = overflow
        self._queue: deque[Waiting] = deque()
        self._ready = threading.Condition()
        self._connection: Connection | None = None
        self._stuck: set[int] = set()
        self.broken: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def size(self) -> int:
        """How many entries are waiting."""
        return len(self._queue)

    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def put(self, waiting: Sequence[Waiting]) -> None:
        """Hand entries to the thread, but for those too many for owners that are stuck."""
        refused: Sequence[Waiting] = ()
        with self._ready:
            if not self.broken:
                self._queue.extend(waiting)
                refused = self._shed()
                self._ready.notify()
                waiting = ()
        _fail(waiting, "the poster died")
        _fail(refused, "the user is busy; send the same key again")

    def _shed(self) -> Sequence[Waiting]:
        """Take entries of stuck owners out of the queue, down to the limit."""
        if not self._stuck:
            return ()
        stuck = [each for each in self._queue if each.entry.owner_id in self._stuck]
        refused = {id(each) for each in stuck[STUCK_LIMIT:]}
        if refused:
            self._queue = deque(each for each in self._queue if id(each) not in refused)
        return stuck[STUCK_LIMIT:]

    def _run(self) -> None:
        batch: Sequence[Waiting] = ()
        try:
            while True:
                batch = self._take()
                busy = self._book(batch, wait=False)
                if busy:
                    self._set_aside(busy)
        except BaseException as error:
            log.exception("the poster died; /readyz fails until the process is restarted")
            with self._ready:
                self.broken = error
            _fail([*batch, *self._queue], "the poster died")

    def _take(self) -> list[Waiting]:
        with self._ready:
            while not self._queue:
                self._ready.wait()
            size = min(len(self._queue), self._batch_limit)
            return [self._queue.popleft() for _ in range(size)]

    def _set_aside(self, busy: Sequence[Waiting]) -> None:
        if self._overflow is not None:
            self._overflow.put(busy)
            return
        # Wait for one owner, then try all again, in turn with those that came meanwhile.
        owner = busy[0].entry.owner_id
        first = [waiting for waiting in busy if waiting.entry.owner_id == owner]
        others = [waiting for waiting in busy if waiting.entry.owner_id != owner]
        still = self._book(first, wait=True)
        (self._stuck.add if still else self._stuck.discard)(owner)
        again = [*others, *still]
        self.put([waiting for waiting in again if not waiting.is_given_up])

    def _book(self, batch: Sequence[Waiting], *, wait: bool) -> Sequence[Waiting]:
        """Post entries and answer their requests; those whose owners are locked are returned."""
        try:
            outcomes = self._call([waiting.entry for waiting in batch], wait=wait)
        except (*AWAY, SQLAlchemyError) as error:
            self._disconnect()
            log.warning(
                "%d entries not booked, the database is away: %s", len(batch), first_line(error)
            )
            for waiting in batch:
                waiting.fail(Unavailable("the database is away; send the same key again"))
            return ()
        busy = []
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if outcome.status == "busy":
                busy.append(waiting)
            else:
                waiting.settle(outcome)
        return busy

    def _call(self, entries: Sequence[Entry], *, wait: bool) -> list[Outcome]:
        if self._connection is None:
            self._connection = self._engine.connect()
            if self._overflow is None:
                self._connection.exec_driver_sql(f"SET lock_timeout = '{LONGEST_WAIT}'")
        self._count(self._name, len(entries))
        with closing(self._connection.connection.cursor()) as cursor:
            return post_isolating(cursor, entries, self._window, wait=wait)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def _fail(entries: Sequence[Waiting], why: str) -> None:
    for waiting in entries:
        waiting.fail(Unavailable(why))


class Poster:
    """The posting lanes of one process, started at the first entry (after a server has forked)."""

    def __init__(
        self,
        engine: Engine,
        window: Window,
        batch_limit: int,
        queue_limit: int,
        count: Count = lambda _lane, _entries: None,
    ) -> None:
        self._lane = partial(
            Lane, engine=engine, window=window, batch_limit=batch_limit, count=count
        )
        self._queue_limit = queue_limit
        self._starting = threading.Lock()
        self._lanes: tuple[Lane, Lane] | None = None

    def post(self, entry: Entry, timeout_s: float = 30) -> Outcome:
        """Book one entry with whatever else is waiting.

        Raises Unavailable (queue full, database away, too slow: the same key may be sent again)
        and InternalError (nothing was written).
        """
        fast, slow = self._started()
        if fast.broken or slow.broken or fast.size() + slow.size() >= self._queue_limit:
            raise Unavailable("too many entries are waiting; send the same key again")
        waiting = Waiting(entry)
        fast.put([waiting])
        return waiting.answer(timeout_s)

    def is_healthy(self) -> bool:
        """False once a lane has died."""
        return self._lanes is None or all(lane.is_alive() for lane in self._lanes)

    def _started(self) -> tuple[Lane, Lane]:
        if self._lanes is None:
            with self._starting:
                if self._lanes is None:
                    slow = self._lane("poster-slow", overflow=None)
                    fast = self._lane("poster", overflow=slow)
                    self._lanes = (fast, slow)
        return self._lanes


def autocommit(engine: Engine) -> Engine:
    """The same pool, each call a transaction of its own."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")
