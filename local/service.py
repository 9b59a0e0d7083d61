"""What an embedded PostgreSQL and an embedded Redis have in common: one server process.

A server belongs to the process that started it, which holds a lock beside its directory;
commands that want to share one go through `local.environment`.
"""

import abc
import hashlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from local.errors import LocalError, missing_module
from local.locks import FileLock
from local.processes import die_with_parent, is_running, wait_until

START_SECONDS = 600  # recovery after a crash replays up to max_wal_size of log
STOP_SECONDS = 120
RETRY_SECONDS = 15  # for the last children of a killed server to be gone
LOG_BYTES = 50_000_000  # a longer log starts anew, the old one kept as .1
SOCKET_PATH_BYTES = 103  # the shortest limit among systems, without the closing NUL


class Service(abc.ABC):
    """One server on a directory of its own: `start() -> url`, `stop()`, `restart()`."""

    name: ClassVar[str]  # as people write it
    socket_name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]
    crash_signal: ClassVar[signal.Signals]

    def __init__(self, data: Path, log: Path | None = None) -> None:
        self.data = data.resolve()
        self.log = log or self.data.parent / "log" / f"{self.data.name}.log"
        self._claim = FileLock(self.data.with_name(f"{self.data.name}.lock"))
        self._process: subprocess.Popen[bytes] | None = None

    # What each server does in its own way.

    @property
    @abc.abstractmethod
    def url(self) -> str:
        """Where clients connect; valid before the start too, and the same after a restart."""

    @abc.abstractmethod
    def _prepare(self) -> None:
        """Make directories and configuration."""

    @abc.abstractmethod
    def _command(self) -> list[str]:
        """The program and its arguments."""

    @abc.abstractmethod
    def _recorded_pid(self) -> int | None:
        """The pid in the server's own pid file."""

    @abc.abstractmethod
    def _is_ready(self) -> bool:
        """Whether the process just started takes connections."""

    def _as_account(self) -> dict[str, Any]:
        return {}

    # What they do alike.

    @property
    def pid(self) -> int | None:
        """The server's process, None when it does not run."""
        pid = self._recorded_pid()
        return pid if pid and is_running(pid, self.data) else None

    def is_running(self) -> bool:
        """Whether the server's process is alive, whoever started it."""
        return self.pid is not None

    def start(self) -> str:
        """Start the server, recover it if it was killed, and return its URL when it is ready."""
        if self._process is not None and self._process.poll() is None:
            return self.url
        if not self._claim.acquire(wait=False):
            message = f"{self.name} on {self.data} is in use by another process: stop that first."
            raise LocalError(message)
        try:
            self._start()
        except BaseException:
            self.stop(immediate=True)
            raise
        return self.url

    def stop(self, *, immediate: bool = False) -> None:
        """Stop in order, with all data on disk; `immediate` is a crash, for tests of recovery."""
        if not self._end(self.crash_signal if immediate else self.stop_signal):
            self.kill()
        if self.socket_directory != self.data:
            with suppress(OSError):
                self.socket_directory.rmdir()
        self._claim.release()

    def kill(self) -> None:
        """End the server as a lack of memory would (SIGKILL); `start` recovers it."""
        self._end(signal.SIGKILL)

    def restart(self, *, immediate: bool = False) -> str:
        """Stop and start again, on the same URL."""
        self.stop(immediate=immediate)
        return self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _start(self) -> None:
        self._prepare()
        is_recovering = self._end_leftover()
        self._launch()
        while not wait_until(lambda: self._has_ended() or self._is_ready(), START_SECONDS):
            raise LocalError(f"{self.name} was not ready after {START_SECONDS} s: see {self.log}")
        if self._has_ended() and is_recovering:
            wait_until(self._try_again, RETRY_SECONDS, pause=0.3)
        if self._has_ended():
            raise LocalError(f"{self.name} did not start: {self._last_words()} (see {self.log})")

    def _try_again(self) -> bool:
        self._launch()
        wait_until(lambda: self._has_ended() or self._is_ready(), START_SECONDS)
        return not self._has_ended()

    def _launch(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                start_new_session=True,  # Ctrl-C is for whoever started this, not for the server
                preexec_fn=die_with_parent(self.stop_signal),
                **self._as_account(),
            )

    def _end(self, how: signal.Signals) -> bool:
        """Send the signal and wait; whether the server has ended."""
        if (pid := self.pid) is not None:
            os.kill(pid, how)
            if not wait_until(lambda: not self._is_alive(pid), STOP_SECONDS):
                return False
        if self._process is not None:
            self._process.kill()  # does nothing to one that has ended; one not ready has no pid file
            self._process.wait()
            self._process = None
        return True

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _is_alive(self, pid: int) -> bool:
        if self._process is not None and self._process.pid == pid:
            return self._process.poll() is None
        return is_running(pid, self.data)

    def _end_leftover(self) -> bool:
        """End a server whose starter was killed; whether there was a trace of one.

        Holding the claim, nobody else can have started it on purpose.
        """
        recorded = self._recorded_pid()
        if (pid := self.pid) is not None:
            os.kill(pid, self.stop_signal)
            wait_until(lambda: not is_running(pid, self.data), STOP_SECONDS)
        return recorded is not None

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-40:]
        telling = [line for line in lines if "FATAL" in line or "# " in line or "PANIC" in line]
        return (telling or lines or ["it said nothing"])[-1].strip()

    @property
    def socket_directory(self) -> Path:
        """Where the server's socket is: in its directory, or in one with a shorter path.

        Nobody but the server's account can enter either, so nobody else can connect.
        """
        for directory in self._socket_directories():
            if len(os.fsencode(directory / self.socket_name)) <= SOCKET_PATH_BYTES:
                return directory
        raise LocalError(f"the path {self.data} is too long for a socket, and TMPDIR's is too.")

    def _socket_directories(self) -> Iterator[Path]:
        yield self.data
        short = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        for temporary in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - owner checked below
            yield Path(temporary) / f"dreamland-{short}"


def make_private(directory: Path, owner: int) -> None:
    """Make a directory that only its owner enters; refuse one that somebody else made."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.lstat()
    if found.st_uid == os.geteuid() != owner:
        os.chown(directory, owner, -1, follow_symlinks=False)
    elif found.st_uid != owner:
        raise LocalError(
            f"{directory} belongs to another user: set VAR_DIR, or start as that user."
        )
    directory.chmod(0o700)


def package_directory(package: str) -> Path:
    """Where an installed package is, without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise LocalError(missing_module(package))
    return Path(spec.submodule_search_locations[0])
