"""What an API client is limited to: games, regions, networks, requests a minute. None: no limit."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from sqlalchemy import Connection, Select, select, update
from sqlalchemy.dialects.postgresql import insert

from portal import ledger
from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services import audit
from portal.services.models import ApiClient
from portal.services.users import REGION_SHIFT, region_numbers

MAX_NAME = 200
MAX_GAME = 200
MAX_RATE = 10**8
Network = IPv4Network | IPv6Network
MAPPED = IPv6Network("::ffff:0:0/96")
"""IPv4 addresses as IPv6 writes them: a caller's is taken for what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A client and its limits; `regions` are the numbers that the ids of its users begin with."""

    client_id: int
    games: frozenset[str] | None = None
    regions: frozenset[int] | None = None
    networks: tuple[Network, ...] | None = None
    rate_limit: int | None = None
    """Requests a minute; None: the setting's, 0: no limit."""

    def sees(self, user_id: int) -> bool:
        """Whether a user is of its regions."""
        return self.regions is None or user_id >> REGION_SHIFT in self.regions

    def refusal(self, user_id: int | None = None, game: str | None = None) -> str | None:
        """Why it may not act on this user, or for this game; None where it may."""
        if user_id is not None and not self.sees(user_id):
            return "the client is limited to other regions than this user's"
        if game is not None and self.games is not None and game not in self.games:
            return f"the client is limited to the games {', '.join(sorted(self.games))}"
        return None

    def check(self, user_id: int, game: str | None = None) -> None:
        """Raise Refused('forbidden') where it may not."""
        if refusal := self.refusal(user_id, game):
            raise Refused("forbidden", refusal)

    def is_from(self, address: str | None) -> bool:
        """Whether a call from there is let in. An address that can't be read is of no network."""
        if self.networks is None:
            return True
        try:
            where = ip_address(address or "")
        except ValueError:
            return False
        if isinstance(where, IPv6Address) and where.ipv4_mapped:
            where = where.ipv4_mapped
        return any(where in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """A client as it is kept, its limits as they were written."""

    id: int
    name: str
    created_at: datetime
    games: list[str] | None
    regions: list[str] | None
    networks: list[str] | None
    rate_limit: int | None


COLUMNS = (
    *(ApiClient.id, ApiClient.name, ApiClient.created_at),
    *(ApiClient.games, ApiClient.regions, ApiClient.networks, ApiClient.rate_limit),
)


def read(row: Any) -> dict[str, Any]:
    """The limits in a client's row, as fields of Limits."""
    return {
        "games": None if row.games is None else frozenset(row.games),
        "regions": None if row.regions is None else region_numbers(row.regions),
        "networks": None if row.networks is None else _networks(tuple(row.networks)),
        "rate_limit": row.rate_limit,
    }


@lru_cache(maxsize=1000)
def _networks(blocks: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(block) for block in blocks)


def named(name: str) -> int:
    """The id of the client of that name, made if new."""
    with runtime().engine.begin() as connection:
        return make(connection, name)


def make(connection: Connection, name: str) -> int:
    """The same, in a transaction of the caller's. Raises Refused('validation_failed')."""
    _check_name(name)
    new = insert(ApiClient).values(name=name, created_at=ledger.now(connection))
    new = new.on_conflict_do_nothing(index_elements=["name"])
    made: int | None = connection.scalar(new.returning(ApiClient.id))
    if made is None:
        return connection.execute(by_name(name)).scalar_one()
    audit.record(connection, "client.made", "client", made, after={"name": name})
    return made


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        detail = f"a client's name has 1 to {MAX_NAME} characters"
        raise Refused("validation_failed", detail, param="name")


def find(name: str) -> int:
    """The id of the client of that name. Raises Refused('unknown_client')."""
    with runtime().engine.connect() as connection:
        return _one(connection, name).id


def add(name: str) -> tuple[ClientInfo, bool]:
    """Make a client; the same name again finds it and answers False. Raises as `make` does."""
    _check_name(name)
    with runtime().engine.begin() as connection:
        there = connection.scalar(select(ApiClient.id).where(ApiClient.name == name))
        make(connection, name)
        return _one(connection, name), there is None


def every() -> list[ClientInfo]:
    """All clients, by name."""
    with runtime().engine.connect() as connection:
        rows = connection.execute(select(*COLUMNS).order_by(ApiClient.name))
        return [ClientInfo(*row) for row in rows]


def limits_of(client_id: int) -> Limits:
    """A client's limits, for what is done in its name without a call of it."""
    with runtime().engine.connect() as connection:
        row = connection.execute(select(*COLUMNS).where(ApiClient.id == client_id)).one()
        return Limits(client_id=client_id, **read(row))


def set_limits(name: str, **changes: Any) -> ClientInfo:
    """Change `games`, `regions`, `networks` or `rate_limit`; None lifts a limit, what is not named stays.

    In force at once, and on every web process within a second. Raises Refused('unknown_client',
    'validation_failed').
    """
    values = {field: CHECKS[field](value) for field, value in changes.items()}
    with runtime().engine.begin() as connection:
        before = _one(connection, name, lock=True)
        if values:
            connection.execute(update(ApiClient).where(ApiClient.name == name).values(values))
        after = _one(connection, name)
        if before != after:
            told = (_told(before, values), _told(after, values))
            audit.record(connection, "client.limited", "client", before.id, *told)
        return after


def limit(name: str, requests_a_minute: int | None) -> ClientInfo:
    """Set how many requests a minute a client may send: 0 for any number, None for the setting's."""
    return set_limits(name, rate_limit=requests_a_minute)


def by_name(name: str) -> Select[int]:
    """The query of a client's id."""
    return select(ApiClient.id).where(ApiClient.name == name)


def unknown(name: str) -> Refused:
    """The refusal of a name that no client has."""
    return Refused("unknown_client", f"there is no client {name}: bin/flask clients list")


def _told(client: ClientInfo, fields: Iterable[str]) -> dict[str, Any]:
    return {"name": client.name, **{field: getattr(client, field) for field in fields}}


def _one(connection: Connection, name: str, *, lock: bool = False) -> ClientInfo:
    query = select(*COLUMNS).where(ApiClient.name == name)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise unknown(name)
    return ClientInfo(*row)


def _games(names: Iterable[str] | None) -> list[str] | None:
    if names is None:
        return None
    games = sorted(set(names))
    if not games or not all(0 < len(name) <= MAX_GAME and name.isprintable() for name in games):
        detail = f"name games of 1 to {MAX_GAME} characters"
        raise Refused("validation_failed", detail, param="games")
    return games


def _regions(names: Iterable[str] | None) -> list[str] | None:
    if names is None:
        return None
    known, regions = runtime().settings.regions, sorted(set(names))
    if not regions or not set(regions) <= set(known):
        raise Refused("validation_failed", f"regions are {', '.join(known)}", param="regions")
    return regions


def _blocks(blocks: Iterable[str] | None) -> list[str] | None:
    if blocks is None:
        return None
    try:
        checked = {ip_network(block) for block in blocks}
    except ValueError as error:
        raise _no_network(f"{error}: write 192.0.2.0/24 or 2001:db8::/32") from None
    if not checked:
        raise _no_network("name at least one network")
    for network in checked:
        if "%" in str(network):
            raise _no_network(f"{network}: leave out what stands behind the %, no caller tells it")
        if isinstance(network, IPv6Network) and network.subnet_of(MAPPED):
            raise _no_network(f"{network} is never seen: write its IPv4 network, as 192.0.2.0/24")
    return sorted(map(str, checked))


def _no_network(detail: str) -> Refused:
    return Refused("validation_failed", detail, param="networks")


def _rate(value: int | None) -> int | None:
    if value is not None and not 0 <= value <= MAX_RATE:
        detail = f"requests a minute are from 0 to {MAX_RATE}"
        raise Refused("validation_failed", detail, param="rate_limit")
    return value


CHECKS: dict[str, Any] = {
    "games": _games,
    "regions": _regions,
    "networks": _blocks,
    "rate_limit": _rate,
}
