"""API keys: prefixed, shown once, stored hashed, scoped; rotated with an overlap, revoked at once."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from portal import ledger
from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services import audit
from portal.services.clients import limits
from portal.services.clients.callers import digest
from portal.services.models import ApiClient, ApiKey, WebhookEndpoint
from portal.services.users import MAX_ID

SCOPES = {
    "read": "read everything that has a `GET`, but webhook endpoints (`admin`) and imports (`imports:write`)",
    "users:write": "make and change users",
    "wins:write": "book wins, one by one or in batches",
    "wallets:write": "top up, grant, spend, hold, reverse",
    "imports:write": "import wins, up to 30 days old",
    "admin": "run conversions, keep webhook endpoints",
}
"""What a key may be let do, in words."""
PREFIX = "dream_"
SHOWN = 12
OVERLAP = timedelta(hours=24)
"""How long a rotated key works on beside the one that replaces it."""
MAX_OVERLAP = timedelta(days=90)
WITHOUT_KEYS = "all keys of its client were revoked"


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key without its secret, of which nobody but its holder knows more than the beginning."""

    id: int
    client: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None

    def works(self, now: datetime) -> bool:
        """Whether it is let in: neither revoked nor over."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


KEYS = select(
    *(ApiKey.id, ApiClient.name, ApiKey.prefix, ApiKey.scopes, ApiKey.created_at),
    *(ApiKey.last_used_at, ApiKey.expires_at, ApiKey.revoked_at),
).join(ApiClient, ApiClient.id == ApiKey.client_id)


def create_key(client_name: str, scopes: Collection[str], form_id: str | None = None) -> str:
    """Make a key, and the client if it is new; the answer is the only time the key is shown.

    `form_id` is of the form that asks: sent again, it makes no other. Raises
    Refused('validation_failed', 'form_sent_before').
    """
    _check_scopes(scopes)
    with runtime().engine.begin() as connection:
        client_id = limits.make(connection, client_name)
        _lock(connection, client_id)
        key_id, token = _insert(connection, client_id, scopes, form_id)
        made = {"client": client_name, "begins": token[:SHOWN], "scopes": sorted(scopes)}
        audit.record(connection, "key.created", "key", key_id, after=made)
        return token


def rotate(
    key_id: int,
    scopes: Collection[str] | None = None,
    overlap: timedelta = OVERLAP,
    form_id: str | None = None,
) -> tuple[str, datetime]:
    """Replace a key by a new one of the same client, with its scopes unless others are given.

    Answers the new key, and until when the old one works. Idempotency keys are the client's: a
    request that was sent with the old one is a replay with the new one. `form_id` as in
    `create_key`. Raises Refused('unknown_key', 'key_not_active', 'validation_failed',
    'form_sent_before').
    """
    if scopes is not None:
        _check_scopes(scopes)
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        detail = f"an overlap is from 0 to {MAX_OVERLAP.days} days"
        raise Refused("validation_failed", detail, param="overlap_hours")
    with runtime().engine.begin() as connection:
        _lock(connection, select(ApiKey.client_id).where(ApiKey.id == key_id).scalar_subquery())
        query = KEYS.add_columns(ApiKey.client_id).where(ApiKey.id == key_id)
        old = connection.execute(query.with_for_update(of=ApiKey)).first()
        if old is None:
            raise _unknown(str(key_id))
        _check_form(connection, form_id)
        now = ledger.now(connection)
        if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
            raise Refused("key_not_active", f"key {key_id} does not work any more: create another")
        until = min(now + overlap, old.expires_at or now + overlap)
        ends = update(ApiKey).where(ApiKey.id == key_id).values(expires_at=until)
        connection.execute(ends)
        new_id, token = _insert(connection, old.client_id, scopes or old.scopes, form_id)
        told = {"client": old.name, "begins": old.prefix, "expires_at": old.expires_at}
        new = {"new": new_id, "new_begins": token[:SHOWN], "scopes": sorted(scopes or old.scopes)}
        after = told | {"expires_at": until} | new
        audit.record(connection, "key.rotated", "key", key_id, told, after)
        return token, until


def revoke(key_id: int) -> None:
    """From now on, on every web process less than a second later, the key is refused.

    Revoked again, it stays revoked since the first time. Raises Refused('unknown_key').
    """
    with runtime().engine.begin() as connection:
        if not _revoke(connection, ApiKey.id == key_id):
            raise _unknown(str(key_id))


def revoke_all(client_name: str) -> int:
    """Revoke every key of a client; how many it has. Raises Refused('unknown_client').

    Its webhook endpoints are disabled with them, and its imports wait until it has a key that works.
    """
    with runtime().engine.begin() as connection:
        client = connection.scalar(limits.by_name(client_name))
        if client is None:
            raise limits.unknown(client_name)
        _lock(connection, client)
        _disable_endpoints(connection, client)
        return _revoke(connection, ApiKey.client_id == client)


def _lock(connection: Connection, client_id: Any) -> None:
    """Keep others from giving the client keys until the transaction ends: none outlives a revoking of all."""
    connection.execute(select(ApiClient.id).where(ApiClient.id == client_id).with_for_update())


def list_keys(client_name: str | None = None) -> list[KeyInfo]:
    """All keys, or a client's, oldest first. Raises Refused('unknown_client')."""
    query = KEYS.order_by(ApiKey.id)
    with runtime().engine.connect() as connection:
        if client_name is not None:
            if connection.scalar(limits.by_name(client_name)) is None:
                raise limits.unknown(client_name)
            query = query.where(ApiClient.name == client_name)
        return [KeyInfo(*row) for row in connection.execute(query)]


