"""Files of any length: made on disk first, then sent, whole or not at all.

What fails while a file is made is an answer of its own, a page. While it is sent nothing is read that may
fail, and its length is told before: one that breaks off is seen to, which a web server would hide that
ends an answer of unknown length wherever its source ended. And who takes a file slowly keeps no
connection to the database waiting.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from threading import BoundedSemaphore
from typing import IO

from flask import Response

from portal.ledger.errors import Unavailable
from portal.pages import views

PIECE = 64 * 1024
MOST = 4
"""Long files that a process makes at once: each has a connection, and may need some gigabytes of disk."""

AT_ONCE = 8
"""Files of any length that a process makes at once: each holds a thread that the API may need."""

_slots, _files = BoundedSemaphore(MOST), BoundedSemaphore(AT_ONCE)


def answer(write: Callable[[IO[bytes]], object], media: str, name: str) -> Response:
    """What `write` writes, as a file that is kept under a name.

    Raises Unavailable where as many are being made as may be.
    """
    with _one_of(_files, "many files are being made: try again in a few seconds"):
        file = _made(write)
    response = Response(_pieces(file), mimetype=media)
    response.content_length = file.seek(0, os.SEEK_END)
    response.headers["Content-Disposition"] = f'attachment; filename="dreamland-{name}"'
    return views.private(response)


def _made(write: Callable[[IO[bytes]], object]) -> IO[bytes]:
    file = TemporaryFile()  # noqa: SIM115 - closed by who sends it
    try:
        write(file)
    except BaseException:
        file.close()
        raise
    return file


@contextmanager
def long() -> Iterator[None]:
    """A file is made that may be long. Raises Unavailable where as many are being made as may be."""
    with _one_of(_slots, "several long files are being made: try again once one of them is done"):
        yield


@contextmanager
def _one_of(slots: BoundedSemaphore, otherwise: str) -> Iterator[None]:
    if not slots.acquire(blocking=False):
        raise Unavailable(otherwise)
    try:
        yield
    finally:
        slots.release()


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    """The file from its beginning; closed at its end or where it is dropped."""
    with file:
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece
