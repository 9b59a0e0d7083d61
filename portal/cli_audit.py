"""The command that reads the audit log: `bin/flask audit`."""

from datetime import datetime

import click
from flask import Flask

from portal.cli import MOMENT, Command
from portal.services import audit, audit_log

MOST = 1000


def register(app: Flask) -> None:
    """Add the command."""
    app.cli.add_command(show)


@click.command("audit", cls=Command)
@click.option("--who", help="A person's e-mail, or a name: root@host, a client's.")
@click.option("--action", help="One of docs/audit.md, or all of a kind: key.rotated, key.")
@click.option("--target", type=click.Choice(list(audit.TARGETS)), help="What it was done to.")
@click.option("--id", "target_id", help="The target's id.")
@click.option("--since", type=MOMENT)
@click.option("--until", type=MOMENT)
@click.option("--limit", type=click.IntRange(1, MOST), default=50, show_default=True)
def show(limit: int, **filters: str | datetime | None) -> None:
    """Who did what to what, and when: the newest first."""
    asked = audit_log.Filters(**filters)  # type: ignore[arg-type]
    if asked.action is not None and not audit_log.actions_of(asked.action):
        raise click.BadParameter("there is no such action: docs/audit.md lists them")
    for event in audit_log.page(asked, None, limit):
        at = event.at.isoformat(timespec="seconds").replace("+00:00", "Z")
        click.echo(f"{at}  {event.who}  {event.action}  {event.to_what}{_changes(event)}")


def _changes(event: audit_log.Event) -> str:
    told = "; ".join(map(str, event.changes))
    return f"  ({told})" if told else ""
