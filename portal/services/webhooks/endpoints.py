"""Webhook endpoints: a client's addresses, which events each wants, and how far each got."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from portal import ledger
from portal.ledger.errors import NotFound, Refused
from portal.ledger.events import Position
from portal.runtime import runtime
from portal.services import locks, users
from portal.services.events import Interest
from portal.services.webhooks import audited, signing
from portal.services.webhooks.addresses import NotAllowed, addresses, parse, rules, system_lookup

MAX_ENDPOINTS = 10
"""A client's."""
OVERLAP = timedelta(hours=24)
"""For how long the secret before the last rotation signs as well."""
COUNTED = 1000
"""Entries that an endpoint is behind are counted up to here."""
UNKNOWN = "there is no such webhook endpoint: GET /api/v1/webhook-endpoints lists yours"
BY_HAND = "disabled by its client"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address, what it is sent, and where its delivery stands."""

    id: int
    client_id: int
    url: str
    description: str | None
    events: list[str] | None
    state: str
    created_at: datetime
    secret_version: int
    old_secret_until: datetime | None
    position: Position
    attempts: int
    failing_since: datetime | None
    next_at: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_failure: str | None
    disabled_reason: str | None
    games: list[str] | None
    regions: list[str] | None
    now: datetime
    """The ledger clock as this was read."""

    @property
    def interest(self) -> Interest:
        """The events that it wants and that its client may see."""
        regions = None if self.regions is None else users.region_numbers(self.regions)
        return Interest(self.events, regions, self.games)

    def secrets(self) -> list[bytes]:
        """Those that sign now, the newest first."""
        versions = [self.secret_version]
        if self.old_secret_until is not None and self.now < self.old_secret_until:
            versions.append(self.secret_version - 1)
        key = runtime().settings.secret_key
        return [signing.secret(key, self.id, version) for version in versions]


@dataclass(frozen=True, slots=True)
class Stall:
    """A user whose events an endpoint does not take, while it takes those of others."""

    owner_id: int
    seq: int
    attempts: int
    since: datetime
    next_at: datetime
    last_failure: str


ENDPOINTS = """
SELECT e.id, e.client_id, e.url, e.description, e.events, e.state, e.created_at, e.secret_version,
       e.old_secret_until, e.read_at, e.read_owner, e.read_seq, e.attempts, e.failing_since, e.next_at,
       e.last_success_at, e.last_failure_at, e.last_failure, e.disabled_reason, c.games, c.regions,
       ledger.clock() AS now
FROM webhook_endpoints e JOIN api_clients c ON c.id = e.client_id
"""


def find(connection: Connection, endpoint_id: int) -> Endpoint | None:
    """An endpoint of any client."""
    row = connection.execute(text(ENDPOINTS + "WHERE e.id = :id"), {"id": endpoint_id}).first()
    return _endpoint(row._asdict()) if row else None


def _endpoint(fields: dict[str, Any]) -> Endpoint:
    position = Position(*(fields.pop(name) for name in ("read_at", "read_owner", "read_seq")))
    return Endpoint(position=position, **fields)


def get(client_id: int, endpoint_id: int) -> Endpoint:
    """A client's endpoint. Raises NotFound('unknown_endpoint')."""
    with runtime().engine.connect() as connection:
        return _own(connection, client_id, endpoint_id)


def _own(connection: Connection, client_id: int, endpoint_id: int) -> Endpoint:
    found = find(connection, endpoint_id)
    if found is None or found.client_id != client_id:
        raise NotFound("unknown_endpoint", UNKNOWN)
    return found


def every(client_id: int) -> list[Endpoint]:
    """A client's endpoints, oldest first: MAX_ENDPOINTS at most."""
    query = text(ENDPOINTS + "WHERE e.client_id = :client ORDER BY e.id")
    with runtime().engine.connect() as connection:
        rows = connection.execute(query, {"client": client_id}).mappings()
        return [_endpoint(dict(row)) for row in rows]


