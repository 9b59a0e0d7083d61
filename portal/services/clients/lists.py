"""Clients and their keys as staff look at them, page by page. No key is ever among what is read."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text

from portal.runtime import runtime
from portal.services.clients.keys import KEYS, KeyInfo
from portal.services.clients.limits import COLUMNS, ClientInfo
from portal.services.models import ApiClient, ApiKey


@dataclass(frozen=True, slots=True)
class ListedClient:
    """A client with its limits, how many of its keys work, and when one was used last."""

    info: ClientInfo
    working_keys: int
    last_used_at: datetime | None


CLIENTS = """
SELECT c.id, c.name, c.created_at, c.games, c.regions, c.networks, c.rate_limit, k.working, k.used_at
FROM api_clients c
CROSS JOIN (SELECT ledger.clock() AS at OFFSET 0) now
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE revoked_at IS NULL AND coalesce(expires_at > now.at, true)) AS working,
           max(last_used_at) AS used_at
    FROM api_keys WHERE client_id = c.id
) k
WHERE CAST(:after AS bigint) IS NULL OR c.name > (SELECT name FROM api_clients WHERE id = :after)
ORDER BY c.name LIMIT :limit
"""


def page(after: int | None, limit: int) -> list[ListedClient]:
    """Clients by name, from the one behind the client with the id `after` on."""
    with runtime().snapshot() as connection:
        rows = connection.execute(text(CLIENTS), {"after": after, "limit": limit})
        return [ListedClient(ClientInfo(*row[:7]), *row[7:]) for row in rows]


def get(client_id: int) -> ClientInfo | None:
    """The client of that number."""
    with runtime().snapshot() as connection:
        row = connection.execute(select(*COLUMNS).where(ApiClient.id == client_id)).first()
        return ClientInfo(*row) if row else None


def keys_page(client_id: int | None, before: int | None, limit: int) -> list[KeyInfo]:
    """Keys, of a client or of all, the newest first, from the one with the id `before` (exclusive) on."""
    query = KEYS.order_by(ApiKey.id.desc()).limit(limit)
    if client_id is not None:
        query = query.where(ApiKey.client_id == client_id)
    if before is not None:
        query = query.where(ApiKey.id < before)
    with runtime().snapshot() as connection:
        return [KeyInfo(*row) for row in connection.execute(query)]


def key(client_id: int, key_id: int) -> KeyInfo | None:
    """A client's key by its number."""
    query = KEYS.where(ApiKey.client_id == client_id, ApiKey.id == key_id)
    with runtime().snapshot() as connection:
        row = connection.execute(query).first()
        return KeyInfo(*row) if row else None
