"""What commands leave in the audit log, and the command that reads it."""

import os
import pwd
import re
import socket
from datetime import timedelta

import pytest
from flask import Flask

from portal import cli_operator, ledger
from portal.services import audit, audit_log
from portal.services.audit_log import Event, Filters
from portal.services.clients import find_key
from tests.factories import Books, start_of_hour
from tests.test_cli import Run, done, iso, refused, runner

pytestmark = pytest.mark.usefixtures("context")

HOUR = timedelta(hours=1)


@pytest.fixture
def run(app: Flask) -> Run:
    return runner(app)


def log() -> list[Event]:
    """All of it, oldest first."""
    return audit_log.page(Filters(), None, 1000)[::-1]


def actions() -> list[str]:
    return [event.action for event in log()]


def test_who_runs_a_command_is_named_by_the_machine_not_by_the_environment(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USER", "somebody-else")
    monkeypatch.setenv("LOGNAME", "somebody-else")
    monkeypatch.delenv("SUDO_USER", raising=False)
    done(run("clients", "add", "studio"))
    [event] = log()
    user = pwd.getpwuid(os.getuid()).pw_name
    assert (event.actor, event.name) == ("command_line", f"{user}@{socket.gethostname()}")
    assert audit.actor() is audit.SYSTEM


def test_a_user_that_the_machine_has_no_name_for_goes_by_the_number() -> None:
    assert cli_operator.name(54321) == f"54321@{socket.gethostname()}"


def test_who_became_root_is_named_too_and_nobody_else_can_say_so() -> None:
    assert cli_operator.name(0, "ida") == f"ida as root@{socket.gethostname()}"
    assert cli_operator.name(54321, "ida") == f"54321@{socket.gethostname()}"


def test_every_command_that_changes_something_leaves_its_record(run: Run, books: Books) -> None:
    books.win(books.owner())
    hour = books.next_hour()
    month = (books.now().replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    for words, left in (
        (("clients", "add", "studio"), ["client.made"]),
        (("clients", "limit", "studio", "--game", "maze"), ["client.limited"]),
        (("keys", "create", "studio"), ["key.created"]),
        (("create-api-key", "another"), ["client.made", "key.created"]),
        (("keys", "rotate", "1"), ["key.rotated"]),
        (("keys", "revoke", "1"), ["key.revoked"]),
        (("keys", "revoke", "--client", "another"), ["key.revoked"]),
        (("assets", "add", "EMERALD", "Emeralds"), ["asset.added"]),
        (("close-period", month), ["period.closed"]),
        (("create-user", "ida", "Ida"), ["user.made"]),
        (("convert", "--hour", iso(hour)), ["conversion.asked"]),
        (("clock", "--set", iso(books.now() + timedelta(days=1))), ["clock.moved"]),
    ):
        before = len(log())
        done(run(*words))
        events = log()[before:]
        assert [event.action for event in events] == left, words
        assert {event.actor for event in events} == {"command_line"}


def test_a_rate_set_by_hand_is_recorded_and_a_refused_one_is_not(run: Run, books: Books) -> None:
    hour = start_of_hour(books.now()) - HOUR
    words = ("set-rate", "--hour", iso(hour), "--rate", "0.15", "--reason", "the API was away")
    refused(run(*words), "is not a closed hour")
    assert actions() == []
    with books.engine.connect() as connection:
        ledger.close_hour(connection, hour)
    done(run(*words))
    refused(run(*words), "never changes")
    [event] = log()
    assert event.after == {"rate": "0.15", "reason": "the API was away"}


def test_commands_that_only_read_or_find_leave_nothing(run: Run) -> None:
    done(run("clients", "add", "studio"))
    done(run("create-user", "ida", "Ida"))
    before = actions()
    for words in (
        *(("clients", "list"), ("keys", "list"), ("assets", "list"), ("clock",), ("verify",)),
        *(("trial-balance",), ("audit",), ("convert",)),
        *(("clients", "add", "studio"), ("create-user", "ida", "Ida")),
        ("assets", "add", "GOLD_COIN", "Gold Coins"),
    ):
        run(*words)
    assert actions() == before


def test_the_log_is_shown_newest_first_and_filtered(run: Run) -> None:
    token = done(run("keys", "create", "studio"))
    done(run("clients", "limit", "studio", "--game", "maze", "--rate", "90"))
    shown = done(run("audit"))
    lines = shown.splitlines()
    assert [re.split(r"  ", line)[2] for line in lines] == [
        "client.limited",
        "key.created",
        "client.made",
    ]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  \S", lines[0])
    assert lines[0].endswith("API client studio  (games: - → maze; rate_limit: - → 90)")
    assert token.strip()[12:] not in shown
    number = str(find_key(token.strip()[:12]))
    for words, shows in (
        (("--action", "key"), 1),
        (("--action", "key.created"), 1),
        (("--target", "client"), 2),
        (("--target", "key", "--id", number), 1),
        (("--who", cli_operator.name(os.getuid(), os.environ.get("SUDO_USER"))), 3),
        (("--who", "nobody"), 0),
        (("--since", "2126-11-20T00:00:00Z"), 0),
        (("--until", "2126-11-20T00:00:00Z"), 3),
        (("--limit", "2"), 2),
    ):
        assert len(done(run("audit", *words)).splitlines()) == shows, words


def test_a_filter_that_can_mean_nothing_is_refused(run: Run) -> None:
    refused(run("audit", "--action", "keys.created"), "there is no such action")
    refused(run("audit", "--target", "tower"), "--target")
    refused(run("audit", "--since", "yesterday"), "is not a time")
    refused(run("audit", "--limit", "0"), "--limit")