MAKE = """
INSERT INTO webhook_endpoints (client_id, url, description, events, state, created_at, read_at, read_owner)
SELECT :client, :url, :description, :events, 'enabled', ledger.clock(), coalesce(:since, ledger.clock()), -1
WHERE (SELECT count(*) FROM webhook_endpoints WHERE client_id = :client) < :most
RETURNING id
"""


def make(
    client_id: int,
    url: str,
    description: str | None,
    events: Sequence[str] | None,
    since: datetime | None,
) -> Endpoint:
    """Have a client's events sent to a URL, from now on or from those booked since a time.

    Raises Refused('url_not_allowed') and Refused('too_many_endpoints').
    """
    check_url(url)
    wanted = {"client": client_id, "url": url, "description": description, "since": since}
    wanted |= {"events": events and list(events), "most": MAX_ENDPOINTS}
    with runtime().engine.begin() as connection:
        lock = text("SELECT pg_advisory_xact_lock(:class, :client)")
        connection.execute(lock, {"class": locks.CLIENT_ENDPOINTS, "client": client_id})
        made = connection.scalar(text(MAKE), wanted)
        if made is None:
            detail = f"a client has at most {MAX_ENDPOINTS} endpoints: delete one first"
            raise Refused("too_many_endpoints", detail)
        endpoint = _own(connection, client_id, made)
        audited.record(connection, "made", None, endpoint)
        return endpoint


def check_url(url: str) -> None:
    """Raises Refused('url_not_allowed') for one that nothing may be sent to."""
    allowed = rules(runtime().settings)
    try:
        addresses(parse(url, allowed), allowed, system_lookup)
    except NotAllowed as refused:
        raise Refused("url_not_allowed", str(refused), param="url") from None


CHANGE = """
UPDATE webhook_endpoints
SET url = :url, description = :description, events = :events, state = :state, next_at = NULL,
    attempts = 0, failing_since = NULL,
    disabled_reason = CASE WHEN :state = 'enabled' THEN NULL ELSE coalesce(disabled_reason, :reason) END
WHERE id = :id
"""
RETRY_STALLS = """
UPDATE webhook_stalls SET attempts = 0, since = ledger.clock(), next_at = ledger.clock()
WHERE endpoint_id = :id
"""


def change(client_id: int, endpoint_id: int, changes: Mapping[str, Any]) -> Endpoint:
    """Change url, description, events or state; what failed is tried again at once.

    An endpoint that is enabled again goes on where it was. Raises NotFound('unknown_endpoint') and
    Refused('url_not_allowed').
    """
    if "url" in changes:
        check_url(changes["url"])
    with runtime().engine.begin() as connection:
        now = _own(connection, client_id, endpoint_id)
        names = ("url", "description", "events", "state")
        fields = {name: changes.get(name, getattr(now, name)) for name in names}
        connection.execute(text(CHANGE), fields | {"id": endpoint_id, "reason": BY_HAND})
        connection.execute(text(RETRY_STALLS), {"id": endpoint_id})
        changed = _own(connection, client_id, endpoint_id)
        audited.record(connection, "changed", now, changed)
        return changed


def remove(client_id: int, endpoint_id: int) -> None:
    """Forget an endpoint and how far it got. Raises NotFound('unknown_endpoint')."""
    with runtime().engine.begin() as connection:
        gone = _own(connection, client_id, endpoint_id)
        forget = text("DELETE FROM webhook_endpoints WHERE id = :id")
        connection.execute(forget, {"id": endpoint_id})
        audited.record(connection, "deleted", gone, None)


# Again while the old secret signs, it changes nothing: who repeats a call whose answer was lost is told
# the same secret, and the one that its receiver has is not put out of force.
ROTATE = """
UPDATE webhook_endpoints SET secret_version = secret_version + 1, old_secret_until = ledger.clock() + :overlap
WHERE id = :id AND (old_secret_until IS NULL OR old_secret_until <= ledger.clock())
"""


