"""Programs of this project, run for real: started with a test's settings, watched, and killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil

from config import Settings
from local.processes import die_with_parent

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 30.0

T = TypeVar("T")


def eventually(what: str, ask: Callable[[], T], seconds: float = PATIENCE_S) -> T:
    """Ask until the answer is a true one and give it; the test fails with `what` if it never is."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still not: {what}; last answer: {answer!r}")
        time.sleep(0.005)
    return answer


class Program:
    """One process and what it started. Its output is in `log`."""

    def __init__(self, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - it takes no lock
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def children(self) -> list[psutil.Process]:
        """What it started and what those started."""
        try:
            return psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """SIGKILL, for it and all it started, none of which can do anything more meanwhile."""
        if self.is_alive():
            os.kill(self.pid, signal.SIGSTOP)  # it can't fork while its children are looked up
            below = self.children()
            os.kill(self.pid, signal.SIGKILL)
            self._process.wait()
            for child in below:
                with_pid_gone(child.kill)
            eventually("all it started has ended", lambda: all(map(has_ended, below)))

    def stop(self) -> int:
        """SIGTERM, as an operator sends it; the exit status."""
        if self.is_alive():
            self._process.terminate()
        return self._process.wait(PATIENCE_S)


def has_ended(process: psutil.Process) -> bool:
    """Whether a process does nothing any more, though its parent may not have noticed."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def with_pid_gone(act: Callable[[], object]) -> None:
    """Act on a process that may have ended."""
    try:
        act()
    except psutil.NoSuchProcess:
        return


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """The environment of a program that works with these settings, and with some more."""
    ours = {
        "DREAMLAND_ENV": settings.environment,
        "DATABASE_URL": settings.database_url.replace("+psycopg2", ""),
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
        "VAR_DIR": str(settings.var_dir),
        "RATE_SOURCE": settings.rate_source,
        "RATE_URL": settings.rate_url,
        "RATE_TIMEOUT_SECONDS": str(settings.rate_timeout_s),
        "RATE_ATTEMPTS": str(settings.rate_attempts),
        "RATE_BACKOFF_SECONDS": str(settings.rate_backoff_s),
        "CONVERSION_CHUNK_USERS": str(settings.chunk_users),
        "POST_QUEUE_LIMIT": str(settings.queue_limit),
        "RATE_LIMIT_PER_MINUTE": str(settings.rate_limit_per_minute),
        "METRICS_PORT": str(settings.metrics_port),
        "MAIL_URL": settings.mail_url,
        "PUBLIC_URL": settings.public_url,
        "IMPORT_MAX_UNFINISHED": str(settings.import_max_unfinished),
        "PYTHONPATH": str(ROOT),
        "PYTHONSAFEPATH": "1",
        "TZ": "UTC",
    }
    return dict(os.environ) | ours | more


class Programs:
    """Starts programs with one test's settings; none outlives the test."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self._settings = settings
        self._directory = directory
        self._started: list[Program] = []

    def start(self, *arguments: str, **more: str) -> Program:
        """`python …` with the settings and some more variables."""
        log = self._directory / f"program-{len(self._started)}.log"
        program = Program(list(arguments), environment(self._settings, **more), log)
        self._started.append(program)
        return program

    def said(self) -> str:
        """What all of them wrote, for the report of a test that failed."""
        return "\n".join(
            f"--- {program.log.name}\n{program.said()[-8000:]}" for program in self._started
        )

    def said_about(self, word: str, lines: int = 60) -> str:
        """What was written from the first mention of a word on, in all logs."""
        found = (program.said().partition(word) for program in self._started)
        return "\n".join("\n".join((w + rest).split("\n")[:lines]) for _, w, rest in found if w)

    def kill_all(self) -> None:
        for program in self._started:
            program.kill()


@contextmanager
def programs_for(settings: Settings, directory: Path) -> Iterator[Programs]:
    """Programs that end with the block; what they said is printed, and shown if the test fails."""
    made = Programs(settings, directory)
    try:
        yield made
    finally:
        made.kill_all()
        print(made.said())
