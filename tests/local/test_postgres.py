"""The embedded PostgreSQL: durable, private, and back after any end."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from local.errors import LocalError
from local.postgres import Postgres
from local.postgres_settings import DURABLE


def ask(server: Postgres, text: str) -> Any:
    connection = psycopg2.connect(server.url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchone()[0] if cursor.description else None
    finally:
        connection.close()


def test_it_is_postgresql_18_with_durable_settings(postgres: Postgres) -> None:
    assert ask(postgres, "SHOW server_version").startswith("18")
    for name, value in DURABLE.items():
        assert ask(postgres, f"SHOW {name}") == value
    assert ask(postgres, "SHOW data_checksums") == "on"
    assert ask(postgres, "SHOW timezone") == "UTC"
    assert ask(postgres, "SHOW server_encoding") == "UTF8"


def test_settings_given_win_over_the_machine_s(postgres: Postgres) -> None:
    assert ask(postgres, "SHOW shared_buffers") == "16MB"


def test_only_its_own_account_can_reach_it(postgres: Postgres) -> None:
    assert ask(postgres, "SHOW listen_addresses") == ""
    assert stat.S_IMODE(postgres.socket_directory.stat().st_mode) == stat.S_IRWXU


def test_it_never_runs_as_root(postgres: Postgres) -> None:
    assert postgres.data.stat().st_uid != 0


def test_what_was_committed_survives_a_crash_and_the_url_stays(postgres: Postgres) -> None:
    before = postgres.url
    ask(postgres, "CREATE TABLE crash (n int)")
    ask(postgres, "INSERT INTO crash VALUES (42)")
    assert postgres.restart(immediate=True) == before
    assert ask(postgres, "SELECT n FROM crash") == 42


def test_it_starts_again_after_its_process_was_killed(postgres: Postgres) -> None:
    ask(postgres, "CREATE TABLE killed (n int)")
    postgres.kill()
    postgres.start()
    assert ask(postgres, "SELECT count(*) FROM killed") == 0


def test_a_pid_file_that_names_another_program_is_no_obstacle(postgres: Postgres) -> None:
    postgres.stop()
    lines = [str(os.getpid()), str(postgres.data), "0", "5432", "", "", "0 0", "ready"]
    (postgres.data / "postmaster.pid").write_text("\n".join(lines) + "\n")
    postgres.start()
    assert ask(postgres, "SELECT 1") == 1


def test_a_second_server_on_the_same_directory_is_refused(postgres: Postgres) -> None:
    with pytest.raises(LocalError, match="in use by another process"):
        Postgres(postgres.data).start()
    assert ask(postgres, "SELECT 1") == 1


def test_a_directory_of_another_version_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(LocalError, match=r"made by PostgreSQL 16, and this is 18: dump it"):
        Postgres(data).start()


def test_a_setting_it_refuses_is_named_in_one_line(postgres: Postgres) -> None:
    broken = Postgres(postgres.data, settings={"max_connections": "many"})
    postgres.stop()
    try:
        with pytest.raises(LocalError, match="PostgreSQL did not start") as caught:
            broken.start()
        assert "\n" not in str(caught.value)
    finally:
        postgres.start()


def test_a_long_path_has_its_socket_elsewhere_and_leaves_nothing_there(postgres: Postgres) -> None:
    postgres.stop()
    place = postgres.data.parent / ("long" * 30)
    place.mkdir()
    moved = Postgres(postgres.data.rename(place / "it's postgres"), database="app")
    with moved:
        assert ask(moved, "SELECT current_database()") == "app"
        assert moved.socket_directory != moved.data
    assert not moved.socket_directory.exists()
    moved.data.rename(postgres.data)
    postgres.start()


def test_it_ends_with_the_process_that_started_it(
    postgres: Postgres, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    postgres.stop()
    program = (
        "import os, signal; from pathlib import Path; from local.postgres import Postgres;"
        f"Postgres(Path({str(postgres.data)!r})).start(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program], check=False, env=os.environ)
    if sys.platform == "linux":
        eventually(lambda: not postgres.is_running())
    postgres.start()  # elsewhere it is found and ended here
    assert ask(postgres, "SELECT 1") == 1
