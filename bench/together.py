"""Runs the same work in several processes at once and tells how long all of it took."""

import multiprocessing
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from typing import Any

from bench.machine import watched

START_SECONDS = 300

Work = Callable[[], Any]
Prepare = Callable[..., Work]
"""Gets ready (connects, renders requests) and answers the work that is measured."""

_start: Barrier


@dataclass(frozen=True, slots=True)
class Done:
    """What each process answered, and the seconds from the first one's start to the last's end.

    `others` is the part of the machine that other programs had meanwhile.
    """

    answers: Sequence[Any]
    seconds: float
    others: float


def together(prepare: Prepare, arguments: Sequence[tuple[Any, ...]]) -> Done:
    """A process for each of `arguments`; all start to work when the last one is ready."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(len(arguments))
    with watched() as share, context.Pool(len(arguments), _begin, (barrier,)) as pool:
        done = pool.starmap(_work, [(prepare, each) for each in arguments], chunksize=1)
    seconds = max(ended for _, _, ended in done) - min(began for _, began, _ in done)
    return Done([answer for answer, _, _ in done], seconds, share.others)


def _begin(barrier: Barrier) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the bench, which ends these
    global _start  # noqa: PLW0603 - a barrier can only be handed over at a process's start
    _start = barrier


def _work(prepare: Prepare, arguments: tuple[Any, ...]) -> tuple[Any, float, float]:
    """One clock serves all processes of a machine."""
    work = prepare(*arguments)
    _start.wait(START_SECONDS)
    began = time.monotonic()
    answer = work()
    return answer, began, time.monotonic()
