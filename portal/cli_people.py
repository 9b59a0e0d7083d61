"""The commands for people: `bin/flask invite …`."""

import click
from flask import Flask

from portal.cli import Command
from portal.services import demo, users
from portal.services.accounts import invitations, roles, second_factor


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(invite)
    app.cli.add_command(remove_second_factor)
    app.cli.add_command(code)


@click.command("invite", cls=Command)
@click.argument("email")
@click.option("--user", "user_id", metavar="ID", help="For this user of the games.")
@click.option("--role", type=click.Choice(roles.STAFF), help="For a member of staff.")
@click.option("--name", help="What the member of staff is called.")
def invite(email: str, user_id: str | None, role: str | None, name: str | None) -> None:
    """Invite EMAIL to the portal, as a user or as staff. The link is mailed, and printed here.

    It can be used once, within seven days; another invitation of the same EMAIL replaces it.
    """
    if user_id is not None and role is None and name is None:
        click.echo(invitations.invite_user(email, users.parse_id(user_id)))
    elif user_id is None and role is not None and name is not None:
        click.echo(invitations.invite_staff(email, role, name))
    else:
        raise click.UsageError("name a --user, or a --role and a --name")


@click.command("remove-second-factor", cls=Command)
@click.argument("email")
def remove_second_factor(email: str) -> None:
    """Switch off the second factor of EMAIL, who lost it, and end every session.

    Be sure whom you help: with the password alone they are let in then. They are told by mail.
    """
    second_factor.remove(email)
    click.echo(f"{email} has no second factor any more, and was signed out everywhere.")


@click.command("code", cls=Command)
@click.argument("email", default=demo.ADMIN)
def code(email: str) -> None:
    """Say what the authenticator app of EMAIL (the demo's admin) shows now. Not in production."""
    click.echo(second_factor.code_of(email))
