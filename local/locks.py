"""File locks that the kernel frees when their holder ends, however it ends."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self


class FileLock:
    """An flock on a file of its own, held from `acquire` to `release`.

    Not inherited by programs this process starts. A fork without exec shares it, and the
    lock is free only when both have let go.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def acquire(self, *, shared: bool = False, wait: bool = True) -> bool:
        """Take the lock, or change how it is held; False if it is busy and `wait` is not set."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self._file, mode if wait else mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Let go; harmless when not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def fileno(self) -> int:
        """The open file, for a child that is to share the lock."""
        if self._file is None:
            message = f"{self.path} is not open"
            raise ValueError(message)
        return self._file

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


class ServiceLocks:
    """The files in `var/run` by which the commands using a server find each other."""

    def __init__(self, name: str, var: Path) -> None:
        directory = var / "run"
        self.gate = FileLock(directory / f"{name}.gate")  # held while starting or stopping it
        self.users = FileLock(directory / f"{name}.users")  # shared, by each command using it
        self.keeper = FileLock(directory / f"{name}.keeper")  # by its keeper, all its life
        self.state = directory / f"{name}.json"  # {"keeper": pid, "url"}, the url once it is ready

    def has_keeper(self) -> bool:
        """Whether a keeper lives. To be asked while no keeper can be starting."""
        probe = FileLock(self.keeper.path)
        is_free = probe.acquire(shared=True, wait=False)
        probe.release()
        return not is_free
