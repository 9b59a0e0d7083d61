"""The command line: each command does its work, and a refusal is one line with a status of not 0."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import URL, Engine, text

from portal import create_app
from portal.services import clients, conversions, users
from tests.factories import Books, convert_due, start_of_hour

HOUR = timedelta(hours=1)
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


def runner(app: Flask) -> Run:
    """Runs a command in the app's context, as `flask` does."""

    def run(*words: str) -> Result:
        with app.app_context():
            return app.test_cli_runner().invoke(args=words)

    return run


@pytest.fixture
def run(app: Flask) -> Run:
    return runner(app)


def refused(result: Result, *words: str) -> str:
    """One line on standard error, after usage where the words were wrong; no trace; not 0."""
    assert result.exit_code != 0, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    lines = result.stderr.strip().splitlines()
    assert lines[-1].startswith("Error: ")
    assert len(lines) == 1 or lines[0].startswith("Usage: ")
    assert "Traceback" not in result.output
    for word in words:
        assert word in lines[-1]
    return lines[-1]


def done(result: Result) -> str:
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def test_every_command_is_there_and_says_what_it_does(run: Run, app: Flask) -> None:
    for name in (
        *("seed", "convert", "set-rate", "clock", "verify", "trial-balance", "create-user"),
        *("create-api-key", "replay", "db", "assets", "clients", "keys"),
    ):
        assert len(done(run(name, "--help")).splitlines()) > 4
        assert app.cli.commands[name].help
    for name in ("add", "list"):
        assert len(done(run("assets", name, "--help")).splitlines()) > 4


# --- Users and keys


def test_a_user_is_made_once(run: Run, context: None) -> None:
    made = done(
        run(
            "create-user", "ada", "Ada Lovelace", "--time-zone", "Europe/London", "--email", "a@b.c"
        )
    )
    id_ = int(re.match(r"Made user (\d+) \(ada, Europe/London\)$", made.strip()).group(1))  # type: ignore[union-attr]
    assert users.get(id_).email == "a@b.c"
    again = run(
        "create-user", "ada", "Ada Lovelace", "--time-zone", "Europe/London", "--email", "a@b.c"
    )
    assert done(again).startswith(f"Found user {id_} ")
    refused(run("create-user", "ada", "Another"), "external_id")
    refused(run("create-user", "eve", "Eve", "--time-zone", "Mars/Olympus"), "time_zone")
    refused(run("create-user", "eve"), "Missing argument")
    assert context is None


def test_an_api_key_is_shown_and_works(run: Run, context: None) -> None:
    token = done(run("create-api-key", "game", "--scope", "read", "--scope", "admin")).strip()
    caller = clients.caller_of(token)
    assert caller
    assert caller.scopes == {"read", "admin"}
    usual = clients.caller_of(done(run("create-api-key", "game")).strip())
    assert usual
    assert usual.scopes == {"read", "users:write", "wins:write"}
    assert usual.client_id == caller.client_id
    refused(run("create-api-key", "game", "--scope", "root"), "root")
    assert context is None


# --- Assets


def test_an_asset_is_added_once_and_can_be_used(run: Run, app: Flask) -> None:
    words = ("assets", "add", "RUBY", "Rubies", "--scale", "3")
    assert done(run(*words)) == "Added asset RUBY: Rubies, scale 3\n"
    assert done(run(*words)) == "Found asset RUBY: Rubies, scale 3\n"
    assert done(run("assets", "add", "STAR", "Stars")) == "Added asset STAR: Stars, scale 0\n"
    books = Books(app.extensions["dreamland"].engine)
    owner = books.owner()
    books.top_up(owner, "RUBY", "1.005")
    books.hold(owner, "RUBY", "0.001")
    books.spend(owner, "RUBY", "1.004")
    assert "0 differ" in done(run("verify"))
    assert re.search(r"^RUBY +INVENTORY +1.005 +1.005 *$", done(run("trial-balance")), re.MULTILINE)


def test_assets_are_listed_with_their_kind_and_decimals(run: Run) -> None:
    done(run("assets", "add", "GEM_2", "Gems of two kinds", "--scale", "30"))
    lines = {tuple(line.split(maxsplit=3)) for line in done(run("assets", "list")).splitlines()}
    assert lines >= {
        ("DREAM", "token", "18", "Dream token"),
        ("USD", "currency", "18", "US dollar"),
        ("GOLD_COIN", "credit", "0", "Gold Coins"),
        ("DIAMOND", "credit", "0", "Diamonds"),
        ("LOYALTY_POINT", "credit", "2", "Loyalty Points"),
        ("GEM_2", "credit", "30", "Gems of two kinds"),
    }


