"""Search: what finance may have in hand (a number, a key, a reference, an e-mail) and what it is of.

Every part is bounded and read by an index. What was asked for is kept nowhere: it may be an e-mail.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection, func, select, text

from portal import ledger
from portal.ledger.idempotency import SYSTEM, key_hash
from portal.runtime import runtime
from portal.services import written
from portal.services.activity import DREAMLAND
from portal.services.clients.callers import SHAPE
from portal.services.clients.keys import PREFIX, SHOWN
from portal.services.fields import KEY
from portal.services.models import ApiClient, ApiKey, ConversionRun
from portal.services.users import any_entry_id, as_number

Kind = Literal["entry", "payment", "user", "staff", "client", "hour"]

MOST = 20
"""Of a kind, at most."""
MOST_CLIENTS = 1_000
"""Clients whose keys are looked for."""
HOUR = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2})(?::(\d{2})(?::\d{2}(?:\.\d+)?)?)? ?([Zz]|UTC|[+-]\d{2}:\d{2})?",
    re.ASCII,
)
"""A time, to the hour at least; without an offset it is UTC."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found: what it is called, by what it was found, and what tells it from others."""

    kind: Kind
    id: str
    """Of a payment that is not booked, and of a user, the user's number; of an hour, when it began."""
    name: str
    by: str
    about: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What there is, the kinds in order; `is_cut` where there is more of one."""

    hits: list[Hit]
    is_cut: bool


def find(asked: str) -> Found:
    """Everything that is called so."""
    with runtime().snapshot() as connection:
        if hours := list(_hours(connection, asked)):  # the reference of thousands of entries, too
            return Found(hours, is_cut=False)
        names = _clients(connection)
        parts = [
            [*_entries(connection, asked, names), *_payments(connection, asked)],
            list(_people(connection, asked)),
            [*_named_clients(asked, names), *_keys(connection, asked)],
        ]
    merged = _merged(hit for part in parts for hit in part[:MOST])
    return Found(merged, any(len(part) > MOST for part in parts))


def shown_of_key(asked: str) -> str | None:
    """The beginning of a whole API key in a text, all that anybody may keep of it; None where there is none."""
    found = SHAPE.search(asked)
    return found[0][:SHOWN] if found else None


def _merged(hits: Iterator[Hit]) -> list[Hit]:
    """Each thing once, with all that it was found by."""
    found: dict[tuple[str, str], Hit] = {}
    for hit in hits:
        known = found.get((hit.kind, hit.id))
        by = hit.by if known is None or known.by == hit.by else f"{known.by}, {hit.by}"
        found[hit.kind, hit.id] = replace(known or hit, by=by)
    return list(found.values())


def _clients(connection: Connection) -> dict[int, str]:
    """The names of all API clients, whose keys a key may be one of; and Dreamland itself."""
    query = select(ApiClient.id, ApiClient.name).order_by(ApiClient.id).limit(MOST_CLIENTS)
    return {SYSTEM: DREAMLAND} | {row.id: row.name for row in connection.execute(query)}


def _entries(connection: Connection, asked: str, clients: dict[int, str]) -> Iterator[Hit]:
    keys = [key_hash(client, asked) for client in clients] if KEY.fullmatch(asked) else []
    names = ledger.Names(any_entry_id(asked), keys, asked)
    for entry in ledger.find_entries(connection, names, MOST + 1):
        about = entry.reference or ""
        name = f"{entry.owner_id}-{entry.seq}"
        yield Hit("entry", name, entry.kind, _by(entry, clients), about, entry.booked_at)


def _by(entry: ledger.FoundEntry, clients: dict[int, str]) -> str:
    if entry.by == "key":
        return f"idempotency key of {clients[entry.client_id]}"
    return entry.by


def _payments(connection: Connection, asked: str) -> Iterator[Hit]:
    for payment in ledger.find_payments(connection, asked, MOST + 1):
        by = f"payment by {payment.provider}"
        if payment.seq is None:
            owner = str(payment.owner_id)
            yield Hit("payment", owner, payment.reference, by, "not booked", payment.claimed_at)
        else:
            entry_id = f"{payment.owner_id}-{payment.seq}"
            yield Hit("entry", entry_id, "top_up", by, payment.reference, payment.claimed_at)


# What is one user's alone comes first; of a name's beginning there may be very many.
PEOPLE = """
(SELECT 'user' AS kind, u.id, u.display_name AS name, u.external_id AS about, u.created_at AS at,
        CASE WHEN u.id = :number THEN 'number' WHEN u.external_id = :asked THEN 'external id' ELSE 'e-mail' END AS by
 FROM users u WHERE u.id = :number OR u.external_id = :asked OR lower(u.email) = lower(:asked)
 ORDER BY u.id LIMIT :limit)
UNION ALL
(SELECT CASE WHEN u.id IS NULL THEN 'staff' ELSE 'user' END, coalesce(u.id, s.id), coalesce(u.display_name, s.email),
        coalesce(u.external_id, s.role), coalesce(u.created_at, s.created_at), 'e-mail of the sign-in'
 FROM sign_ins s LEFT JOIN users u ON u.id = s.user_id WHERE s.email = lower(:asked))
UNION ALL
(SELECT 'user', u.id, u.display_name, u.external_id, u.created_at, 'name'
 FROM users u WHERE lower(u.display_name) ^@ lower(:asked) LIMIT :limit)
"""


def _people(connection: Connection, asked: str) -> Iterator[Hit]:
    known = {"asked": asked, "number": as_number(asked), "limit": MOST + 1}
    for row in connection.execute(text(PEOPLE), known):
        yield Hit(row.kind, str(row.id), row.name, row.by, row.about, row.at)


def _named_clients(asked: str, clients: dict[int, str]) -> Iterator[Hit]:
    for client, name in clients.items():
        if client != SYSTEM and name.lower().startswith(asked.lower()):
            yield Hit("client", str(client), name, "name")


def _keys(connection: Connection, asked: str) -> Iterator[Hit]:
    """The clients of keys that begin so; of a key no more is known than how it begins."""
    if not asked.startswith(PREFIX):
        return
    query = select(ApiClient.id, ApiClient.name, ApiKey.prefix).join_from(ApiKey, ApiClient)
    query = query.where(func.starts_with(ApiKey.prefix, asked[:SHOWN])).order_by(ApiKey.id)
    for row in connection.execute(query.limit(MOST + 1)):
        yield Hit("client", str(row.id), row.name, f"API key {row.prefix}…")


def _hours(connection: Connection, asked: str) -> Iterator[Hit]:
    """The conversion of the hour that a time lies in."""
    hour = _hour(asked)
    if hour is None:
        return
    query = select(ConversionRun.state).where(ConversionRun.hour == hour)
    state = connection.scalar(query)
    if state is not None:
        yield Hit("hour", written.moment(hour), written.moment(hour), "hour", state, hour)


def _hour(asked: str) -> datetime | None:
    found = HOUR.fullmatch(asked)
    if found is None:
        return None
    day, hour, minute, offset = found.groups()
    zone = "+00:00" if offset in (None, "Z", "z", "UTC") else offset
    try:
        at = datetime.fromisoformat(f"{day}T{hour}:{minute or '00'}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at.replace(minute=0)
