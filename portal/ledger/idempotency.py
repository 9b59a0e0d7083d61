"""Idempotency keys and request hashes: what makes a second request the same as the first.

A key belongs to an API client and an owner and is kept, hashed, for ever. A request is its kind,
owner, target and validated fields in canonical form, however it was written and sent.
Section 6 of the design.
"""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

VERSION = 1
SYSTEM = 0
"""The client of entries that Dreamland makes by itself."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Field = str | int | None


def key_hash(client_id: int, key: str) -> str:
    """The first 128 bits of SHA-256 over client and key, as 32 hex digits."""
    return sha256(f"{client_id}:{key}".encode()).hexdigest()[:32]


def request_hash(kind: str, owner_id: int, *fields: Field) -> bytes:
    """SHA-256 of a request; amounts in base units, times as UTC microseconds, absent as None."""
    canonical = json.dumps([VERSION, kind, owner_id, *fields], separators=(",", ":"))
    return sha256(canonical.encode()).digest()


def microseconds(at: datetime) -> int:
    """Microseconds since 1970 in UTC of a time with an offset."""
    return (at - EPOCH) // MICROSECOND
