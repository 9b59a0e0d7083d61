"""Whose the processors were: a figure taken while others worked on the machine is not the app's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil


@dataclass(slots=True)
class Share:
    """The part of all processors' time that went to programs other than this bench's, 0 to 1."""

    others: float = 0.0


@contextmanager
def watched() -> Iterator[Share]:
    """Watch over a stretch of work. A database server elsewhere counts among the others."""
    share = Share()
    before = _times()
    yield share
    after = _times()
    total, busy, ours = (now - then for now, then in zip(after, before, strict=True))
    share.others = max(0.0, busy - ours) / total if total else 0.0


def _times() -> tuple[float, float, float]:
    """Seconds of processors so far: in all, at work, and at work for this process and its descendants."""
    every = psutil.cpu_times()
    total = sum(every[:8]) if os.name == "posix" else sum(every)
    idle = every.idle + getattr(every, "iowait", 0.0)
    ours = 0.0
    mine = psutil.Process()
    for process in (mine, *mine.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            ours += sum(process.cpu_times()[:4])  # its own, and those of children that ended
    return total, total - idle, ours
