"""The services a command needs: those given by DATABASE_URL and REDIS_URL, else embedded ones.

Commands on the same VAR_DIR share the embedded ones. The first starts them, the last to
end stops them, and none can stop them under another.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from local.errors import LocalError, plain_io_errors
from local.locks import ServiceLocks
from local.processes import wait_until

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 5  # a start that takes longer says what it is doing
START_SECONDS = 600
STOP_SECONDS = 150
ADVICE = "Start that server, correct the URL, or unset it to use an embedded one."

VARIABLES = {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}


def var_directory() -> Path:
    """Where data, logs and locks live: VAR_DIR, else `var` in the checkout."""
    given = os.environ.get("VAR_DIR")
    return Path(given).absolute() if given else ROOT / "var"


class SharedService:
    """This command's use of one embedded server: `begin`, then `wait`, at last `release`."""

    def __init__(self, name: str, var: Path) -> None:
        self.name, self.var = name, var
        self._log = var / "log" / f"{name}.log"
        self._locks = ServiceLocks(name, var)
        self._keeper: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Count this command in, and set a keeper to work if there is none."""
        self._locks.gate.acquire()
        self._locks.users.acquire(shared=True)
        if not self._locks.has_keeper():
            self._start_keeper()

    def wait(self) -> str:
        """The server's URL, once it is ready."""
        try:
            state = self._first_answer() if self._keeper else self._wait_for_state()
        finally:
            self._locks.gate.release()
        if "url" not in state:
            reason = state.get("error") or f"{self.name} ended at its start: see {self._log}"
            raise LocalError(str(reason))
        return str(state["url"])

    def release(self) -> None:
        """Count this command out; the last one waits until the server has stopped."""
        with self._locks.gate:
            is_last = self._locks.users.acquire(wait=False)
            if is_last and self.is_up():
                with suppress(ProcessLookupError, KeyError):
                    os.kill(int(str(self._state()["keeper"])), signal.SIGTERM)
                wait_until(lambda: not self.is_up(), STOP_SECONDS, pause=0.01)
            self._locks.users.release()
        if is_last and self._keeper:
            self._keeper.wait()

    def is_up(self) -> bool:
        """Whether the server still runs; its keeper ends when it does."""
        return self._locks.has_keeper()

    def _start_keeper(self) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as errors:
            self._keeper = subprocess.Popen(
                [sys.executable, "-m", "local.keeper", self.name, str(self.var)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is for the command, not for the server
            )

    def _state(self) -> dict[str, object]:
        try:
            return dict(json.loads(self._locks.state.read_text()))
        except FileNotFoundError:
            return {}

    def _wait_for_state(self) -> dict[str, object]:
        """The state of a running keeper; its starter may have left before it was ready."""
        wait_until(lambda: "url" in self._state() or not self.is_up(), START_SECONDS)
        return self._state()

    def _first_answer(self) -> dict[str, object]:
        if self._keeper is None or self._keeper.stdout is None:
            return {}
        with self._keeper.stdout as answers:
            if not select.select([answers], [], [], PATIENCE_SECONDS)[0]:
                print(f"{self.name} is taking its time (see {self._log})…", file=sys.stderr)
            line = answers.readline()
        return dict(json.loads(line)) if line else {}


class Environment:
    """The URLs in use, by service, and whether the embedded servers still run."""

    def __init__(self, var: Path, urls: dict[str, str], embedded: list[SharedService]) -> None:
        self.var = var
        self.urls = urls
        self._embedded = embedded

    def missing_service(self) -> str | None:
        """The name of an embedded server that has ended though it is in use."""
        return next((service.name for service in self._embedded if not service.is_up()), None)


@contextmanager
def environment(var: Path | None = None) -> Iterator[Environment]:
    """Have PostgreSQL and Redis up, with VAR_DIR, DATABASE_URL and REDIS_URL set for children."""
    var = var or var_directory()
    given = {name: os.environ.get(variable) or "" for name, variable in VARIABLES.items()}
    for name, url in given.items():
        if url:
            check_reachable(name, url)
    with ExitStack() as stack:
        embedded = [SharedService(name, var) for name, url in given.items() if not url]
        with plain_io_errors(var):
            urls = given | _start(embedded, stack)
        os.environ["VAR_DIR"] = str(var)
        os.environ.update({VARIABLES[name]: url for name, url in urls.items()})
        yield Environment(var, urls, embedded)


def _start(services: list[SharedService], stack: ExitStack) -> dict[str, str]:
    """Start all at once, then wait for each, so that no gate stays closed."""
    for service in services:
        service.begin()
        stack.callback(service.release)
    urls, failures = {}, []
    for service in services:
        try:
            urls[service.name] = service.wait()
        except LocalError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return urls


def check_reachable(name: str, url: str, advice: str = ADVICE) -> None:
    """One clear line if the server that a variable names does not answer."""
    from local import reachable  # noqa: PLC0415 - imports the drivers

    check = reachable.check_database if name == "postgres" else reachable.check_redis
    try:
        check(url)
    except reachable.UnreachableError as error:
        place = f"{VARIABLES[name]} ({reachable.without_secrets(url)})"
        raise LocalError(f"{place} cannot be reached: {error}. {advice}") from error
