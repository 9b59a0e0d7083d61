"""The command line, `bin/flask …`: each command calls one service and says what came of it."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from flask import Flask
from sqlalchemy.exc import DBAPIError

from portal import cli_operator, ledger
from portal.ledger import amounts
from portal.ledger.errors import LedgerError
from portal.runtime import runtime
from portal.services import (
    assets,
    clients,
    conversions,
    demo,
    periods,
    rates,
    runs,
    users,
    verification,
)
from portal.services import clock as ledger_clock


class Moment(click.ParamType[datetime]):
    """An RFC 3339 time with an offset."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        """Read the text, in UTC."""
        try:
            at = datetime.fromisoformat(str(value))
            if at.tzinfo is None:
                self.fail(f"{value!r} has no offset: write 2026-11-20T15:00:00Z", param, ctx)
            return at.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a time like 2026-11-20T15:00:00Z", param, ctx)


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Command(click.Command):
    """A command whose refusals are one line and exit status 1."""

    @cli_operator.acting()
    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except LedgerError as error:
            raise click.ClickException(error.detail or error.code) from error
        except UnicodeEncodeError as error:
            raise click.ClickException("a word of this command is no valid text") from error
        except DBAPIError as error:
            raise click.ClickException(str(error.orig).partition("\n")[0]) from error


def command(
    name: str, *options: Decorator, group: click.Group | None = None
) -> Callable[[Callable[..., None]], click.Command]:
    """Declare a command of that name with its parameters, in a group or by itself."""

    def declare(function: Callable[..., None]) -> click.Command:
        for option in reversed(options):
            function = option(function)
        made = click.command(name, cls=Command)(function)
        if group is None:
            COMMANDS.append(made)
        else:
            group.add_command(made)
        return made

    return declare


COMMANDS: list[click.Command] = []
ASSETS = click.Group("assets", help="The units of value: list them, or add a closed-loop credit.")
MOMENT = Moment()


def register(app: Flask) -> None:
    """Add the commands."""
    for each in COMMANDS:
        app.cli.add_command(each)
    app.cli.add_command(ASSETS)


@command(
    "add",
    click.argument("code"),
    click.argument("name"),
    click.option(
        "--scale",
        type=click.IntRange(0, 30),
        default=0,
        show_default=True,
        help="How many decimals.",
    ),
    group=ASSETS,
)
def add_asset(code: str, name: str, scale: int) -> None:
    """Add a closed-loop credit with its accounts; the same again finds it. It never changes."""
    added = assets.add(code, name, scale)
    click.echo(f"{'Added' if added else 'Found'} asset {code}: {name}, scale {scale}")


@command("list", group=ASSETS)
def list_assets() -> None:
    """Every asset with its kind and how many decimals it has."""
    for each in assets.every():
        click.echo(f"{each.code:32} {each.kind:9} {each.scale:>2}  {each.name}")


@command("seed")
def seed() -> None:
    """Demo users, an admin, an API key, three days of history, and seed.sql. Safe to repeat."""
    made = demo.seed()
    click.echo("The demo is ready." if made else "The demo was there already.")


@command(
    "convert",
    click.option("--hour", type=MOMENT, help="Only up to this UTC hour."),
    click.option("--now", type=MOMENT, help="Move the ledger clock forward to here first."),
)
def convert(hour: datetime | None, now: datetime | None) -> None:
    """Convert every hour that is due, oldest first; returns when done."""
    if now is not None and ledger_clock.now() < now:
        ledger_clock.move(now)
    while (due := conversions.due_hour()) and (hour is None or due <= hour):
        conversions.request(due, lambda: None)
        if not conversions.advance(due, demo.convert_now, wait=True):
            run = runs.of_hour(due)
            raise click.ClickException(
                f"{due.isoformat()}: {run.state}: {run.problem}" if run else ""
            )
        click.echo(_converted(due))
    if hour is not None and conversions.request(hour, lambda: None) is False:
        raise click.ClickException(f"{hour.isoformat()} is not converted")


def _converted(hour: datetime) -> str:
    run = runs.of_hour(hour)
    assert run is not None
    tokens, usd = amounts.text(run.tokens, 18), amounts.text(run.usd, 18)
    users = "1 user" if run.users == 1 else f"{run.users} users"
    return f"{hour.isoformat()} {run.state}: {users}, {tokens} DREAM to {usd} USD"


@command(
    "set-rate",
    click.option("--hour", type=MOMENT, required=True, help="The closed UTC hour that waits."),
    click.option("--rate", required=True, help="USD for a token, a decimal."),
    click.option("--reason", required=True, help="Why a person sets it; kept with the rate."),
)
def set_rate(hour: datetime, rate: str, reason: str) -> None:
    """Give an hour that waits for its rate the one that a person stands for."""
    rates.set_rate(hour, rate, reason)
    click.echo(f"{hour.isoformat()} has the rate {rate}; it is converted within a minute.")


@command("clock", click.option("--set", "at", type=MOMENT, help="Move it forward to here."))
def clock(at: datetime | None) -> None:
    """Tell the ledger clock, or move it forward (development and testing only)."""
    if at is not None:
        ledger_clock.move(at)
    click.echo(ledger_clock.now().isoformat())


@command(
    "close-period",
    click.argument("month", type=click.DateTime(["%Y-%m"])),
    click.option(
        "--running", is_flag=True, help="Also one that is not over: nothing is booked then."
    ),
)
def close_period(month: datetime, running: bool) -> None:  # noqa: FBT001 - click's
    """Close the books of a UTC month, 2026-10 say, for ever: no entry is dated in it any more."""
    closed = periods.close(month.date(), running=running)
    click.echo(f"{month:%Y-%m} {'is closed' if closed else 'was closed before'}")


@command("verify")
def verify() -> None:
    """Check all books in one snapshot; exit status 1 on any difference."""
    report = verification.verify()
    for difference in report.differences:
        click.echo(str(difference))
    click.echo(report.summary())
    sys.exit(0 if report.is_clean() else 1)


@command("trial-balance", click.option("--at", type=MOMENT, help="As of this booked time."))
def trial_balance(at: datetime | None) -> None:
    """Debits and credits of every account by ledger, now or as of a time."""
    balance = ledger.trial_balance_at(runtime().engine, at)
    scales = {line.ledger: line.scale for line in balance.lines}
    click.echo(f"Trial balance as of {balance.span.at.isoformat()}")
    click.echo(f"{'ledger':14} {'account':17} {'debits':>23} {'credits':>32}")
    totals = [(name, "total", *sums) for name, sums in balance.totals().items()]
    for name, account, debits, credits in [*_accounts(balance), *totals]:
        if debits or credits:
            sums = " ".join(_on_point(amounts.text(x, scales[name])) for x in (debits, credits))
            click.echo(f"{name:14} {account:17} {sums}".rstrip())
    sys.exit(0 if balance.is_balanced() else 1)


def _accounts(balance: ledger.TrialBalance) -> list[tuple[str, str, int, int]]:
    return [(line.ledger, line.account, line.debits, line.credits) for line in balance.lines]


def _on_point(amount: str) -> str:
    """With its decimal point in the same column as all others."""
    whole, _, decimals = amount.partition(".")
    return f"{whole:>12}{'.' if decimals else ' '}{decimals:<18}"


@command(
    "create-user",
    click.argument("external_id"),
    click.argument("display_name"),
    click.option("--time-zone", default="UTC", help="An IANA time zone."),
    click.option("--email"),
)
def create_user(external_id: str, display_name: str, time_zone: str, email: str | None) -> None:
    """Make a user; the same again finds the user."""
    user, created = users.create(external_id, display_name, time_zone, email)
    click.echo(
        f"{'Made' if created else 'Found'} user {user.id} ({user.external_id}, {user.time_zone})"
    )


@command(
    "create-api-key",
    click.argument("client"),
    click.option("--scope", "scopes", multiple=True, default=("read", "users:write", "wins:write")),
)
def create_api_key(client: str, scopes: tuple[str, ...]) -> None:
    """Make an API key for a client (made if new). It is shown this once."""
    click.echo(clients.create_key(client, list(scopes)))


COUNT = click.IntRange(min=1)


@command(
    "generate-week",
    click.argument("file", type=click.Path(dir_okay=False, path_type=Path)),
    click.option("--days", type=COUNT, default=7, show_default=True),
    click.option("--users", type=COUNT, default=2000, show_default=True),
    click.option(
        "--seed", type=int, default=1, show_default=True, help="Another one, another week."
    ),
)
def generate_week(file: Path, days: int, users: int, seed: int) -> None:
    """Make up a recording to replay; a FILE that ends in .gz is gzipped."""
    from portal.services import recording  # noqa: PLC0415 - only two commands need it

    try:
        header = recording.generate(file, days, users, seed)
    except OSError as error:
        raise click.FileError(str(file), error.strerror) from error
    click.echo(f"{file}: {header['wins']:,} wins of {users:,} users in {days} days")


@command(
    "replay",
    click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    click.option("--day", type=COUNT, default=1, show_default=True, help="The first day to play."),
    click.option("--days", type=COUNT, default=1, show_default=True, help="How many."),
)
def replay(file: Path, day: int, days: int) -> None:
    """Play a recorded day on the ledger clock, converting at each hour; killed, it goes on.

    Exit status 1 if an outcome or a balance is not what it should be.
    """
    from portal.services import recording  # noqa: PLC0415 - only two commands need it

    recorded = recording.read(file, day, days)
    length, quiet = recording.steps(recorded), not sys.stderr.isatty()
    label = f"Replaying {file.name}"
    with click.progressbar(length=length, label=label, file=sys.stderr, hidden=quiet) as bar:
        report = recording.replay(recorded, bar.update)
    for line in report.lines():
        click.echo(line)
    sys.exit(0 if report.is_clean() else 1)
