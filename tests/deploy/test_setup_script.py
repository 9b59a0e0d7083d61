"""setup.sh: everything on one's own PostgreSQL, twice if need be, and one line when it can't be."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, create_engine, make_url, text

import config
from local import own_database
from local.own_database import Facts
from local.postgres import Postgres
from portal.database import APP_ROLE
from tests.deploy import manifests
from tests.deploy.conftest import plain, statement

SMALL = {"shared_buffers": "16MB", "max_wal_size": "64MB", "min_wal_size": "32MB"}
PRODUCTION = {
    "DREAMLAND_ENV": "production",
    "SECRET_KEY": "0123456789abcdef0123456789abcdef",
    "PUBLIC_URL": "https://dreamland.example.com",
    "MAIL_URL": "smtp://mail.example.com",
    "MAIL_FROM": "no-reply@example.com",
}
OURS = (*PRODUCTION, "DATABASE_URL", "REDIS_URL", "VAR_DIR", "PYTHON")

Setup = Callable[..., tuple[int, str]]


def call(program: str, *words: str, **environment: str) -> tuple[int, str]:
    """The status and all that was said."""
    inherited = {name: value for name, value in os.environ.items() if name not in OURS}
    done = subprocess.run(
        [manifests.ROOT / program, *words],
        cwd="/",
        env=inherited | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    def run(**environment: str) -> tuple[int, str]:
        return call("setup.sh", VAR_DIR=str(tmp_path), **environment)

    return run


def entries(url: URL) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.scalar(text("SELECT count(*) FROM ledger.entries"))
    engine.dispose()
    return int(found or 0)


def refused(answer: tuple[int, str]) -> str:
    """One line, a status of not 0, nothing secret."""
    status, said = answer
    lines = [line for line in said.splitlines() if line.startswith("setup.sh: ")]
    assert (status, len(lines)) == (1, 1), said
    assert "cret" not in said
    assert "Traceback" not in said
    return lines[0]


# --- It works, and again


def test_the_database_is_made_migrated_and_seeded_and_a_second_run_adds_nothing(
    setup: Setup, missing_database: URL, tmp_path: Path
) -> None:
    url = plain(missing_database)
    status, said = setup(DATABASE_URL=url)
    assert status == 0, said
    assert f"Database {missing_database.database}: made now." in said
    for name in manifests.PROCESSES:
        assert f"  deploy/start {name} " in said
    demo = json.loads((tmp_path / "demo.json").read_text())
    assert demo["api_key"].startswith("dream_")
    before = entries(missing_database)
    assert before > 50

    status, said = setup(DATABASE_URL=url)
    assert status == 0, said
    assert f"Database {missing_database.database}: there." in said
    assert entries(missing_database) == before
    assert json.loads((tmp_path / "demo.json").read_text()) == demo


def test_production_is_migrated_and_gets_no_demo(
    setup: Setup, missing_database: URL, tmp_path: Path
) -> None:
    url = plain(missing_database)
    status, said = setup(DATABASE_URL=url, **PRODUCTION)
    assert status == 0, said
    assert "Production has no demo. An API key: deploy/start create-api-key NAME" in said
    assert entries(missing_database) == 0
    assert not (tmp_path / "demo.json").exists()
    status, key = call("deploy/start", "create-api-key", "games", DATABASE_URL=url, **PRODUCTION)
    assert (status, key[:6]) == (0, "dream_")


# --- What a person may have got wrong


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({}, "DATABASE_URL is not set: DATABASE_URL=postgresql://user:password@host"),
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set"),
        ({"DATABASE_URL": "mysql://me:secret@db/x"}, "DATABASE_URL must start with postgresql://"),
        ({"DATABASE_URL": "postgresql://me:secret@127.0.0.1:1/x"}, "127.0.0.1:1/x) cannot be re"),
        ({"DATABASE_URL": "postgresql://me:se/cret@127.0.0.1:1/x"}, "127.0.0.1:1/x) cannot be re"),
        ({"DATABASE_URL": "postgres://127.0.0.1:1/x?password=secret"}, "Connection refused"),
        ({"DATABASE_URL": "postgresql://me:secret@/x", **PRODUCTION, "SECRET_KEY": ""}, "SECRET_K"),
        ({"DATABASE_URL": "postgresql://x/x", "RATE_SOURCE": "guess"}, "RATE_SOURCE must be one"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    setup: Setup, environment: dict[str, str], line: str
) -> None:
    answer = refused(setup(**environment)).replace("SECRET_KEY", "SECRET_K")
    assert line in answer


def test_a_redis_that_is_named_must_answer(setup: Setup, server: URL) -> None:
    answer = setup(DATABASE_URL=plain(server), REDIS_URL="redis://:secret@127.0.0.1:1/0")
    assert "REDIS_URL (redis://127.0.0.1:1/0) cannot be reached" in refused(answer)


def test_a_python_that_is_too_old_is_said_before_anything_is_touched(
    setup: Setup, tmp_path: Path
) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\necho 3.9\n")
    old.chmod(0o755)
    answer = refused(setup(DATABASE_URL="postgresql://x/x", PYTHON=str(old)))
    assert "setup.sh: Dreamland needs Python 3.11 or newer" in answer


def test_a_migration_that_fails_all_the_same_is_one_line_too(
    setup: Setup, server: URL, missing_database: URL
) -> None:
    statement(server, f'CREATE DATABASE "{missing_database.database}"')
    statement(missing_database, "CREATE TABLE users (somebody_elses int)")
    line = refused(setup(DATABASE_URL=plain(missing_database)))
    assert 'relation "users" already exists' in line
    assert "setup.log" in line


# --- Rights, on a cluster that has no role of the app yet


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("own") / "postgres", settings=SMALL) as made:
        yield made


def test_each_missing_right_is_named_with_the_statement_that_mends_it(
    setup: Setup, cluster: Postgres
) -> None:
    admin = make_url(config.database_url(cluster.url))
    url = cluster.url_of("dream land", "a clerk").replace("a clerk", "a%20clerk")
    url = url.replace("dream land", "dream%20land")
    statement(admin, 'CREATE ROLE "a clerk" LOGIN')
    for _ in range(5):
        status, said = setup(DATABASE_URL=url, **PRODUCTION)
        if status == 0:
            break
        line = refused((status, said))
        for mend in line.partition("An administrator can: ")[2].split("; "):
            statement(admin, mend)
    assert status == 0, said
    assert "Database dream land: there." in said
    assert setup(DATABASE_URL=url, **PRODUCTION)[0] == 0


def test_who_may_make_databases_and_roles_needs_no_administrator(
    setup: Setup, cluster: Postgres
) -> None:
    admin = make_url(config.database_url(cluster.url))
    statement(admin, "CREATE ROLE boss LOGIN CREATEDB CREATEROLE")
    for name in ("boss_books", "more_books"):
        status, said = setup(DATABASE_URL=cluster.url_of(name, "boss"), **PRODUCTION)
        assert status == 0, said
        assert f"Database {name}: made now." in said


def test_a_database_in_another_encoding_is_refused(setup: Setup, cluster: Postgres) -> None:
    admin = make_url(config.database_url(cluster.url))
    options = "ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
    statement(admin, f"CREATE DATABASE old_books {options}")
    line = refused(setup(DATABASE_URL=cluster.url_of("old_books"), **PRODUCTION))
    assert "encoded in LATIN1, not UTF8" in line


FIT = Facts(
    version=15,
    encoding="UTF8",
    user="me",
    database="books",
    is_superuser=False,
    may_create_roles=False,
    is_migrated=False,
    may_create_here=True,
    has_role=True,
    is_member=True,
    may_grant=False,
)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, None),
        ({"version": 14}, "the server is PostgreSQL 14; Dreamland needs 15 or newer."),
        ({"has_role": False, "is_member": False, "may_create_roles": True}, None),
        ({"is_member": False, "may_grant": True}, None),
        ({"is_member": False, "is_superuser": True}, None),
        ({"is_member": False}, "me is no member of dreamland_app."),
        ({"is_member": False, "may_create_roles": True}, None),
        ({"is_member": False, "may_create_roles": True, "version": 16}, "me is no member"),
        ({"is_member": False, "may_create_here": False, "is_migrated": True}, None),
    ],
)
def test_a_role_is_granted_as_each_version_of_postgresql_has_it(
    change: dict[str, Any], problem: str | None
) -> None:
    found = next(own_database.problems(FIT._replace(**change)), None)
    assert (found is None) is (problem is None), found
    assert (problem or "") in (found or "")


def test_the_role_is_the_app_s() -> None:
    assert own_database.APP_ROLE == APP_ROLE
