"""Runs the Procfile's processes together, with honcho: one ends, all end."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import honcho.manager
from honcho.environ import expand_processes, parse_procfile
from honcho.process import Popen, Process

from local.processes import die_with_parent

KILL_SECONDS = 20  # a web request or a conversion's chunk may finish


class Child(Process):  # type: ignore[misc]  # honcho has no types
    """One process, which also ends when the one that started it is killed."""

    shared: tuple[int, ...] = ()

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:  # noqa: FBT001, FBT002
        """In the process that honcho forks to read the output of the real one."""
        parent = multiprocessing.parent_process()
        if parent and (bind := die_with_parent(signal.SIGKILL, parent=parent.pid or 0)):
            bind()
        self._child_ctor = partial(
            Popen, preexec_fn=die_with_parent(signal.SIGTERM), pass_fds=self.shared
        )
        super().run(events, ignore_signals)


class Supervisor(honcho.manager.Manager):  # type: ignore[misc]  # honcho has no types
    """honcho's manager for one Procfile. Every process keeps the files in `shared` open."""

    def __init__(self, procfile: Path, workers: int, shared: tuple[int, ...]) -> None:
        # Children are forked, so that they are this process's own; newer Pythons would not.
        multiprocessing.set_start_method("fork", force=True)
        super().__init__()
        honcho.manager.KILL_WAIT = KILL_SECONDS
        self._process_ctor = type("Child", (Child,), {"shared": shared})
        self._is_end_delayed = False
        self._watch: Callable[[], None] = lambda: None
        self.first_ended: tuple[str, int] | None = None
        processes = parse_procfile(procfile.read_text()).processes
        for each in expand_processes(processes, {"worker": workers}, dict(os.environ)):
            self.add_process(each.name, each.cmd, env=each.env, cwd=procfile.parent)

    def run(self, watch: Callable[[], None]) -> None:
        """Run all until one ends or a signal comes; `watch` runs beside, on a thread."""
        self._watch = watch
        self.loop()

    def terminate(self) -> None:
        """End all processes. Called on a signal, and when one has ended by itself."""
        ended = [
            (name, each["returncode"])
            for name, each in self._processes.items()
            if "returncode" in each
        ]
        if ended and not self._terminating:
            self.first_ended = ended[0]
        super().terminate()

    def _start(self) -> None:
        super()._start()
        threading.Thread(target=self._watch, daemon=True).start()  # a fork must not meet threads

    def _killall(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - honcho's
        # honcho learns the pids a moment after the start; a signal in that moment has to wait.
        self._is_end_delayed = not super()._all_started()
        if not self._is_end_delayed:
            super()._killall(force)

    def _all_started(self) -> bool:
        """Asked at every turn of honcho's loop."""
        is_started = bool(super()._all_started())
        if is_started and self._is_end_delayed:
            self._killall()
        return is_started
