"""Metrics of a live server: one address tells the sums of its two workers, also after one was killed."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from flask import Flask

from tests.concurrency.programs import Programs, eventually
from tests.concurrency.web import Caller, Web, free_port

COUNT = re.compile(
    r'dreamland_requests_total\{code="-",method="GET",route="/api/v1/assets",status="200"\} (\S+)'
)


@pytest.fixture
def metrics_port() -> int:
    return free_port()


@pytest.fixture
def web(programs: Programs, app: Flask, metrics_port: int, tmp_path: Path) -> Iterator[Web]:
    shared = tmp_path / "metrics"
    shared.mkdir()
    settings = {"METRICS_PORT": str(metrics_port), "PROMETHEUS_MULTIPROC_DIR": str(shared)}
    with closing(Web(programs, app, **settings)) as made:
        yield made


def told(port: int) -> str:
    """What /metrics says; nothing while nobody serves it."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, OSError):
        return ""


def counted(port: int) -> int:
    found = COUNT.search(told(port))
    return int(float(found[1])) if found else 0


def ask(web: Web, number: int) -> None:
    for _ in range(number):
        caller = Caller(web.port, web.key)
        assert caller.ask("GET", "/api/v1/assets").status == 200
        caller.close()


def test_one_address_tells_the_sum_of_all_workers_also_when_one_has_died(
    web: Web, metrics_port: int
) -> None:
    ask(web, 60)
    eventually("all are counted", lambda: counted(metrics_port) == 60)
    workers = [worker for worker in web.program.children() if worker.ppid() == web.program.pid]
    [serving] = [
        worker
        for worker in workers
        if any(
            c.laddr.port == metrics_port
            for c in worker.net_connections()
            if c.status == psutil.CONN_LISTEN
        )
    ]
    serving.kill()
    web.recovered(1)
    eventually("another worker serves them", lambda: counted(metrics_port) == 60)
    ask(web, 40)
    assert counted(metrics_port) == 100
    assert web.key not in told(metrics_port)


def test_a_directory_of_counts_that_is_gone_fails_no_request(
    programs: Programs, app: Flask, tmp_path: Path
) -> None:
    gone = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "gone")}
    with closing(Web(programs, app, **gone)) as web:
        ask(web, 20)
        assert "not counted" in web.program.said()