def rotate(client_id: int, endpoint_id: int) -> Endpoint:
    """Give an endpoint a new secret, unless it had one within OVERLAP; the one before signs too for so long.

    Raises NotFound.
    """
    with runtime().engine.begin() as connection:
        before = _own(connection, client_id, endpoint_id)
        rotated = connection.execute(text(ROTATE), {"id": endpoint_id, "overlap": OVERLAP})
        after = _own(connection, client_id, endpoint_id)
        if rotated.rowcount:
            audited.record(connection, "rotated", before, after)
        return after


# No entry is of owner -1: the number beside it tells a deliverer, whose page may have begun at the very
# same place, that the cursor was moved meanwhile.
REWIND = """
UPDATE webhook_endpoints
SET read_at = :at, read_owner = :owner, next_at = NULL, attempts = 0, failing_since = NULL,
    read_seq = CASE WHEN (read_at, read_owner) = (:at, :owner) THEN read_seq + 1 ELSE 0 END
WHERE id = :id AND (read_at, read_owner) >= (:at, :owner)
"""
# What lies behind the new position will be read again, with the others of its user, in order.
FORGET_STALLS = """
DELETE FROM webhook_stalls s USING ledger.entries e
WHERE s.endpoint_id = :id AND e.owner_id = s.owner_id AND e.seq = s.seq
  AND (e.booked_at, e.owner_id, e.seq) > (:at, :owner, :seq)
"""


def replay_since(client_id: int, endpoint_id: int, since: datetime) -> Endpoint:
    """Have everything booked since a time sent again, in order. Raises NotFound."""
    position = Position.before(since)
    place = {"at": position.booked_at, "owner": position.owner_id, "seq": position.seq}
    with runtime().engine.begin() as connection:
        _own(connection, client_id, endpoint_id)
        if connection.execute(text(REWIND), place | {"id": endpoint_id}).rowcount:
            connection.execute(text(FORGET_STALLS), place | {"id": endpoint_id})
        endpoint = _own(connection, client_id, endpoint_id)
        audited.record_replay(connection, endpoint, since)
        return endpoint


def replayable(client_id: int, endpoint_id: int, event_id: str) -> tuple[int, int]:
    """The (owner_id, seq) of an event that an endpoint's client may see.

    Raises NotFound('unknown_endpoint') and NotFound('unknown_entry').
    """
    owner, seq = parse_event_id(event_id)
    with runtime().engine.connect() as connection:
        endpoint = _own(connection, client_id, endpoint_id)
        entry = ledger.feed_entry(connection, owner, seq)
    interest = Interest(None, endpoint.interest.regions, endpoint.games)
    if entry is None or not interest.wants(entry):
        raise NotFound("unknown_entry", "there is no such event")
    return owner, seq


def parse_event_id(event_id: str) -> tuple[int, int]:
    """Owner and number of an event's id. Raises NotFound('unknown_entry') for what can't be one."""
    owner = event_id.partition("-")[0]
    if users.ID.fullmatch(owner) and int(owner) <= users.MAX_ID:
        seq = users.parse_entry_id(event_id, int(owner))
        if seq is not None:
            return int(owner), seq
    raise NotFound("unknown_entry", "there is no such event")


def behind(endpoint: Endpoint) -> int:
    """How many entries it has not been offered yet, counted up to COUNTED."""
    with runtime().engine.connect() as connection:
        return ledger.count_after(connection, endpoint.position, COUNTED)


STALLS = """
SELECT owner_id, seq, attempts, since, next_at, last_failure FROM webhook_stalls
WHERE endpoint_id = :id AND owner_id > :after ORDER BY owner_id LIMIT :limit
"""


def stalls(client_id: int, endpoint_id: int, after: int, limit: int) -> list[Stall]:
    """The users whose events wait, by id, from `after` (exclusive) on. Raises NotFound."""
    known = {"id": endpoint_id, "after": after, "limit": limit}
    with runtime().engine.connect() as connection:
        _own(connection, client_id, endpoint_id)
        return [Stall(*row) for row in connection.execute(text(STALLS), known)]
