"""What the tests of accounts share: a mailbox, people, and what the database holds of them."""

from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Connection, Engine, text

from config import Settings
from portal.runtime import runtime
from portal.services.accounts import passwords, sessions, sign_ins, sign_up
from portal.services.accounts.sign_up import Finished
from tests.mailbox import Mailbox

PASSWORD = "correct horse battery"
NEW_PASSWORD = "another horse entirely"


@pytest.fixture(autouse=True)
def no_counts(redis: "Redis[Any]") -> None:
    """Nobody has tried anything yet."""
    assert redis.dbsize() == 0


@pytest.fixture
def mailbox(settings: Settings, context: None) -> Mailbox:
    assert context is None
    return Mailbox(settings)


@pytest.fixture
def signed_up(mailbox: Mailbox) -> Callable[..., Finished]:
    """Signs somebody up, the real way."""

    def make(email: str, name: str = "Ida", zone: str = "Europe/Berlin") -> Finished:
        sign_up.request(email)
        return sign_up.finish(mailbox.token(email), PASSWORD, name, zone)

    return make


def staff(email: str, role: str = "viewer") -> int:
    with runtime().engine.begin() as connection:
        hashed = passwords.hash_of(PASSWORD)
        return sign_ins.add(connection, email, hashed, role=role, name="Sam")


def disable(sign_in_id: int) -> None:
    with runtime().engine.begin() as connection:
        known = {"id": sign_in_id}
        connection.execute(
            text("UPDATE sign_ins SET disabled_at = ledger.clock() WHERE id = :id"), known
        )


def session(sign_in_id: int) -> str:
    with runtime().engine.begin() as connection:
        return sessions.start(connection, sign_in_id, second_factor=False)


def rows(engine: Engine | Connection, query: str, **known: Any) -> list[tuple[Any, ...]]:
    if isinstance(engine, Connection):
        return [tuple(row) for row in engine.execute(text(query), known)]
    with engine.connect() as connection:
        return rows(connection, query, **known)


def count(table: str) -> int:
    [(found,)] = rows(runtime().engine, f"SELECT count(*) FROM {table}")
    return int(found)


def actions() -> list[str]:
    """What the audit log tells, in order."""
    return [
        name for (name,) in rows(runtime().engine, "SELECT action FROM audit_events ORDER BY id")
    ]
