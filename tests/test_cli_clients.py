"""The commands for clients and keys: what each does, what each shows, and that none shows a secret twice."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import URL

from portal.services import clients
from portal.services.webhooks import endpoints
from tests.test_cli import Run, done, refused, runner

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture
def run(app: Flask) -> Run:
    return runner(app)


def caller(token: str) -> Any:
    return clients.caller_of(token.strip())


def test_every_command_says_what_it_does(run: Run) -> None:
    for words in (
        *(("clients", name) for name in ("add", "list", "limit", "endpoints")),
        *(("keys", name) for name in ("create", "list", "rotate", "revoke")),
    ):
        assert len(done(run(*words, "--help")).splitlines()) > 4


def test_a_client_is_added_once_and_limited(run: Run) -> None:
    free = "studio: games any; regions any; networks any; requests a minute"
    assert done(run("clients", "add", "studio")) == f"Added client {free} the usual\n"
    assert done(run("clients", "add", "studio")) == f"Found client {free} the usual\n"
    limit = ("clients", "limit", "studio")
    narrow = done(
        run(
            *limit, *("--game", "maze", "--game", "rush", "--network", "10.0.0.0/8", "--rate", "90")
        )
    )
    assert narrow == (
        "studio: games maze,rush; regions any; networks 10.0.0.0/8; requests a minute 90\n"
    )
    assert narrow in done(run("clients", "list"))
    assert done(run(*limit, "--any-game", "--any-network", "--rate", "0")) == f"{free} any\n"
    assert done(run(*limit, "--default-rate")) == f"{free} the usual\n"


def test_limits_that_make_no_sense_are_refused(run: Run) -> None:
    done(run("clients", "add", "odd"))
    limit = ("clients", "limit", "odd")
    refused(run(*limit, "--game", "maze", "--any-game"), "contradicts")
    refused(run(*limit, "--rate", "5", "--default-rate"), "contradicts")
    refused(run(*limit, "--network", "10.0.0.1/8"), "10.0.0.1/8")
    refused(run(*limit, "--region", "mars"), "regions are global")
    refused(run(*limit, "--rate", "-1"), "--rate")
    refused(run("clients", "limit", "nobody", "--rate", "1"), "there is no client nobody")


def test_a_key_is_created_listed_rotated_and_revoked(run: Run) -> None:
    old = done(run("keys", "create", "game", "--scope", "read", "--scope", "wins:write"))
    assert caller(old).scopes == {"read", "wins:write"}
    number = caller(old).key_id
    rotated = run("keys", "rotate", old[:12], "--overlap-hours", "1.5")
    new = rotated.stdout
    assert caller(new).client_id == caller(old).client_id
    assert re.search(r"The old key works until \d{4}-\S+Z\.", rotated.stderr)
    listed = done(run("keys", "list", "--client", "game")).splitlines()
    assert len(listed) == 2
    assert re.search(
        rf"^ *{number}  {old[:12]}…  game  read,wins:write  created \S+Z  used \S+Z  expires \S+Z$",
        listed[0],
    )
    assert done(run("keys", "revoke", str(number))) == f"Revoked key {number}\n"
    assert "revoked" in done(run("keys", "list")).splitlines()[0]
    everything = done(run("keys", "list")) + done(run("clients", "list"))
    assert not any(token.strip()[12:] in everything for token in (old, new))


def test_a_key_without_scopes_named_has_the_usual_ones(run: Run) -> None:
    assert caller(done(run("keys", "create", "usual"))).scopes == {
        "read",
        "users:write",
        "wins:write",
    }


def test_the_webhook_endpoints_of_a_client_are_listed_with_why_they_are_disabled(run: Run) -> None:
    number = endpoints.make(clients.named("teller"), "http://127.0.0.1:9999/", None, None, None).id
    listed = ("clients", "endpoints", "teller")
    assert done(run(*listed)) == f"{number:>6}  http://127.0.0.1:9999/  enabled\n"
    done(run("keys", "revoke", "--client", "teller"))
    assert "disabled: all keys of its client were revoked" in done(run(*listed))
    refused(run("clients", "endpoints", "nobody"), "there is no client")


def test_all_keys_of_a_client_are_revoked_at_once(run: Run) -> None:
    for _ in range(3):
        done(run("keys", "create", "leaving"))
    assert done(run("keys", "revoke", "--client", "leaving")) == "Revoked 3 keys of leaving\n"
    refused(run("keys", "revoke"), "name a key, or a --client")
    refused(run("keys", "revoke", "1", "--client", "leaving"), "name a key, or a --client")
    refused(run("keys", "revoke", "dream_nobody"), "there is no key")
    refused(run("keys", "revoke", "--client", "nobody"), "there is no client")
    refused(run("keys", "create", "game", "--scope", "root"), "scopes are")
    refused(run("keys", "list", "--client", "nobody"), "there is no client")
    refused(run("keys", "rotate", "dream_nobody"), "there is no key")
