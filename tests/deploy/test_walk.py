"""deploy/walk: the containers' steps from an empty directory to converted wins, and nothing left."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from redis import Redis
from sqlalchemy import URL

from tests.deploy import manifests
from tests.deploy.conftest import plain

CALLS = Path(__file__).with_name("calls.py")
STATUS = 42
WALK_S = 900  # it installs twice, and the machine may be busy


def walk(*words: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [manifests.ROOT / "deploy" / "walk", *words],
        cwd="/",
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=WALK_S,
        check=False,
    )
    return done.returncode, done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processes_of(place: Path) -> list[psutil.Process]:
    """Those that were started with anything of that directory."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        words = [*(process.info["cmdline"] or []), *(process.info["environ"] or {}).values()]
        if process.pid != os.getpid() and any(str(place) in word for word in words):
            found.append(process)
    return found


def test_everything_the_containers_do_works_from_an_empty_directory(
    missing_database: URL, redis: Redis, tmp_path: Path
) -> None:
    port = free_port()
    status, said = walk(
        *("--", sys.executable, str(CALLS), "{base}", "{key}", "{start}", str(STATUS)),
        DATABASE_URL=plain(missing_database),
        TMPDIR=str(tmp_path),
        PORT=str(port),
        WORKERS="1",
        DREAMLAND_ENV="testing",
    )
    redis.flushdb()
    assert status == STATUS, said
    assert "Installed in" in said
    assert f"Dreamland is ready at http://127.0.0.1:{port}" in said
    assert f"API key in {tmp_path}" in said
    assert list(tmp_path.iterdir()) == []
    assert processes_of(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "environment", "line"),
    [
        ((), {"DATABASE_URL": ""}, "DATABASE_URL is not set: this uses servers that run"),
        ((), {"REDIS_URL": ""}, "REDIS_URL is not set: this uses servers that run"),
        (
            (),
            {"REDIS_URL": "redis://:secret@127.0.0.1:1"},
            "REDIS_URL (redis://127.0.0.1:1) cannot",
        ),
        (("curl",), {}, "a command comes after --"),
        (("--",), {}, "a command comes after --"),
        ((), {"PORT": "many"}, "PORT is 'many'"),
    ],
)
def test_what_is_missing_is_said_in_one_line(
    words: tuple[str, ...], environment: dict[str, str], line: str
) -> None:
    status, said = walk(*words, **environment)
    assert (status, said.count("\n")) == (1, 1)
    assert said.startswith(f"deploy/walk: {line}")
    assert "secret" not in said
