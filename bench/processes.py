"""The app's processes as the Procfile starts them, for as long as a bench needs them."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from signal import SIGTERM

from bench.stage import Books
from local.environment import ROOT
from local.processes import die_with_parent, wait_until

HOST = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 30


@contextmanager
def web(
    books: Books, workers: int, target: str = "bench.wsgi:app", log: Path | None = None
) -> Iterator[tuple[str, int]]:
    """The web server of the Procfile, serving `target`; its address, once it is ready.

    Its log is added to the file `log`, or seen where there is none.
    """
    port = free_port()
    command = _procfile()["web"].replace(" wsgi:app ", f" {target} ")
    counts = tempfile.mkdtemp(dir=books.environ["VAR_DIR"])
    environ = {"HOST": HOST, "PORT": str(port), "WEB_WORKERS": str(workers)}
    environ["PROMETHEUS_MULTIPROC_DIR"] = counts
    with running(books, ["/bin/sh", "-c", command], environ, log) as process:
        url = f"http://{HOST}:{port}/readyz"
        if not wait_until(lambda: process.poll() is not None or _answers(url), START_SECONDS):
            raise TimeoutError(f"{url} did not answer within {START_SECONDS} s")
        if process.poll() is not None:
            raise RuntimeError("the web server ended at its start: see above")
        time.sleep(1)  # the other workers
        yield HOST, port


@contextmanager
def workers(books: Books, count: int) -> Iterator[None]:
    """Workers of rq, as many as asked for."""
    command = ["/bin/sh", "-c", _procfile()["worker"]]
    if count == 0:
        yield
        return
    with running(books, command, {}), workers(books, count - 1):
        yield


@contextmanager
def webhooks(books: Books) -> Iterator[None]:
    """The worker that delivers webhooks."""
    with running(books, ["/bin/sh", "-c", _procfile()["webhooks"]], {}):
        yield


@contextmanager
def running(
    books: Books, command: list[str], environ: dict[str, str], log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in the environment of the books. Ctrl-C is for the bench, which ends it."""
    with log.open("ab") if log else nullcontext() as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=books.environ | environ | {"PATH": _path(books), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
            preexec_fn=die_with_parent(SIGTERM),  # noqa: PLW1509 - no threads here
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _path(books: Books) -> str:
    """The Procfile says `python`: it means this one."""
    return f"{Path(sys.executable).parent}{os.pathsep}{books.environ['PATH']}"


def _procfile() -> dict[str, str]:
    """Commands by process name."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    parts = (line.partition(":") for line in lines if line and not line.startswith("#"))
    return {name: command.strip() for name, _, command in parts}


def _answers(url: str) -> bool:
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=5):
            return True
    except (OSError, urllib.error.URLError):
        return False


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
