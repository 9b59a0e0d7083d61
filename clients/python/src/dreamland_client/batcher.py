"""A stream of wins, sent in batches from threads of its own, in order for each user, none dropped.

Wins wait in bounded queues: a caller that is faster than the server waits too. A batch that got no
answer is sent again with its keys. What can't go on (a key that was revoked, a server away for longer
than `patience_s`, a callback that raises) stops it: the next call and `close` raise BatcherFailed,
which has every win that was not seen to.
"""

import atexit
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType

from dreamland_client.answers import Result
from dreamland_client.errors import DreamlandError
from dreamland_client.new_win import NewWin
from dreamland_client.retries import Retries
from dreamland_client.values import AmountLike

Book = Callable[[Sequence[NewWin], Retries | None], tuple[Result, ...]]
OnResult = Callable[[NewWin, Result], object]


@dataclass(frozen=True)
class Limits:
    """How a batcher works. `on_result` is called by `senders` threads, one user's by one of them."""

    max_items: int = 500
    max_wait_s: float = 0.05
    max_bytes: int = 900_000
    """Of a batch: the server takes no more than 1 MiB."""
    capacity: int = 10_000
    """Wins that wait or are on their way, in all."""
    senders: int = 1
    patience_s: float = 900.0
    """How long a batch is sent again before the batcher gives up."""

    def __post_init__(self) -> None:
        if not 1 <= self.max_items <= 1000 or self.senders < 1 or self.capacity < self.senders:
            raise ValueError("1 to 1,000 wins a batch, 1 or more senders, capacity for each")

    def retries(self) -> Retries:
        """Those of a batch: as long as patience lasts."""
        return Retries(attempts=2**31, deadline_s=self.patience_s)


class BatcherFailed(DreamlandError):
    """It stopped. `unfinished` are the wins whose result no callback took, in order for each user.

    Some of them may be booked: send them again with their keys. `__cause__` is why it stopped.
    """

    def __init__(self, message: str, unfinished: Sequence[NewWin] = ()) -> None:
        super().__init__(message)
        self.unfinished = tuple(unfinished)


class Batcher:
    """Made by `Dreamland.batcher`. Use it in a `with` block, or call `close`."""

    def __init__(self, book: Book, on_result: OnResult, limits: Limits) -> None:
        self._lanes = [_Lane(book, on_result, limits) for _ in range(limits.senders)]
        atexit.register(self.close)  # a program that forgets to close it loses nothing either

    def win(
        self,
        *,
        user_id: str,
        amount: AmountLike,
        occurred_at: datetime,
        game: str,
        reference: str,
        idempotency_key: str,
    ) -> None:
        """Take a win in; waits while there is no room. Raises BatcherFailed once it has stopped."""
        self.add(NewWin(user_id, amount, occurred_at, game, reference, idempotency_key))

    def add(self, win: NewWin) -> None:
        """The same, of a win that was made before."""
        lane = self._lanes[zlib.crc32(win.user_id.encode()) % len(self._lanes)]
        # A callback that adds a win must not wait for itself to make room.
        is_callback = any(each.is_current() for each in self._lanes)
        if not lane.put(win, waits=not is_callback):
            self._raise()

    def flush(self) -> None:
        """Wait until every win taken in so far was seen to. Raises BatcherFailed."""
        self._wait(None, is_end=False)

    def close(self, timeout: float | None = None) -> None:
        """Send what waits, and end. Raises BatcherFailed where a win was not seen to in time."""
        atexit.unregister(self.close)
        self._wait(timeout, is_end=True)

    def __enter__(self) -> "Batcher":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    def _wait(self, timeout: float | None, *, is_end: bool) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        for lane in self._lanes:
            lane.hurry(is_end=is_end)
        late = not all(lane.wait(end) for lane in self._lanes)
        if late or any(lane.error for lane in self._lanes):
            self._raise("time ran out before every win was seen to" if late else "")

    def _raise(self, why: str = "") -> None:
        cause = next((lane.error for lane in self._lanes if lane.error), None)
        if not cause and not why:
            raise ValueError("the batcher is closed")
        for lane in self._lanes:
            lane.hurry(is_end=True)
        if not why:  # the lanes that did not fail finish what they have
            for lane in self._lanes:
                lane.wait(None)
        unfinished = [win for lane in self._lanes for win in lane.unfinished()]
        count = f"{len(unfinished):,} wins were not seen to"
        raise BatcherFailed(f"{why or f'stopped by {cause!r}'}; {count}", unfinished) from cause