def test_an_asset_that_cannot_be_is_refused(run: Run) -> None:
    done(run("assets", "add", "OPAL", "Opals"))
    before = done(run("assets", "list"))
    for words in (("OPAL", "Opals", "--scale", "1"), ("OPAL", "Others"), ("USD", "US dollar")):
        refused(run("assets", "add", *words), "never change")
    for words in (
        *(("opal", "Opals"), ("", "Opals"), ("A" * 33, "Opals"), ("OPAL-2", "Opals")),
        *(("OPAL2", ""), ("OPAL2", "O" * 101), ("OPAL2", " "), ("OPAL2", "O\npals")),
    ):
        refused(run("assets", "add", *words), "an asset has a code")
    for scale in ("31", "-1"):
        refused(run("assets", "add", "OPAL2", "Opals", f"--scale={scale}"), "0<=x<=30")
    refused(run("assets", "add", "FEES", "Fees"), "taken")
    refused(run("assets", "add", "OPAL2", "O\udcff"), "no valid text")
    refused(run("assets", "add", "OPAL2"), "Missing argument")
    refused(run("assets", "add", "OPAL2", "Opals", "--scale", "two"), "two")
    refused(run("assets", "add", "OPAL2", "Opals", "--scale", "99999999999"))
    refused(run("assets", "remove", "OPAL"), "remove")
    assert done(run("assets", "list")) == before


# --- The clock and conversions


def test_the_clock_is_told_and_moved_forwards_only(run: Run, books: Books) -> None:
    books.win(books.owner())
    now = datetime.fromisoformat(done(run("clock")).strip())
    assert abs(now - books.now()) < timedelta(seconds=5)
    later = now + timedelta(hours=2)
    assert datetime.fromisoformat(done(run("clock", "--set", iso(later))).strip()) >= later
    refused(run("clock", "--set", iso(now)), "only moves forward")


@pytest.mark.parametrize(
    "at",
    [
        "",
        "now",
        "2026-11-20",
        "2026-11-20T15:00:00",
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
    ],
)
@pytest.mark.parametrize(
    "words", [("clock", "--set"), ("convert", "--now"), ("trial-balance", "--at")]
)
def test_a_time_that_is_none_is_refused(run: Run, words: tuple[str, str], at: str) -> None:
    refused(run(*words, at))


def test_due_hours_are_converted_oldest_first_and_told(run: Run, books: Books) -> None:
    done(run("convert"))
    owner = books.owner()
    books.win(owner, "2")
    hour = books.next_hour()
    books.win(owner, "1")
    end = books.next_hour() + HOUR
    lines = [
        line for line in done(run("convert", "--now", iso(end))).splitlines() if " 1 user," in line
    ]
    assert lines == [
        f"{hour.isoformat()} done: 1 user, 2 DREAM to 0.3 USD",
        f"{(hour + HOUR).isoformat()} done: 1 user, 1 DREAM to 0.15 USD",
    ]
    assert done(run("convert", "--now", iso(end))) == ""


def test_now_moves_the_clock_and_converts_what_was_booked(
    run: Run, books: Books, context: None
) -> None:
    done(run("convert"))
    books.win(books.owner(), "1")
    end = start_of_hour(books.now()) + HOUR
    assert "1 DREAM to 0.15 USD" in done(run("convert", "--now", iso(end)))
    assert books.now() >= end
    assert conversions.due_hour() is None
    assert context is None


def test_one_hour_can_be_asked_for(run: Run, books: Books) -> None:
    done(run("convert"))
    books.win(books.owner(), "1")
    first = books.next_hour()
    books.next_hour()
    assert len(done(run("convert", "--hour", iso(first))).splitlines()) == 1
    assert done(run("convert", "--hour", iso(first))) == ""
    refused(run("convert", "--hour", iso(first + 2 * HOUR)), "in order")
    done(run("convert"))


