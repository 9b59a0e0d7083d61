"""What processes need from the system: dying with a parent, being waited for, being found."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(how: signal.Signals, parent: int = 0) -> Callable[[], None] | None:
    """For `Popen(preexec_fn=…)`: the child gets signal `how` when its parent ends, even by SIGKILL.

    The parent is this process, unless `parent` is its pid: then the function is for this one.

    None off Linux, where the next start finds what was left. None on a thread other than the
    main one as well: the kernel means the parent *thread*, and a short-lived one would take
    the child with it.
    """
    libc = _libc
    if libc is None or threading.current_thread() is not threading.main_thread():
        return None
    parent = parent or os.getpid()

    def before_exec() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(how))
        if os.getppid() != parent:  # it ended before the line above
            os.kill(os.getpid(), how)

    return before_exec


def adopt_orphans() -> None:
    """Become the parent of whatever descendants' deaths leave behind, so that it can be ended."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def children() -> set[int]:
    """The pids of this process's own children."""
    import psutil  # noqa: PLC0415 - costs 20 ms that a command line need not pay

    return {child.pid for child in psutil.Process().children()}


def end_descendants(besides: set[int], seconds: float = 5) -> None:
    """Kill all that still runs below this process, but for some children and theirs.

    Only for a process that adopted orphans: else it does not see them.
    """
    import psutil  # noqa: PLC0415 - as above

    tops = [child for child in psutil.Process().children() if child.pid not in besides]
    left = tops + [each for top in tops for each in top.children(recursive=True)]
    for process in left:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(left, timeout=seconds)


def is_running(pid: int, mentioning: Path) -> bool:
    """Whether process `pid` is alive and has `mentioning` in its command line.

    The second half matters: a pid that a file remembers may by now be another program's.
    """
    import psutil  # noqa: PLC0415 - as above

    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and any(
            str(mentioning) in word for word in process.cmdline()
        )
    except psutil.Error:
        return False


def pid_exists(pid: int) -> bool:
    """Whether any process has this pid."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def wait_until(is_done: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Ask until `is_done` says yes (True) or the time is over (False)."""
    deadline = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