class _Lane:
    """A queue and the thread that empties it. One batch is on its way at a time: order is kept."""

    def __init__(self, book: Book, on_result: OnResult, limits: Limits) -> None:
        self._book = book
        self._on_result = on_result
        self._limits = limits
        self._capacity = max(limits.capacity // limits.senders, 1)
        self._changed = threading.Condition()
        self._waiting: deque[NewWin] = deque()
        self._on_its_way: deque[NewWin] = deque()
        self._is_ending = False
        self._is_hurried = False
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="dreamland-batcher", daemon=True)
        self._thread.start()

    def is_current(self) -> bool:
        """Whether it is this lane's thread that asks."""
        return threading.current_thread() is self._thread

    def put(self, win: NewWin, *, waits: bool) -> bool:
        """Take a win in, when there is room; False when no more are taken."""
        with self._changed:
            if waits:
                self._changed.wait_for(lambda: self._is_over() or self._has_room())
            if self._is_over():
                return False
            self._waiting.append(win)
            self._changed.notify_all()
            return True

    def hurry(self, *, is_end: bool) -> None:
        """Send what waits without waiting for more; take no more if it is the end."""
        with self._changed:
            self._is_hurried = True
            self._is_ending = self._is_ending or is_end
            self._changed.notify_all()

    def wait(self, end: float | None) -> bool:
        """Wait until nothing is left, or it failed; False when time ran out."""
        left = None if end is None else max(end - time.monotonic(), 0)
        with self._changed:
            return self._changed.wait_for(lambda: self._is_empty() or bool(self.error), left)

    def unfinished(self) -> list[NewWin]:
        """Whose result no callback took, in order."""
        with self._changed:
            return [*self._on_its_way, *self._waiting]

    def _is_over(self) -> bool:
        return self._is_ending or self.error is not None

    def _has_room(self) -> bool:
        return len(self._waiting) + len(self._on_its_way) < self._capacity

    def _is_empty(self) -> bool:
        return not self._waiting and not self._on_its_way

    def _run(self) -> None:
        try:
            while self._take():
                self._deliver()
        except BaseException as error:  # noqa: BLE001 - told to whoever calls next
            with self._changed:
                self.error = error
                self._changed.notify_all()

    def _take(self) -> bool:
        """Fill the next batch: when it is full, or the first win has waited, or there is a hurry."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_ending)
            self._changed.wait_for(self._is_full_or_hurried, self._limits.max_wait_s)
            size = 0
            while self._waiting and len(self._on_its_way) < self._limits.max_items:
                size += len(self._waiting[0].line) + 1
                if self._on_its_way and size > self._limits.max_bytes:
                    break
                self._on_its_way.append(self._waiting.popleft())
            return bool(self._on_its_way)

    def _is_full_or_hurried(self) -> bool:
        is_full = len(self._waiting) >= self._limits.max_items
        return is_full or self._is_hurried or self._is_ending

    def _deliver(self) -> None:
        batch = list(self._on_its_way)
        for win, result in zip(batch, self._book(batch, self._limits.retries()), strict=True):
            self._on_result(win, result)
            with self._changed:
                self._on_its_way.popleft()
                if not self._on_its_way:
                    self._is_hurried = self._is_hurried and bool(self._waiting)
                    self._changed.notify_all()
