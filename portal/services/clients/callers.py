"""Who calls: a key's client and what it may do, remembered for less than a second.

A process asks the database about a key once it has known it for FRESH_S; one thread asks, the others
go by what is known. What was read CACHE_S ago is never gone by: a revocation holds within a second.
"""

import re
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import select, text

from portal.runtime import runtime
from portal.services.clients.limits import Limits, read
from portal.services.models import ApiClient, ApiKey

FRESH_S = 0.5
CACHE_S = 0.9
"""How long a process may go on honouring a key after it was revoked, from before it last asked."""
MAX_KNOWN = 10_000
SHAPE = re.compile(r"dream_[A-Za-z0-9_-]{43}")
"""Of a key. What is of another costs no question."""
UNKNOWN_S = 0.5
"""For which a token that was none is refused without asking. A key is new to all when it is made."""
LAST_USED_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller(Limits):
    """Who calls: the client that idempotency keys belong to, and what its key may do."""

    name: str
    key_id: int
    scopes: frozenset[str]


@dataclass(slots=True)
class _Known:
    """What a process knows of a key; times are `time.monotonic`'s."""

    caller: Caller
    fresh_until: float
    until: float
    asking: threading.Lock = field(default_factory=threading.Lock)


_known: dict[bytes, _Known] = {}
"""By token hash."""
_unknown: dict[bytes, float] = {}
"""Token hashes that are nobody's, and until when that is gone by."""


def caller_of(token: str) -> Caller | None:
    """Who a key belongs to; None for one that is unknown, revoked or over."""
    if not SHAPE.fullmatch(token):
        return None
    hashed = digest(token)
    known = _known.get(hashed)
    now = time.monotonic()
    if known is None or now >= known.until:
        return None if now < _unknown.get(hashed, 0) else _ask(hashed)
    if now >= known.fresh_until and known.asking.acquire(blocking=False):
        return _ask(hashed)  # what it stores has a lock of its own: this one asks no more
    return known.caller


def digest(token: str) -> bytes:
    """What is kept of a key."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def _ask(hashed: bytes) -> Caller | None:
    """Read the key and remember its caller, counted from before it was read."""
    began = time.monotonic()
    found = _find(hashed)
    if found is None:
        _known.pop(hashed, None)
        if len(_unknown) > MAX_KNOWN:
            _unknown.clear()
        _unknown[hashed] = began + UNKNOWN_S
        return None
    caller, left_s = found
    if len(_known) > MAX_KNOWN:
        _known.clear()
    _known[hashed] = _Known(caller, began + min(FRESH_S, left_s), began + min(CACHE_S, left_s))
    return caller


KEY = (
    select(
        *(ApiKey.id, ApiKey.client_id, ApiKey.scopes, ApiKey.last_used_at, ApiKey.expires_at),
        *(
            ApiClient.name,
            ApiClient.games,
            ApiClient.regions,
            ApiClient.networks,
            ApiClient.rate_limit,
        ),
        text("ledger.clock() AS now"),
    )
    .join(ApiClient, ApiClient.id == ApiKey.client_id)
    .where(ApiKey.revoked_at.is_(None))
)


def _find(hashed: bytes) -> tuple[Caller, float] | None:
    """The caller, and for how many seconds its key still works."""
    with runtime().engine.begin() as connection:
        key = connection.execute(KEY.where(ApiKey.secret_hash == hashed)).first()
        if key is None or (key.expires_at is not None and key.expires_at <= key.now):
            return None
        if key.last_used_at is None or key.now - key.last_used_at > LAST_USED_STEP:
            # Another request may be noting the same: skip rather than wait for it.
            connection.execute(
                text(
                    "UPDATE api_keys SET last_used_at = :now WHERE id ="
                    " (SELECT id FROM api_keys WHERE id = :id FOR NO KEY UPDATE SKIP LOCKED)"
                ),
                {"now": key.now, "id": key.id},
            )
    left = (key.expires_at - key.now).total_seconds() if key.expires_at else CACHE_S
    caller = Caller(
        client_id=key.client_id,
        name=key.name,
        key_id=key.id,
        scopes=frozenset(key.scopes),
        **read(key),
    )
    return caller, left