def find_key(named: str) -> int:
    """The id of a key by its id or its prefix. Raises Refused('unknown_key')."""
    number = named.isascii() and named.isdecimal() and int(named) <= MAX_ID
    which = ApiKey.id == int(named) if number else ApiKey.prefix == named
    with runtime().engine.connect() as connection:
        found = connection.scalars(select(ApiKey.id).where(which)).all()
    if len(found) > 1:
        raise Refused("unknown_key", f"{len(found)} keys begin with {named}: name one by its id")
    if not found:
        raise _unknown(named)
    return found[0]


def _check_form(connection: Connection, form_id: str | None) -> None:
    known = select(ApiKey.id).where(ApiKey.form_id == form_id)
    if form_id is not None and connection.scalar(known) is not None:
        raise _sent_before()


def _insert(
    connection: Connection, client_id: int, scopes: Collection[str], form_id: str | None
) -> tuple[int, str]:
    """The id of a new key, and the key. Of two that one form asks for, the second is refused."""
    token = PREFIX + secrets.token_urlsafe(32)
    key = {
        "client_id": client_id,
        "prefix": token[:SHOWN],
        "secret_hash": digest(token),
        "scopes": list(scopes),
        "created_at": ledger.now(connection),
        "form_id": form_id,
    }
    new = insert(ApiKey).values(key).on_conflict_do_nothing(index_elements=["form_id"])
    made: int | None = connection.scalar(new.returning(ApiKey.id))
    if made is None:
        raise _sent_before()
    return made, token


def _revoke(connection: Connection, which: ColumnElement[bool]) -> int:
    """How many keys there are of these, all of them revoked now."""
    keys = connection.execute(KEYS.where(which).with_for_update(of=ApiKey)).all()
    now = ledger.now(connection)
    for key in keys:
        if key.revoked_at is None:
            connection.execute(update(ApiKey).where(ApiKey.id == key.id).values(revoked_at=now))
            told = {"client": key.name, "begins": key.prefix, "revoked_at": None}
            after = told | {"revoked_at": now}
            audit.record(connection, "key.revoked", "key", key.id, told, after)
    return len(keys)


def _disable_endpoints(connection: Connection, client_id: int) -> None:
    ours = (WebhookEndpoint.client_id == client_id, WebhookEndpoint.state == "enabled")
    ends = update(WebhookEndpoint).where(*ours).returning(WebhookEndpoint.id)
    after = {"state": "disabled", "reason": WITHOUT_KEYS}
    ended = connection.scalars(ends.values(state="disabled", disabled_reason=WITHOUT_KEYS))
    for number in ended.all():
        was = {"state": "enabled", "reason": None}
        audit.record(connection, "webhook_endpoint.changed", "webhook_endpoint", number, was, after)


def _check_scopes(scopes: Collection[str]) -> None:
    unknown = set(scopes) - set(SCOPES)
    if unknown or not scopes:
        detail = f"scopes are {', '.join(SCOPES)}, not {', '.join(sorted(unknown)) or 'none'}"
        raise Refused("validation_failed", detail, param="scopes")


def _sent_before() -> Refused:
    detail = "the form was sent before, and made a key then: a key is shown only once"
    return Refused("form_sent_before", detail)


def _unknown(named: str) -> Refused:
    return Refused("unknown_key", f"there is no key {named}: bin/flask keys list")
