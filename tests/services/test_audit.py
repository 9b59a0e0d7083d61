"""The audit log: what a record tells, what it never holds, and that nobody changes one."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, text
from sqlalchemy.exc import DBAPIError

from portal.services import audit
from portal.services.audit import ACTIONS, TARGETS, Actor
from tests.factories import Books

ADDED = "is only ever added to"
IDA = Actor(
    "person",
    sign_in_id=7,
    name="never kept",
    role="admin",
    address="192.0.2.1",
    browser="Firefox",
    request_id="ab12",
)


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


Record = Callable[..., Any]


@pytest.fixture
def record(engine: Engine) -> Record:
    """Records in a transaction of its own, and answers the row."""

    def recorded(*args: Any, **more: Any) -> Any:
        with engine.begin() as connection:
            audit.record(connection, *args, **more)
        with engine.connect() as connection:
            return connection.execute(
                text("SELECT * FROM audit_events ORDER BY id DESC LIMIT 1")
            ).one()

    return recorded


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM audit_events")) or 0)


def test_a_record_tells_who_did_what_to_what_and_from_where(record: Record) -> None:
    with audit.acting(IDA):
        row = record("profile.changed", "sign_in", 3, {"role": "viewer"}, {"role": "approver"})
    told = (row.actor, row.sign_in_id, row.actor_name, row.role, row.action, row.target)
    assert told == ("person", 7, None, "admin", "profile.changed", "sign_in")
    assert (row.target_id, row.before, row.after) == ("3", {"role": "viewer"}, {"role": "approver"})
    assert (row.address, row.browser, row.request_id) == ("192.0.2.1", "Firefox", "ab12")


def test_the_time_is_the_ledger_clocks(record: Record, books: Books) -> None:
    before = books.set_clock(books.now() + timedelta(days=3))
    assert before < record("demo.seeded", "books").at < books.now()


def test_who_sets_nothing_is_the_system(record: Record) -> None:
    row = record("demo.seeded", "books")
    assert (row.actor, row.sign_in_id, row.actor_name, row.role) == ("system", None, None, None)
    assert (row.target_id, row.before, row.after, row.address) == (None, None, None, None)


def test_the_innermost_actor_counts_and_the_outer_one_again_after_it(record: Record) -> None:
    with audit.acting(Actor("command_line", name="root@host")):
        with suppress(LookupError), audit.acting(IDA):
            assert audit.actor() is IDA
            raise LookupError
        assert record("demo.seeded", "books").actor_name == "root@host"
        assert record("demo.seeded", "books", by=IDA).sign_in_id == 7
    assert audit.actor() is audit.SYSTEM


def test_what_is_rolled_back_leaves_no_record(engine: Engine) -> None:
    there = count(engine)
    with suppress(LookupError), engine.begin() as connection:
        audit.record(connection, "demo.seeded", "books")
        raise LookupError
    assert count(engine) == there


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "x"},
        {"new_password": "x"},
        {"Secret": "x"},
        {"reset_token": "x"},
        {"totp_secret": b"x"},
        {"limits": {"code": "x"}},
        {"codes": [{"code": "x"}]},
        {"cookie": "x"},
        {"password_hash": "x"},
    ],
    ids=str,
)
def test_a_field_that_may_hold_a_secret_is_refused_before_and_after(
    engine: Engine, fields: dict[str, Any]
) -> None:
    there = count(engine)
    for values in ((fields, None), (None, fields), ({"a": 1}, {"b": fields})):
        with pytest.raises(ValueError, match="may hold a secret"), engine.begin() as connection:
            audit.record(connection, "password.changed", "sign_in", 1, *values)
    assert count(engine) == there


def test_an_action_or_target_that_is_not_of_the_tables_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        with pytest.raises(ValueError, match="no action"):
            audit.record(connection, "session.stolen", "session")
        with pytest.raises(ValueError, match="no target"):
            audit.record(connection, "session.started", "thing")


def test_values_are_kept_as_people_read_them(record: Record) -> None:
    at = datetime(2026, 11, 20, 15, tzinfo=UTC)
    after = {
        "at": at,
        "day": date(2026, 11, 20),
        "rate": Decimal("0.150"),
        "small": Decimal("1E-18"),
        "overlap": timedelta(hours=24),
        "scopes": {"wins:write", "read"},
        "games": ("maze",),
        "limits": {"rate": 90, "any": True},
        "none": None,
        "big": 2**70,
        "name": "Ida \0 <b>\ud800",
    }
    row = record("client.limited", "hour", at, after=after)
    assert row.target_id == "2026-11-20T15:00:00Z"
    assert row.after == {
        "at": "2026-11-20T15:00:00Z",
        "day": "2026-11-20",
        "rate": "0.150",
        "small": "0.000000000000000001",
        "overlap": "1 day, 0:00:00",
        "scopes": ["read", "wins:write"],
        "games": ["maze"],
        "limits": {"rate": 90, "any": True},
        "none": None,
        "big": 2**70,
        "name": "Ida \ufffd <b>?",
    }


def test_a_value_of_no_plain_kind_is_refused(engine: Engine) -> None:
    for value in (1.5, b"bytes", object()):
        with pytest.raises(ValueError, match="takes no"), engine.begin() as connection:
            audit.record(connection, "demo.seeded", "books", after={"value": value})


def test_a_browser_with_a_long_name_is_cut(record: Record) -> None:
    with audit.acting(replace(IDA, browser="x" * 5000)):
        assert record("session.started", "session", 1).browser == "x" * 300


UPSERT = """
INSERT INTO audit_events (id, at, actor, action, target) OVERRIDING SYSTEM VALUE
SELECT id, at, actor, action, target FROM audit_events
ON CONFLICT (id) DO UPDATE SET action = 'session.ended'
"""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET action = 'session.ended'",
        "UPDATE audit_events SET action = 'session.ended' WHERE false",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        UPSERT,
    ],
)
def test_nobody_changes_what_is_recorded_not_even_the_owner(
    engine: Engine, owner_engine: Engine, record: Record, statement: str
) -> None:
    record("demo.seeded", "books")
    before = count(engine)
    with pytest.raises(DBAPIError, match="permission denied"), engine.begin() as connection:
        connection.execute(text(statement))
    with pytest.raises(DBAPIError, match=ADDED) as refusal, owner_engine.begin() as connection:
        connection.execute(text(statement))
    assert getattr(refusal.value.orig, "pgcode", None) == "DL010"
    assert count(engine) == before


def test_every_action_has_its_line_in_the_docs_and_no_other() -> None:
    page = Path("docs/audit.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"^\| `([a-z_.]+)` \| ([A-Z].*) \|$", page, re.MULTILINE)) == ACTIONS


def test_actions_and_targets_read_well() -> None:
    for action, words in ACTIONS.items():
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", action)
        assert words[0].isupper()
        assert not words.endswith(".")
    assert len(set(ACTIONS.values())) == len(ACTIONS)
    assert all(re.fullmatch(r"[a-z_]+", target) for target in TARGETS)
