"""Long files: read in a thread of their own, so that who takes them slowly keeps no database waiting.

Between the thread that reads the books and the one that sends lie a few pieces. A reader who takes none
for a while, or all in all too long, is given up: the connection to the database is free again, and the
download breaks off, as it does where reading fails. The browser says so; it is never a short file that
looks whole.
"""

import logging
import time
from collections.abc import Callable, Iterator
from itertools import chain
from queue import Empty, Full, Queue
from threading import BoundedSemaphore, Thread

from portal.ledger.errors import Unavailable, first_line

log = logging.getLogger(__name__)

PIECE = 64 * 1024
PIECES = 16
"""That may wait to be sent."""
PATIENCE_S = 45
"""For a reader who takes nothing. The database ends a transaction that does nothing for 60 s."""
LONGEST_S = 1800
"""That a file may take."""
MOST = 4
"""Files at once, of a process: each has a connection of its own."""


class BrokenOff(Exception):
    """The file can't be sent to its end."""


class Pipe:
    """What a file is written into, by one thread, while another sends it."""

    def __init__(self) -> None:
        self._pieces: Queue[bytes | BrokenOff | None] = Queue(PIECES)
        self._gathered = bytearray()
        self._until = time.monotonic() + LONGEST_S
        self.is_dropped = False
        """Whether nobody takes it any more."""

    def write(self, piece: bytes) -> None:
        """Add some of the file. Raises BrokenOff where its reader is too slow, or gone."""
        self._gathered += piece
        if len(self._gathered) >= PIECE:
            self.flush()

    def flush(self) -> None:
        """Have all of it sent that was written."""
        if self.is_dropped or time.monotonic() > self._until:
            raise BrokenOff("nobody takes it" if self.is_dropped else f"{LONGEST_S} s are over")
        self._put(bytes(self._gathered))
        self._gathered.clear()

    def end(self, problem: BrokenOff | None = None) -> None:
        """Nothing follows: the file is whole, or broken off."""
        self._put(problem)

    def _put(self, piece: bytes | BrokenOff | None) -> None:
        try:
            self._pieces.put(piece, timeout=PATIENCE_S)
        except Full:
            raise BrokenOff(f"its reader took nothing for {PATIENCE_S} s") from None

    def take(self, writer: Thread) -> bytes | None:
        """The next piece, None after the last. Raises BrokenOff where none will come."""
        while True:
            try:
                piece = self._pieces.get(timeout=1)
            except Empty:
                if not writer.is_alive() and self._pieces.empty():
                    raise BrokenOff("who wrote it gave up") from None
                continue
            if isinstance(piece, BrokenOff):
                raise piece
            return piece


_slots = BoundedSemaphore(MOST)


def piped(write: Callable[[Pipe], None]) -> Iterator[bytes]:
    """What `write` writes, sent while it writes, which it does in a thread of its own.

    The first piece is there before this returns: what fails until then is raised. Raises Unavailable
    where as many are being sent already as may be.
    """
    if not _slots.acquire(blocking=False):
        raise Unavailable("several long files are being sent: try again once one of them is done")
    pipe = Pipe()
    writer = Thread(target=_work, args=(pipe, write), name="file", daemon=True)
    writer.start()
    pieces = _sent(pipe, writer)
    return chain([next(pieces)], pieces)


def _work(pipe: Pipe, write: Callable[[Pipe], None]) -> None:
    try:
        write(pipe)
        pipe.flush()
        pipe.end()
    except BrokenOff as gone:
        log.warning("a file was not sent to its end: %s", gone)
    except Exception as error:
        log.exception("a file broke off")
        pipe.end(BrokenOff(first_line(error)))
    finally:
        _slots.release()


def _sent(pipe: Pipe, writer: Thread) -> Iterator[bytes]:
    """Each piece; however it ends, the writer hears of it."""
    try:
        while (piece := pipe.take(writer)) is not None:
            yield piece
    finally:
        pipe.is_dropped = True
