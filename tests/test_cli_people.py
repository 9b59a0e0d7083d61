"""The commands for people: whom they invite, what they print and send, and what they refuse."""

from typing import Any

import pytest
from flask import Flask
from redis import Redis

from config import Settings
from portal.services import users
from portal.services.accounts import invitations, links, signing_in
from tests.mailbox import Mailbox
from tests.test_cli import Run, done, refused, runner

pytestmark = pytest.mark.usefixtures("context", "redis")


@pytest.fixture
def run(app: Flask) -> Run:
    return runner(app)


@pytest.fixture
def mailbox(settings: Settings, redis: "Redis[Any]") -> Mailbox:
    assert redis.dbsize() == 0
    return Mailbox(settings)


def test_the_command_says_what_it_does(run: Run) -> None:
    assert len(done(run("invite", "--help")).splitlines()) > 8


def test_staff_are_invited_by_role_and_name(run: Run, mailbox: Mailbox) -> None:
    printed = done(run("invite", "Ada@example.com", "--role", "admin", "--name", "Ada")).strip()
    token = mailbox.token("ada@example.com")
    assert printed == f"http://127.0.0.1:5000/links/{token}"
    assert links.find(token).role == "admin"
    invitations.accept(token, "correct horse battery")
    assert signing_in.check("ada@example.com", "correct horse battery").role == "admin"


def test_a_user_is_invited_by_id(run: Run, mailbox: Mailbox) -> None:
    player, _ = users.create("player-1", "Ida", "UTC")
    done(run("invite", "ida@example.com", "--user", str(player.id)))
    assert links.find(mailbox.token("ida@example.com")).user_id == player.id


def test_what_makes_no_sense_is_refused_and_mails_nobody(run: Run, mailbox: Mailbox) -> None:
    player, _ = users.create("player-1", "Ida", "UTC")
    user, role = ("--user", str(player.id)), ("--role", "viewer", "--name", "Ida")
    for words in ((), user + role, role[:2], role[2:]):
        refused(run("invite", "ida@example.com", *words), "name a --user, or a --role and a --name")
    refused(run("invite", "ida@example.com", "--role", "user", "--name", "Ida"), "user")
    refused(run("invite", "nonsense", *role), "@")
    refused(run("invite", "ida@example.com", "--user", "99"), "no user 99")
    refused(run("invite", "ida@example.com", "--user", "x"), "no such user")
    refused(run("invite", *role), "Missing argument")
    done(run("invite", "ida@example.com", *user))
    invitations.accept(mailbox.token("ida@example.com"), "correct horse battery")
    refused(run("invite", "ida@example.com", *role), "an account with this e-mail")
    refused(run("invite", "other@example.com", *user), "has an account already")
    assert mailbox.to("other@example.com") == []
