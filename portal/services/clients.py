"""API clients and their keys: prefixed, shown once, stored hashed, scoped."""

import secrets
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects.postgresql import insert

from portal import ledger
from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services.models import ApiClient, ApiKey

SCOPES = ("read", "users:write", "wins:write", "wallets:write", "imports:write", "admin")
PREFIX = "dream_"
SHOWN = 12
CACHE_S = 1.0
"""How long a process may go on honouring a key after it was revoked."""
LAST_USED_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the client that idempotency keys belong to, and what its key may do."""

    client_id: int
    key_id: int
    scopes: frozenset[str]


class _Cache:
    """Callers by token hash, for CACHE_S seconds; unknown tokens are never kept."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[float, Caller]] = {}
        self._lock = threading.Lock()

    def get(self, digest: bytes) -> Caller | None:
        until, caller = self._known.get(digest, (0.0, None))
        return caller if until > time.monotonic() else None

    def put(self, digest: bytes, caller: Caller) -> None:
        with self._lock:
            if len(self._known) > 10_000:
                self._known.clear()
            self._known[digest] = (time.monotonic() + CACHE_S, caller)


_cache = _Cache()


def named(name: str) -> int:
    """The id of the client of that name, made if new."""
    with runtime().engine.begin() as connection:
        return _named(connection, name)


def _named(connection: Connection, name: str) -> int:
    new = insert(ApiClient).values(name=name, created_at=ledger.now(connection))
    connection.execute(new.on_conflict_do_nothing(index_elements=["name"]))
    return connection.execute(select(ApiClient.id).where(ApiClient.name == name)).scalar_one()


def create_key(client_name: str, scopes: list[str]) -> str:
    """Make a key, and the client if it is new; the answer is the only time the key is shown.

    Raises Refused('validation_failed') for an unknown scope.
    """
    unknown = set(scopes) - set(SCOPES)
    if unknown or not scopes:
        detail = f"scopes are {', '.join(SCOPES)}, not {', '.join(sorted(unknown)) or 'none'}"
        raise Refused("validation_failed", detail)
    token = PREFIX + secrets.token_urlsafe(32)
    with runtime().engine.begin() as connection:
        now = ledger.now(connection)
        client = _named(connection, client_name)
        key = {
            "client_id": client,
            "prefix": token[:SHOWN],
            "secret_hash": _digest(token),
            "scopes": scopes,
            "created_at": now,
        }
        connection.execute(insert(ApiKey).values(key))
    return token


def caller_of(token: str) -> Caller | None:
    """Who a key belongs to; None for one that is unknown or revoked."""
    digest = _digest(token)
    caller = _cache.get(digest)
    if caller is None:
        caller = _find(digest)
        if caller is not None:
            _cache.put(digest, caller)
    return caller


def _find(digest: bytes) -> Caller | None:
    query = select(ApiKey.id, ApiKey.client_id, ApiKey.scopes, ApiKey.last_used_at).where(
        ApiKey.secret_hash == digest, ApiKey.revoked_at.is_(None)
    )
    with runtime().engine.begin() as connection:
        key = connection.execute(query).first()
        if key is None:
            return None
        now = ledger.now(connection)
        if key.last_used_at is None or now - key.last_used_at > LAST_USED_STEP:
            # Another request may be noting the same: skip rather than wait for it.
            connection.execute(
                text(
                    "UPDATE api_keys SET last_used_at = :now WHERE id ="
                    " (SELECT id FROM api_keys WHERE id = :id FOR NO KEY UPDATE SKIP LOCKED)"
                ),
                {"now": now, "id": key.id},
            )
        return Caller(key.client_id, key.id, frozenset(key.scopes))


def revoke(key_id: int) -> None:
    """From now on, or CACHE_S seconds later at most, the key is refused."""
    with runtime().engine.begin() as connection:
        now = ledger.now(connection)
        connection.execute(update(ApiKey).where(ApiKey.id == key_id).values(revoked_at=now))


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