def test_a_rate_by_hand_is_for_a_closed_hour_without_one(
    run: Run, books: Books, context: None
) -> None:
    done(run("convert"))
    books.win(books.owner(), "1")
    hour = books.next_hour()
    words = ("set-rate", "--hour", iso(hour), "--reason", "the API was away", "--rate")
    refused(run(*words, "0.2"), "closed")
    for rate in ("0", "-1", "abc", "NaN", "0." + "1" * 19, "1e400"):
        refused(run(*words, rate), "rate")
    refused(run("set-rate", "--hour", iso(hour), "--rate", "1", "--reason", " "), "reason")
    refused(run("set-rate", "--hour", iso(hour), "--rate", "1"), "--reason")
    convert_due()
    refused(run(*words, "0.2"), "never changes")
    assert context is None


# --- The books


def test_verify_and_the_trial_balance_agree_on_clean_books(run: Run, books: Books) -> None:
    books.win(books.owner(), "1.5")
    assert "0 differ" in done(run("verify")).splitlines()[-1]
    told = done(run("trial-balance"))
    totals = re.findall(r"^(\w+) +total +(\S+) +(\S+)$", told, re.MULTILINE)
    assert {name for name, _, _ in totals} >= {"DREAM", "FEES"}
    assert all(debits == credits for _, debits, credits in totals)
    assert re.search(r"^FEES +FEE_ISSUANCE +\S+ +0$", told, re.MULTILINE)


def test_a_trial_balance_of_the_past_is_what_was_booked_then(run: Run, books: Books) -> None:
    books.win(books.owner(), "1")
    at = iso(books.now())
    before = done(run("trial-balance", "--at", at))
    books.win(books.owner(), "1")
    assert done(run("trial-balance", "--at", at)) == before
    assert "TOKENS" not in done(run("trial-balance", "--at", "2000-01-01T00:00:00Z"))


def test_verify_ends_with_1_on_any_difference(run: Run, books: Books, owner_engine: Engine) -> None:
    owner = books.owner()
    books.win(owner)
    change = "UPDATE ledger.account_balances SET debits = debits + :n, credits = credits + :n WHERE owner_id = :o"
    with owner_engine.begin() as connection:
        connection.execute(text(change), {"n": 1, "o": owner})
    result = run("verify")
    assert result.exit_code == 1
    assert re.search(rf"^account_balance +{owner} ", result.output, re.MULTILINE)
    assert not result.output.splitlines()[-1].startswith("0 differ")
    with owner_engine.begin() as connection:
        connection.execute(text(change), {"n": -1, "o": owner})
    done(run("verify"))


# --- Refusals


@pytest.fixture
def production(app: Flask) -> Run:
    settings = replace(
        app.extensions["dreamland"].settings, environment="production", secret_key="k" * 40
    )
    return runner(create_app(settings))


def test_production_takes_no_demo_and_moves_no_clock(
    production: Run, books: Books, tmp_path: Path
) -> None:
    later = iso(books.now() + 5 * HOUR)
    before = books.now()
    for words in (("clock", "--set", later), ("convert", "--now", later), ("seed",)):
        refused(production(*words), "production")
    file = tmp_path / "week.gz"
    done(production("generate-week", str(file), "--days", "1", "--users", "2"))
    refused(production("replay", str(file)), "production")
    assert books.now() - before < timedelta(minutes=1)
    done(production("clock"))
    done(production("verify"))


def test_a_database_that_is_away_is_one_line(app: Flask) -> None:
    settings = replace(
        app.extensions["dreamland"].settings, database_url="postgresql+psycopg2://x@127.0.0.1:1/x"
    )
    away = runner(create_app(settings))
    for words in (
        ("clock",),
        ("convert",),
        ("verify",),
        ("trial-balance",),
        ("seed",),
        ("create-user", "a", "A"),
        ("create-api-key", "a"),
        ("assets", "add", "RUBY", "Rubies"),
        ("assets", "list"),
        ("set-rate", "--hour", "2026-11-20T12:00:00Z", "--rate", "1", "--reason", "r"),
    ):
        refused(away(*words))


def test_words_that_mean_nothing_are_refused(run: Run) -> None:
    refused(run("clock", "--back"), "--back")
    refused(run("clock", "2026"), "unexpected")
    refused(run("convert", "--hour"), "requires an argument")
    refused(run("replay", "/no/such/file"), "/no/such/file")
    refused(run("no-such-command"), "no-such-command")
