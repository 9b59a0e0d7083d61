"""bin/run and bin/flask: what they start, they stop, whichever way they end."""

import json
import os
import signal
import socket
import stat
import subprocess
import time
import urllib.request
from collections.abc import Callable

import psutil
import pytest

from tests.local.checkout import Checkout

Eventually = Callable[[Callable[[], bool]], None]


def wait_for_ready(process: "subprocess.Popen[str]") -> str:
    """What bin/run printed until it was ready."""
    assert process.stdout
    printed = ""
    for line in process.stdout:
        printed += line
        if "Ctrl-C stops everything" in line:
            return printed
    pytest.fail(f"it ended: {printed}")


def test_a_command_has_its_services_and_leaves_none_behind(checkout: Checkout) -> None:
    status, output = checkout.call("bin/flask", "sql", "SELECT 6 * 7")
    assert (status, output) == (0, "[(42,)]\n")
    assert checkout.processes() == []


def test_a_command_s_exit_status_is_passed_on(checkout: Checkout) -> None:
    assert checkout.call("bin/flask", "fail")[0] == 7


def test_run_brings_up_everything_and_takes_it_down(checkout: Checkout) -> None:
    process = checkout.start("bin/run")
    printed = wait_for_ready(process)
    assert "admin@example.com  demo" in printed
    assert "dl_key" in printed
    demo = json.loads((checkout.var / "demo.json").read_text())
    assert stat.S_IMODE((checkout.var / "demo.json").stat().st_mode) == 0o600
    assert list(demo) == ["base", "api_key", "users", "admin"]
    with urllib.request.urlopen(f"{demo['base']}/readyz") as answer:
        assert answer.status == 200

    status, output = checkout.call("bin/run")
    assert (status, output.count("\n")) == (1, 1)
    assert "already running here" in output
    status, output = checkout.call("bin/run", VAR_DIR=str(checkout.root / "other"))
    assert (status, output.count("\n")) == (1, 1)
    assert "is taken by another program: stop it, or set PORT" in output
    assert checkout.call("bin/flask", "sql", "SELECT count(*) FROM starts") == (0, "[(1,)]\n")

    process.send_signal(signal.SIGINT)
    assert "Stopped." in process.communicate(timeout=30)[0]
    assert process.returncode == 0
    assert checkout.processes() == []
    assert checkout.call("bin/flask", "sql", "SELECT count(*) FROM starts") == (0, "[(1,)]\n")


def test_a_killed_run_takes_its_processes_with_it_and_the_next_one_starts(
    checkout: Checkout, eventually: Eventually
) -> None:
    first = checkout.start("bin/run")
    wait_for_ready(first)
    first.kill()
    second = checkout.start("bin/run")
    wait_for_ready(second)
    second.kill()
    eventually(lambda: checkout.processes() == [])


def test_services_stay_up_for_a_command_that_outlives_run(
    checkout: Checkout, eventually: Eventually
) -> None:
    run = checkout.start("bin/run")
    wait_for_ready(run)
    command = checkout.start("bin/flask", "sql", "SELECT pg_sleep(3) IS NOT NULL")
    eventually(lambda: "flask" in str([each.cmdline() for each in psutil.Process().children()]))
    time.sleep(1)
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=30)
    assert command.communicate(timeout=30)[0] == "[(True,)]\n"
    assert checkout.processes() == []


@pytest.mark.parametrize("victim", ["jobs.worker", "redis-server"])
def test_when_one_process_ends_all_end_with_one_clear_line(checkout: Checkout, victim: str) -> None:
    run = checkout.start("bin/run")
    wait_for_ready(run)
    [process] = [
        each
        for each in checkout.processes()
        if any(word.endswith(victim) for word in each.cmdline())
    ]
    process.send_signal(signal.SIGKILL)
    output = run.communicate(timeout=30)[0]
    assert run.returncode == 1
    assert "ended by itself" in output.splitlines()[-2]
    assert checkout.processes() == []


def test_an_unreachable_server_is_one_line_without_its_password(checkout: Checkout) -> None:
    for variable, url in {
        "DATABASE_URL": "postgresql://me:secret@127.0.0.1:1/x",
        "REDIS_URL": "redis://:secret@127.0.0.1:1/0",
    }.items():
        for command in (["bin/run"], ["bin/flask", "sql", "SELECT 1"]):
            status, output = checkout.call(*command, **{variable: url})
            assert (status, output.count("\n")) == (1, 1)
            assert f"{variable} (" in output
            assert "cannot be reached" in output
            assert "secret" not in output


def test_a_setting_that_is_no_number_is_named(checkout: Checkout) -> None:
    for name in ("PORT", "WORKERS", "WEB_WORKERS", "WEB_THREADS"):
        status, output = checkout.call("bin/run", **{name: "many"})
        assert status == 1
        assert f"bin/run: {name} is 'many'" in output


def test_a_failing_migration_stops_the_start_with_its_last_line(checkout: Checkout) -> None:
    app = checkout.root / "wsgi.py"
    app.write_text(app.read_text().replace("CREATE TABLE IF", "CREATE NONSENSE IF"))
    status, output = checkout.call("bin/run")
    assert status == 1
    assert "bin/run: flask db upgrade failed: " in output
    assert checkout.processes() == []


def test_a_port_held_without_listening_is_taken_too(checkout: Checkout) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        status, output = checkout.call("bin/run", PORT=str(holder.getsockname()[1]))
    assert status == 1
    assert "is taken by another program" in output


def test_a_directory_that_cannot_be_written_is_one_line(checkout: Checkout) -> None:
    checkout.var.write_text("a file")
    for command in (["bin/run"], ["bin/flask", "sql", "SELECT 1"]):
        status, output = checkout.call(*command)
        assert (status, output.count("\n")) == (1, 1)
        assert "Set VAR_DIR to a directory of yours" in output


def test_a_command_finds_files_relative_to_where_it_is_called(checkout: Checkout) -> None:
    process = checkout.start("bin/flask", "sql", f"SELECT '{os.sep}'", VAR_DIR=str(checkout.var))
    assert process.communicate(timeout=30)[0] == "[('/',)]\n"
