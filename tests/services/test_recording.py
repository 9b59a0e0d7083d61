"""A recording read, and replayed as the rules say, also when it is killed."""

import gzip
import json
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import Engine, text

from config import Settings
from portal import create_app, ledger
from portal.ledger.errors import Refused
from portal.services import recording, verification, wins
from portal.services.recording import file, stage
from portal.services.recording.file import Win
from portal.services.recording.model import Expected, Model

ROOT = Path(__file__).parent.parent.parent
TOKEN = 10**18
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
USERS, SEED = 30, 39  # a small day with everything in it

KILLED = """
import os, signal, sys
from pathlib import Path
from portal import create_app
from portal.services import recording

done = 0
def progress(steps):
    global done
    done += steps
    if done >= int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

with create_app().app_context():
    recording.replay(recording.read(Path(sys.argv[1])), progress)
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("small") / "small.jsonl.gz"
    recording.generate(path, days=2, users=USERS, seed=SEED)
    return path


@pytest.fixture
def small_day(small: Path) -> recording.Recording:
    return recording.read(small)


@pytest.fixture
def lines(small: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(small.read_bytes()).splitlines()]


def entries(engine: Engine, kind: str) -> int:
    query = (
        "SELECT count(*) FROM ledger.entries e JOIN ledger.entry_kinds k ON k.id = e.kind_id"
        " WHERE k.code = :kind"
    )
    with engine.connect() as connection:
        return int(connection.execute(text(query), {"kind": kind}).scalar_one())


# The file


def test_a_day_of_the_file_is_what_arrived_on_it(small: Path) -> None:
    first, second, both = (recording.read(small, *days) for days in ((1, 1), (2, 1), (1, 2)))
    assert first.wins + second.wins == both.wins
    assert second.start == first.start + DAY
    assert all(second.start <= win.arrived_at < second.start + DAY for win in second.wins)


@pytest.mark.parametrize(
    ("number", "change", "problem"),
    [
        (0, {"version": 2}, "line 1 of the recording: not the header"),
        (0, {"start": "2026-10-19T00:00:00"}, "no offset"),
        (0, {"days": 0}, "it has days 1 to 0"),
        (USERS + 1, {"amount": 0.5}, "line 32 of the recording: InvalidAmount"),
        (USERS + 1, {"amount": "-1"}, "line 32"),
        (USERS + 1, {"occurred_at": "2026-10-19T00:00:00"}, "no offset"),
        (USERS + 1, {"user": "nobody"}, "no user 'nobody' above"),
        (
            USERS + 1,
            {"arrived_at": "2026-10-19T23:00:00Z"},
            "line 33 of the recording: ValueError: wins",
        ),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_line(
    tmp_path: Path, lines: list[dict[str, Any]], number: int, change: dict[str, Any], problem: str
) -> None:
    lines[number] |= change
    path = tmp_path / "wrong.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(Refused) as refused:
        recording.read(path)
    assert refused.value.code == "invalid_recording"
    assert problem in refused.value.detail


@pytest.mark.parametrize(
    "content", [b"", b"not gzip", gzip.compress(b"not JSON", mtime=0), b"\x1f\x8b\x08"]
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "none.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(Refused, match="line 1 of the recording"):
        recording.read(path)


# The model


@pytest.fixture
def model() -> Model:
    return Model({1: ZoneInfo("Asia/Kathmandu")}, timedelta(hours=24), timedelta(seconds=60))


NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def request(key: str, amount: int, at: datetime = NOON) -> wins.WinRequest:
    return wins.WinRequest(1, key, amount, at, "maze", "round-1")


def test_the_model_counts_by_the_users_day(model: Model) -> None:
    midnight = datetime(2026, 11, 21, 18, 15, tzinfo=UTC)  # at 5:45 ahead
    before = model.expect(request("a", 5 * TOKEN, midnight - timedelta(seconds=1)), midnight)
    after = model.expect(request("b", 5 * TOKEN, midnight), midnight)
    over = model.expect(request("c", 1, midnight), midnight)
    assert before == Expected("posted", midnight.date(), 5 * TOKEN)
    assert after == Expected("posted", midnight.date() + DAY, 5 * TOKEN)
    assert over == Expected("daily_limit_exceeded", midnight.date() + DAY, 5 * TOKEN)


def test_the_model_knows_retries_for_ever_and_refusals_not_at_all(model: Model) -> None:
    early = request("a", TOKEN, NOON + timedelta(hours=1))
    assert model.expect(early, NOON).verdict == "occurred_at_out_of_range"
    assert model.expect(early, NOON + timedelta(hours=1)).verdict == "posted"
    assert model.expect(early, NOON + timedelta(days=9)).verdict == "replayed"
    assert model.expect(request("a", 1), NOON).verdict == "idempotency_key_reused"


def test_the_model_converts_with_the_hour_booked_and_leaves_dust(model: Model) -> None:
    model.booked(request("a", 13), NOON)
    model.booked(request("b", 7), NOON + timedelta(hours=1))
    model.convert(NOON, Fraction("0.05"))
    assert (model.held(1), model.usd[1]) == (20, 0)
    model.convert(NOON + timedelta(hours=1), Fraction("0.05"))
    assert (model.held(1), model.usd[1]) == (0, 1)


# The replay


@pytest.mark.usefixtures("context")
def test_a_day_comes_out_as_the_rules_say(engine: Engine, small_day: recording.Recording) -> None:
    told: list[int] = []
    report = recording.replay(small_day, told.append)
    assert report.differences == []
    assert (report.users_made, report.midnights, report.hours) == (USERS, USERS, 24)
    assert report.verdicts.total() == len(small_day.wins)
    assert report.verdicts["posted"] == entries(engine, "win")
    assert set(report.verdicts) == {
        "posted",
        "replayed",
        "daily_limit_exceeded",
        "occurred_at_out_of_range",
        "idempotency_key_reused",
    }
    assert report.flows["issuance fees"] == report.verdicts["posted"] * 10**15
    assert sum(told) == recording.steps(small_day)
    assert verification.verify().is_clean()


@pytest.mark.usefixtures("context")
def test_it_starts_at_the_next_midnight_and_ends_a_day_later(
    engine: Engine, small_day: recording.Recording
) -> None:
    with engine.connect() as connection:
        before = ledger.now(connection)
    recording.replay(small_day)
    with engine.connect() as connection:
        after = ledger.now(connection)
    midnight = before.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    assert midnight + DAY <= after < midnight + DAY + MINUTE


@pytest.mark.usefixtures("context")
def test_the_same_file_again_is_another_day_of_other_users(
    engine: Engine, small_day: recording.Recording
) -> None:
    first, second = recording.replay(small_day), recording.replay(small_day)
    assert (first.differences, second.differences) == ([], [])
    assert (first.users_made, second.users_made, second.before) == (USERS, USERS, 0)
    assert first.verdicts == second.verdicts
    assert entries(engine, "win") == 2 * first.verdicts["posted"]


@pytest.mark.usefixtures("context")
def test_days_in_a_row_are_played_with_the_same_users(engine: Engine, small: Path) -> None:
    report = recording.replay(recording.read(small, 1, 2))
    assert report.differences == []
    assert (report.users_made, report.midnights, report.hours) == (USERS, 2 * USERS, 48)
    assert entries(engine, "win") == report.verdicts["posted"]


def kill(settings: Settings, path: Path, steps: int) -> None:
    """Start a replay in a process of its own and end it with SIGKILL after so many steps."""
    environment = {
        "DATABASE_URL": settings.database_url,
        "DREAMLAND_ENV": "testing",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", KILLED, str(path), str(steps)]
    killed = subprocess.run(command, env=environment, cwd=ROOT, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("steps", [USERS // 2, USERS + 100, USERS + 200])
def test_killed_and_started_again_it_books_nothing_twice(
    engine: Engine, settings: Settings, small: Path, steps: int
) -> None:
    kill(settings, small, steps)
    before = entries(engine, "win")
    small_day = recording.read(small)
    resumed = recording.replay(small_day)
    assert resumed.differences == []
    assert (before > 0) == (steps > USERS)
    assert (resumed.users_made, resumed.hours) == (max(USERS - steps, 0), 24)
    assert resumed.before + resumed.verdicts.total() == len(small_day.wins)
    booked = entries(engine, "win")
    whole = recording.replay(small_day)
    assert booked == whole.verdicts["posted"]
    assert verification.verify().is_clean()


@pytest.mark.usefixtures("context")
def test_what_arrives_late_because_it_was_killed_is_judged_as_late(
    engine: Engine, settings: Settings, small: Path
) -> None:
    kill(settings, small, USERS + 100)
    with engine.begin() as connection:
        ledger.set_clock(connection, ledger.now(connection) + timedelta(hours=7))
    resumed = recording.replay(recording.read(small))
    assert resumed.differences == []
    assert resumed.before > 0
    assert resumed.hours == 24


@pytest.mark.usefixtures("context")
def test_a_win_that_somebody_else_books_meanwhile_is_a_difference(
    engine: Engine, small_day: recording.Recording
) -> None:
    done = 0

    def meddle(steps: int) -> None:
        nonlocal done
        if done <= 150 < done + steps:
            with engine.connect() as connection:
                now = ledger.now(connection)
            owner = stage.enter(small_day, lambda _: None).owners[small_day.wins[150].user]
            win = wins.WinRequest(owner, "meddled", TOKEN, now, "maze", "round-0")
            assert wins.book_batch(10**6, [win])[0].status == "posted"
        done += steps

    report = recording.replay(small_day, meddle)
    assert any("holds" in difference for difference in report.differences)
    assert any(line.startswith("differs: ") for line in report.lines())


def test_production_refuses(settings: Settings, small_day: recording.Recording) -> None:
    production = create_app(replace(settings, environment="production"))
    with production.app_context(), pytest.raises(Refused, match="never moved"):
        recording.replay(small_day)


# The commands


@pytest.mark.usefixtures("context")
def test_the_commands_make_a_file_play_it_and_say_how_it_went(app: Flask, tmp_path: Path) -> None:
    path = str(tmp_path / "one.jsonl.gz")
    runner = app.test_cli_runner()
    made = runner.invoke(args=["generate-week", path, "--days", "1", "--users", "10"])
    assert made.exit_code == 0
    assert "10 users in 1 days" in made.output
    played = runner.invoke(args=["replay", path])
    assert played.exit_code == 0, played.output
    assert played.output.endswith("0 of the wins and balances differ from what was expected\n")


@pytest.mark.usefixtures("context")
def test_the_replay_command_refuses_in_one_line(app: Flask, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    missing = runner.invoke(args=["replay", str(tmp_path / "nowhere.jsonl")])
    assert missing.exit_code != 0
    assert "nowhere.jsonl" in missing.output.splitlines()[-1]


def test_a_key_of_two_requests_is_kept_apart_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "written.jsonl"
    player = file.Player("u1", "Zoë ☕", "UTC")
    sent = [
        Win(NOON, "u1", "k", 1, NOON, "maze", 'a "quote"\n'),
        Win(NOON, "u1", "k", TOKEN + 1, NOON, "maze", "r"),
    ]
    file.write(path, {"start": file.moment(NOON), "days": 1}, [player], sent)
    read = recording.read(path)
    assert (read.players, read.wins) == ([player], sent)
