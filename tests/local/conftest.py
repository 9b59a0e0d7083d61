"""What the tests of local/ share: servers on directories of their own, and a checkout."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.postgres import Postgres
from local.processes import wait_until
from local.redis import Redis
from tests.local.checkout import Checkout

SMALL = {"shared_buffers": "16MB", "max_wal_size": "64MB", "min_wal_size": "32MB"}


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("var") / "postgres", settings=SMALL) as server:
        yield server


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with Redis(tmp_path_factory.mktemp("var") / "redis") as server:
        yield server


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def checkout(tmp_path: Path, free_port: int) -> Iterator[Checkout]:
    made = Checkout(tmp_path, free_port)
    yield made
    made.clean_up()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Fail unless something becomes true within some seconds."""

    def check(is_so: Callable[[], bool]) -> None:
        assert wait_until(is_so, seconds=15, pause=0.05)

    return check
