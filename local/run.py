"""bin/run: brings up Dreamland on this machine, and takes all of it down again.

Services, migrations and the seed come first, then the Procfile's processes. Settings, all
from the environment: PORT (5000), HOST (127.0.0.1), VAR_DIR (var), DATABASE_URL, REDIS_URL,
WORKERS (2) for jobs, WEB_WORKERS (2) and WEB_THREADS (32) for the web, PUBLIC_URL (where it listens).
"""

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from local import demo
from local.environment import ROOT, Environment, environment, var_directory
from local.errors import LocalError, complain, plain_io_errors, run_command
from local.locks import FileLock
from local.modules import check_modules
from local.processes import adopt_orphans, children, end_descendants, pid_exists, wait_until
from local.ready import wait_until_ready
from local.supervise import Supervisor

NAME = "bin/run"
LEFTOVER_SECONDS = 30  # for the processes of a killed bin/run to end
LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Settings:
    """Where to listen, and how many job workers to run."""

    host: str
    port: int
    workers: int

    @property
    def base(self) -> str:
        """The address to open on this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "") else self.host  # noqa: S104 - compared
        return f"http://{host}:{self.port}"


def settings() -> Settings:
    """Read and check the settings; children read the same ones."""
    port, workers = _number("PORT", 5000, 65_535), _number("WORKERS", 2, 64)
    _number("WEB_WORKERS", 2, 64)
    _number("WEB_THREADS", 32, 512)
    os.environ["PORT"] = str(port)
    chosen = Settings(os.environ.setdefault("HOST", "127.0.0.1"), port, workers)
    os.environ.setdefault("PUBLIC_URL", chosen.base)
    return chosen


def _number(name: str, default: int, largest: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= largest:
        raise LocalError(f"{name} is {text!r}: set it to a number from 1 to {largest}.")
    return int(text)


def main() -> int:
    """Check, start, announce, and stop in order."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    check_modules()
    chosen, var = settings(), var_directory()
    lock = FileLock(var / "run" / "bin-run.lock")
    with plain_io_errors(var):
        _only_one(lock)
    check_port(chosen)
    adopt_orphans()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_emptied(var / "run" / "metrics"))
    with environment(var) as services:
        _prepare(services)
        status = _supervise(services, chosen, lock, began)
    print("Stopped." if status == 0 else "Stopped after a failure.", flush=True)
    return status


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _only_one(lock: FileLock) -> None:
    """Hold this directory's run lock, which the processes of a bin/run all hold.

    Those of a killed one are ending by themselves: wait for them.
    """
    if not lock.acquire(wait=False):
        text = lock.path.read_text().strip()
        if text.isdecimal() and pid_exists(int(text)):
            raise LocalError(f"already running here (process {text}): stop that one first.")
        print("Waiting for the processes of a killed bin/run to end…", file=sys.stderr)
        if not wait_until(lambda: lock.acquire(wait=False), LEFTOVER_SECONDS, pause=0.1):
            message = f"processes of a killed bin/run still hold {lock.path}"
            raise LocalError(f"{message}: end them, or set VAR_DIR to another directory.")
    lock.path.write_text(f"{os.getpid()}\n")


def check_port(chosen: Settings) -> None:
    """Granian would share a port that another Granian holds: so ask the system first."""
    family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((chosen.host, chosen.port))
        except OSError as error:
            where = f"{chosen.host} port {chosen.port}"
            if error.errno == errno.EADDRINUSE:
                where = f"{where} is taken by another program: stop it, or set PORT to another one."
                raise LocalError(where) from error
            reason = error.strerror or str(error)
            raise LocalError(f"cannot listen on {where}: {reason}. Check HOST and PORT.") from error


def _emptied(directory: Path) -> Path:
    """A directory for the counts of the web's processes, without those of the last run."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def _prepare(services: Environment) -> None:
    """Migrate, then seed; both do nothing when it has been done."""
    for doing, arguments in (("Migrating", ["db", "upgrade"]), ("Seeding", ["seed"])):
        began = time.monotonic()
        print(f"{doing}…", end=" ", flush=True)
        log = services.var / "log" / f"{arguments[-1]}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
            done = subprocess.run(command, cwd=ROOT, stdout=output, stderr=output, check=False)
        if done.returncode:
            print("failed.", flush=True)
            said = log.read_text(errors="replace").split("\n")
            last = next((line for line in reversed(said) if line.strip()), "nothing").strip()
            raise LocalError(f"flask {' '.join(arguments)} failed: {last} (all of it: {log})")
        print(f"{time.monotonic() - began:.1f} s", flush=True)


def _supervise(services: Environment, chosen: Settings, lock: FileLock, began: float) -> int:
    """Run the Procfile until something ends or the user does; the exit status."""
    services_children = children()
    supervisor = Supervisor(ROOT / "Procfile", chosen.workers, shared=(lock.fileno(),))
    watcher = Watcher(services, chosen, began)
    try:
        supervisor.run(watcher.watch)
    finally:
        watcher.is_over.set()
        end_descendants(besides=services_children)
    if watcher.problem:
        return complain(NAME, watcher.problem)
    if supervisor.first_ended:
        name, status = supervisor.first_ended
        return complain(NAME, f"{name} ended by itself with status {status}: see its lines above.")
    return 0


class Watcher:
    """Waits for the app to be ready, says so, and from then on looks after the services."""

    def __init__(self, services: Environment, chosen: Settings, began: float) -> None:
        self._services, self._chosen, self._began = services, chosen, began
        self.problem: str | None = None
        self.is_over = threading.Event()
        """Set before the services are let go: that they end then is no problem."""

    def watch(self) -> None:
        """Runs on a thread; on a problem it stops the supervisor as a signal would."""
        try:
            wait_until_ready(self._chosen.base)
            self._announce()
            while not (ended := self._services.missing_service()):
                if self.is_over.wait(LOOK_SECONDS):
                    return
            self.problem = f"{ended} ended by itself: see {self._services.var}/log/{ended}.log"
        except LocalError as error:
            self.problem = str(error)
        os.kill(os.getpid(), signal.SIGTERM)

    def _announce(self) -> None:
        found = demo.set_base(self._services.var, self._chosen.base)
        seconds = time.monotonic() - self._began
        told = [f"Dreamland is ready at {self._chosen.base} after {seconds:.1f} s", ""]
        told += [f"  {line}" for line in demo.lines(found)]
        told += ["", f"The same is in {self._services.var}/demo.json. Ctrl-C stops everything."]
        print("\n" + "\n".join(told) + "\n", flush=True)


if __name__ == "__main__":
    run_command(NAME, main)
