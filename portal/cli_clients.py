"""The commands for API clients and their keys: `bin/flask clients …`, `bin/flask keys …`."""

from datetime import datetime, timedelta

import click
from flask import Flask

from portal.cli import command
from portal.services import clients
from portal.services.webhooks import endpoints

CLIENTS = click.Group("clients", help="API clients: make them, list them, limit them.")
KEYS = click.Group("keys", help="API keys: create, list, rotate, revoke. A key is shown once.")
USUAL = ("read", "users:write", "wins:write")
ANY = "any"


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(CLIENTS)
    app.cli.add_command(KEYS)


@command("add", click.argument("name"), group=CLIENTS)
def add_client(name: str) -> None:
    """Make a client; the same name again finds it. It may do anything until `limit`."""
    client, added = clients.add(name)
    click.echo(f"{'Added' if added else 'Found'} client {_told(client)}")


@command("list", group=CLIENTS)
def list_clients() -> None:
    """Every client with what it is limited to."""
    for client in clients.every():
        click.echo(_told(client))


@command(
    "limit",
    click.argument("name"),
    click.option("--game", "games", multiple=True, help="May book wins of this game; repeat."),
    click.option("--any-game", is_flag=True, help="Lift that limit."),
    click.option("--region", "regions", multiple=True, help="Sees users of this region; repeat."),
    click.option("--any-region", is_flag=True, help="Lift that limit."),
    click.option("--network", "networks", multiple=True, help="Calls from this CIDR; repeat."),
    click.option("--any-network", is_flag=True, help="Lift that limit."),
    click.option("--rate", type=click.IntRange(0), help="Requests a minute; 0: any number."),
    click.option("--default-rate", is_flag=True, help="What RATE_LIMIT_PER_MINUTE says."),
    group=CLIENTS,
)
def limit_client(
    name: str,
    rate: int | None,
    *,
    default_rate: bool,
    **chosen: tuple[str, ...] | bool,
) -> None:
    """Limit a client. What is not named stays as it is; a list takes the place of the one before."""
    changes: dict[str, object] = {}
    for field in ("games", "regions", "networks"):
        lifted = chosen[f"any_{field.removesuffix('s')}"]
        if lifted and chosen[field]:
            raise click.UsageError(f"--any-{field[:-1]} contradicts --{field[:-1]}")
        if lifted or chosen[field]:
            changes[field] = None if lifted else chosen[field]
    if default_rate and rate is not None:
        raise click.UsageError("--default-rate contradicts --rate")
    if default_rate or rate is not None:
        changes["rate_limit"] = rate
    click.echo(_told(clients.set_limits(name, **changes)))


@command("endpoints", click.argument("name"), group=CLIENTS)
def list_endpoints(name: str) -> None:
    """A client's webhook endpoints: where its events are sent, and why not."""
    for endpoint in endpoints.every(clients.find(name)):
        said = ": ".join(word for word in (endpoint.state, endpoint.disabled_reason) if word)
        click.echo(f"{endpoint.id:>6}  {endpoint.url}  {said}")


SCOPES = click.option(
    *("--scope", "scopes"), multiple=True, help=f"{', '.join(clients.SCOPES)}; repeat."
)


@command("create", click.argument("client"), SCOPES, group=KEYS)
def create_key(client: str, scopes: tuple[str, ...]) -> None:
    """Make a key for a client (made if new). It is shown this once."""
    click.echo(clients.create_key(client, scopes or USUAL))


@command("list", click.option("--client", help="Only this client's."), group=KEYS)
def list_keys(client: str | None) -> None:
    """Every key with what it may do and when it was used; never the key itself."""
    for key in clients.list_keys(client):
        moments = (
            ("created", key.created_at),
            ("used", key.last_used_at),
            ("expires", key.expires_at),
            ("revoked", key.revoked_at),
        )
        said = "  ".join(f"{word} {_moment(at)}" for word, at in moments if at)
        scopes = ",".join(key.scopes)
        click.echo(f"{key.id:>6}  {key.prefix}…  {key.client}  {scopes}  {said}")


@command(
    "rotate",
    click.argument("key"),
    click.option(
        "--overlap-hours",
        type=click.FloatRange(0, 24 * 90),
        default=24,
        show_default=True,
        help="How long the old key still works.",
    ),
    SCOPES,
    group=KEYS,
)
def rotate_key(key: str, overlap_hours: float, scopes: tuple[str, ...]) -> None:
    """Replace KEY, its id or prefix, by a new one of the same client; shown this once.

    Both work until the overlap ends. The new one has the same scopes unless others are named.
    """
    token, until = clients.rotate(
        clients.find_key(key), scopes or None, timedelta(hours=overlap_hours)
    )
    click.echo(token)
    click.echo(f"The old key works until {_moment(until)}.", err=True)


@command(
    "revoke",
    click.argument("key", required=False),
    click.option("--client", help="Every key of this client."),
    group=KEYS,
)
def revoke_key(key: str | None, client: str | None) -> None:
    """Refuse KEY, its id or prefix, within a second from now on; or all keys of a client."""
    if (key is None) == (client is None):
        raise click.UsageError("name a key, or a --client")
    if client is not None:
        click.echo(f"Revoked {clients.revoke_all(client)} keys of {client}")
    else:
        number = clients.find_key(str(key))
        clients.revoke(number)
        click.echo(f"Revoked key {number}")


def _told(client: clients.ClientInfo) -> str:
    rate = {None: "the usual", 0: ANY}.get(client.rate_limit, str(client.rate_limit))
    said = [
        f"{word} {','.join(names) if names is not None else ANY}"
        for word, names in (
            ("games", client.games),
            ("regions", client.regions),
            ("networks", client.networks),
        )
    ]
    return f"{client.name}: {'; '.join(said)}; requests a minute {rate}"


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
