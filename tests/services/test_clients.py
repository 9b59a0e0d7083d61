"""API clients: keys shown once, stored hashed, scoped, revoked within a second, with their last use."""

import time
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import URL, Engine, event, text

from portal.ledger.errors import Refused
from portal.services import clients
from portal.services.clients import callers
from tests.factories import Books

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


def stored(engine: Engine, token: str) -> Any:
    with engine.connect() as connection:
        query = text("SELECT * FROM api_keys WHERE secret_hash = :hash")
        return connection.execute(query, {"hash": sha256(token.encode()).digest()}).one()


def test_a_key_is_prefixed_long_and_never_the_same() -> None:
    tokens = {clients.create_key("game", ["read"]) for _ in range(20)}
    assert len(tokens) == 20
    assert all(token.startswith("dream_") and len(token) >= 40 for token in tokens)


def test_only_the_hash_of_a_key_is_stored(engine: Engine) -> None:
    token = clients.create_key("game", ["read"])
    key = stored(engine, token)
    assert key.prefix == token[:12]
    with engine.connect() as connection:
        for table in ("api_keys", "api_clients"):
            rows = connection.execute(text(f"SELECT t::text FROM {table} t")).scalars().all()
            assert not any(token[12:] in row for row in rows)


def test_keys_of_one_name_belong_to_one_client() -> None:
    callers = [clients.caller_of(clients.create_key("one-game", ["read"])) for _ in range(3)]
    assert len({caller.client_id for caller in callers if caller}) == 1
    assert len({caller.key_id for caller in callers if caller}) == 3
    other = clients.caller_of(clients.create_key("other-game", ["read"]))
    assert other
    assert other.client_id not in {caller.client_id for caller in callers if caller}


def test_a_caller_has_the_scopes_of_its_key() -> None:
    caller = clients.caller_of(clients.create_key("game", ["read", "admin"]))
    assert caller
    assert caller.scopes == {"read", "admin"}


@pytest.mark.parametrize("scopes", [[], ["root"], ["read", "Admin"], ["read "], [""]])
def test_scopes_that_do_not_exist_are_refused(engine: Engine, scopes: list[str]) -> None:
    with pytest.raises(Refused, match="scopes are"):
        clients.create_key("refused-game", scopes)
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM api_clients WHERE name = 'refused-game'")
        assert connection.scalar(query) == 0


@pytest.mark.parametrize(
    "token", ["", "dream_", "dream_x", "x" * 100_000, "\ud800", "ü", "\x00", "' OR 1=1"]
)
def test_an_unknown_key_is_nobodys(token: str) -> None:
    assert clients.caller_of(token) is None


@pytest.fixture
def asked(app: Flask) -> Iterator[list[str]]:
    """The questions about keys that the database was asked."""
    questions: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "secret_hash" in statement:
            questions.append(statement)

    engine = app.extensions["dreamland"].engine
    event.listen(engine, "before_cursor_execute", note)
    yield questions
    event.remove(engine, "before_cursor_execute", note)


def test_a_token_that_has_not_the_shape_of_a_key_costs_no_question(asked: list[str]) -> None:
    token = clients.create_key("game", ["read"])
    asked.clear()
    for wrong in ("", "x" * 49, token[:-1], token + "x", token + "\n", "dream_" + "ü" * 43):
        assert clients.caller_of(wrong) is None
    assert asked == []
    assert clients.caller_of(token)
    assert len(asked) == 1


def test_a_token_that_is_nobodys_costs_one_question_for_a_while(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "dream_" + "x" * 43
    assert [clients.caller_of(wrong) for _ in range(50)] == [None] * 50
    assert len(asked) == 1
    token = clients.create_key("game", ["read"])
    assert clients.caller_of(token)
    monkeypatch.setattr(callers, "UNKNOWN_S", -1)
    monkeypatch.setattr(callers, "MAX_KNOWN", 3)
    for n in range(20):
        clients.caller_of(f"dream_{n:x>43}")
    assert len(callers._unknown) <= 4


def test_a_key_is_not_found_by_its_beginning_or_its_hash(engine: Engine) -> None:
    token = clients.create_key("game", ["read"])
    key = stored(engine, token)
    for guess in (token[:-1], token + "x", token.upper(), bytes(key.secret_hash).hex(), key.prefix):
        assert clients.caller_of(guess) is None


def test_a_revoked_key_is_refused_within_a_second() -> None:
    token = clients.create_key("game", ["read"])
    caller = clients.caller_of(token)
    assert caller
    clients.revoke(caller.key_id)
    time.sleep(clients.CACHE_S)
    assert clients.CACHE_S <= 1
    assert clients.caller_of(token) is None


def test_revoking_one_key_leaves_the_clients_others() -> None:
    tokens = [clients.create_key("game", ["read"]) for _ in range(2)]
    first = clients.caller_of(tokens[0])
    assert first
    clients.revoke(first.key_id)
    assert clients.caller_of(tokens[1])


def test_the_last_use_is_noted_about_once_a_minute(engine: Engine, books: Books) -> None:
    token = clients.create_key("game", ["read"])
    assert stored(engine, token).last_used_at is None
    clients.caller_of(token)
    first = stored(engine, token).last_used_at
    assert abs(first - books.now()) < timedelta(seconds=5)
    time.sleep(clients.CACHE_S)
    clients.caller_of(token)
    assert stored(engine, token).last_used_at == first
    books.set_clock(books.now() + timedelta(minutes=2))
    time.sleep(clients.CACHE_S)
    clients.caller_of(token)
    assert stored(engine, token).last_used_at > first + timedelta(minutes=1)
