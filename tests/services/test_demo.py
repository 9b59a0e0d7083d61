"""The demo: three days of history made the real way, once, however often and however it ends."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import URL, Engine, create_engine, text

from config import Settings
from portal import boot, create_app, ledger
from portal.boot import ConfigError
from portal.ledger import chart
from portal.ledger.errors import Refused
from portal.ledger.idempotency import key_hash
from portal.services import clients, conversions, demo, runs, users, verification
from tests.conftest import settings_for

COUNTS = """
SELECT (SELECT count(*) FROM ledger.entries), (SELECT count(*) FROM ledger.postings),
       (SELECT count(*) FROM users), (SELECT count(*) FROM sign_ins), (SELECT count(*) FROM api_keys),
       (SELECT count(*) FROM conversion_runs), (SELECT sum(debits) FROM ledger.account_balances)
"""


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture(scope="module")
def seeded(shared_database: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An app with the demo, whose first seeding was killed in the middle."""
    settings = settings_for(shared_database, tmp_path_factory.mktemp("demo"))
    owner = create_engine(shared_database)
    kill_while_seeding(settings, owner)
    app = create_app(settings)
    with app.app_context():
        assert demo.seed()
        yield app
    app.extensions["dreamland"].engine.dispose()
    owner.dispose()


def kill_while_seeding(settings: Settings, owner: Engine) -> None:
    env = os.environ | {
        "DATABASE_URL": settings.database_url,
        "VAR_DIR": str(settings.var_dir),
        "DREAMLAND_ENV": "testing",
        "FLASK_APP": "wsgi",
        "FLASK_RUN_FROM_CLI": "true",
    }
    command = [sys.executable, "-m", "flask", "seed"]
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        command, env=env, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 30
    while count_of(owner, "SELECT count(*) FROM conversion_runs") < 20:
        assert child.poll() is None, "the seeding ended before it could be killed"
        assert time.monotonic() < until
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not (settings.var_dir / "demo.json").exists()


def count_of(engine: Engine, query: str) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text(query)) or 0)


def test_killed_and_started_again_the_seed_books_nothing_twice(
    seeded: Flask, engine: Engine
) -> None:
    """Every win that the history should have is booked, or would have been over its day's limit."""
    assert seeded
    assert verification.verify().is_clean()
    made = 0
    with engine.connect() as connection:
        start = ledger.first_booked_hour(connection)
        assert start
        client = connection.scalar(text("SELECT id FROM api_clients WHERE name = 'demo'"))
        keys = {key.hex for key in connection.scalars(text("SELECT key_hash FROM ledger.entries"))}
        for person in [users.create(*each)[0] for each in demo.PEOPLE]:
            for hour in range(71):
                for win in demo._wins(
                    person, start + hour * ledger.HOUR + timedelta(minutes=50), hour
                ):
                    if key_hash(client, win.key) in keys:
                        made += 1
                        continue
                    day, _ = ledger.local_day(connection, person.id, win.occurred_at)
                    won = ledger.won_on(connection, person.id, day)
                    assert won + win.amount > chart.DAY_LIMIT
        assert made > 100
        assert ledger.shift(connection) == timedelta(0)


def test_the_history_is_converted_but_for_the_running_hour(seeded: Flask) -> None:
    assert seeded
    made = runs.page(None, 200)
    assert len(made) >= 70
    assert {run.state for run in made} == {"done"}
    assert conversions.due_hour() is None


def test_the_history_has_every_outcome_to_look_at(seeded: Flask, engine: Engine) -> None:
    assert seeded
    days = "SELECT count(DISTINCT day) FROM ledger.entries"
    assert count_of(engine, days) >= 3
    assert count_of(engine, "SELECT count(*) FROM ledger.entries WHERE kind_id = 1") > 100


def test_seeding_again_changes_nothing(seeded: Flask, engine: Engine) -> None:
    secrets = seeded.extensions["dreamland"].settings.var_dir / "demo.json"
    with engine.connect() as connection:
        before = connection.execute(text(COUNTS)).one()
    content = secrets.read_text()
    for _ in range(2):
        assert not demo.seed()
    with engine.connect() as connection:
        assert connection.execute(text(COUNTS)).one() == before
    assert secrets.read_text() == content


def test_the_secrets_work_and_are_nobody_elses_to_read(seeded: Flask, engine: Engine) -> None:
    file = seeded.extensions["dreamland"].settings.var_dir / "demo.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secrets = json.loads(file.read_text())
    caller = clients.caller_of(secrets["api_key"])
    assert caller
    assert caller.scopes == set(clients.SCOPES)
    assert caller.rate_limit == 0
    assert len(secrets["users"]) == len(demo.PEOPLE)
    with engine.connect() as connection:
        for person in [*secrets["users"], secrets["admin"]]:
            row = connection.execute(
                text("SELECT * FROM sign_ins WHERE email = :email"), {"email": person["email"]}
            ).one()
            assert PasswordHasher().verify(row.password_hash, person["password"])
            assert row.role == ("admin" if "id" not in person else "user")
            assert person["password"] not in str(row)


def test_lost_secrets_are_made_anew_without_a_second_history(seeded: Flask, engine: Engine) -> None:
    file = seeded.extensions["dreamland"].settings.var_dir / "demo.json"
    old = json.loads(file.read_text())
    entries = count_of(engine, "SELECT count(*) FROM ledger.entries")
    file.unlink()
    assert demo.seed()
    new = json.loads(file.read_text())
    assert new["admin"]["password"] != old["admin"]["password"]
    assert clients.caller_of(new["api_key"])
    assert count_of(engine, "SELECT count(*) FROM ledger.entries") == entries


def production(settings: Settings) -> Settings:
    return replace(settings, environment="production", secret_key="k" * 40)


def test_production_takes_no_demo(seeded: Flask, engine: Engine) -> None:
    with engine.connect() as connection:
        before = connection.execute(text(COUNTS)).one()
    app = create_app(production(seeded.extensions["dreamland"].settings))
    with app.app_context(), pytest.raises(Refused, match="production"):
        demo.seed()
    with engine.connect() as connection:
        assert connection.execute(text(COUNTS)).one() == before


def test_production_does_not_boot_with_the_demos_key_nor_with_its_admin(seeded: Flask) -> None:
    app = create_app(production(seeded.extensions["dreamland"].settings))
    with pytest.raises(ConfigError, match="demo API key"):
        boot.check(app.extensions["dreamland"])
    with app.app_context():
        clients.revoke_all(boot.DEMO_CLIENT)
    with pytest.raises(ConfigError, match="demo's admin"):
        boot.check(app.extensions["dreamland"])
    app.extensions["dreamland"].engine.dispose()
