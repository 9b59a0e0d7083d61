"""Keeps one embedded server up for as long as any command uses it, then stops it.

`local.environment` starts a keeper; the server is the keeper's child. Each command using
the server holds a shared lock, which the kernel takes back however the command ends, so
the last one to go is noticed even when it was killed.
"""

import json
import os
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from local.errors import LocalError, missing_module, plain_io_errors
from local.locks import ServiceLocks
from local.postgres import Postgres
from local.redis import Redis
from local.service import Service

LOOK_SECONDS = 1.0
DATABASE = "dreamland"

SERVICES: dict[str, Callable[[Path], Service]] = {
    "postgres": lambda var: Postgres(var / "postgres", database=DATABASE),
    "redis": lambda var: Redis(var / "redis"),
}


def main() -> NoReturn:
    """`python -m local.keeper NAME VAR`: answers one line of JSON on stdout, then stays."""
    name, var = sys.argv[1], Path(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    locks = ServiceLocks(name, var)
    locks.keeper.acquire()
    _write(locks.state, {"keeper": os.getpid()})
    service = _start(name, var)
    try:
        state = {"keeper": os.getpid(), "url": service.url}
        _write(locks.state, state)
        _answer(state)
        _keep(locks, service)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is stopping already
        service.stop()
        locks.state.unlink(missing_ok=True)
        # Before the gate, which opens when this process ends: who waits there must see no keeper.
        locks.keeper.release()
    sys.exit(0)


def _start(name: str, var: Path) -> Service:
    """Start the server, or answer why not and exit."""
    try:
        with plain_io_errors(var):
            service = SERVICES[name](var)
            service.start()
    except LocalError as error:
        _answer({"error": str(error)})
    except ModuleNotFoundError as error:
        _answer({"error": missing_module(error.name or str(error))})
    else:
        return service
    sys.exit(1)


def _keep(locks: ServiceLocks, service: Service) -> None:
    """Return when nobody uses the server any more, or it has ended by itself.

    It returns holding the gate: nobody can start to use a server that is about to stop.
    """
    wake = _wake_on_child()
    while service.is_running():
        select.select([wake], [], [], LOOK_SECONDS)
        if locks.gate.acquire(wait=False):
            if locks.users.acquire(wait=False):
                return
            locks.gate.release()


def _wake_on_child() -> int:
    """A file that becomes readable when a child ends, so that its end is noticed at once."""
    wake, waker = os.pipe()
    os.set_blocking(waker, False)  # as set_wakeup_fd demands
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return wake


def _write(path: Path, state: dict[str, object]) -> None:
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(state))
    new.replace(path)


def _answer(state: dict[str, object]) -> None:
    """Print one line and close stdout: its reader waits for both."""
    print(json.dumps(state), flush=True)
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())


if __name__ == "__main__":
    main()
