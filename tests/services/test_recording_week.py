"""The week that is made up: the same for the same seed, and with all that a real one has."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from portal.services import recording, users
from portal.services.recording.file import Win

TOKEN = 10**18
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def busy_day(tmp_path_factory: pytest.TempPathFactory) -> recording.Recording:
    """The first day of the week as it is shipped."""
    path = tmp_path_factory.mktemp("week") / "day.jsonl.gz"
    recording.generate(path, days=1)
    return recording.read(path)


def lateness(win: Win) -> timedelta:
    return win.arrived_at - win.occurred_at


def test_the_same_seed_makes_the_same_file_and_another_seed_another(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.jsonl.gz" for n in range(3)]
    for path, seed in zip(paths, (1, 1, 2), strict=True):
        recording.generate(path, days=1, users=60, seed=seed)
    first, again, other = (path.read_bytes() for path in paths)
    assert first == again
    assert first != other


def test_a_day_has_twenty_thousand_wins_of_two_thousand_users(
    busy_day: recording.Recording,
) -> None:
    assert len(busy_day.players) == 2000
    assert len(busy_day.wins) >= 20_000
    assert len({win.user for win in busy_day.wins}) > 1500


def test_users_live_in_zones_of_every_kind(busy_day: recording.Recording) -> None:
    offsets = [
        ZoneInfo(player.time_zone).utcoffset(busy_day.start.replace(tzinfo=None))
        for player in busy_day.players
    ]
    minutes = {offset.total_seconds() // 60 for offset in offsets if offset is not None}
    assert len({player.time_zone for player in busy_day.players}) >= 40
    assert min(minutes) <= -11 * 60
    assert max(minutes) >= 13 * 60
    assert {offset % 60 for offset in minutes} == {0, 30, 45}


def test_some_win_much_more_often_than_most(busy_day: recording.Recording) -> None:
    numbers = sorted(Counter(win.user for win in busy_day.wins).values())
    assert numbers[-1] > 8 * numbers[len(numbers) // 2]


def test_tournaments_end_in_bursts(busy_day: recording.Recording) -> None:
    minutes = Counter(win.arrived_at.replace(second=0, microsecond=0) for win in busy_day.wins)
    assert max(minutes.values()) > 5 * len(busy_day.wins) / (24 * 60)


def test_some_are_late_some_too_late_and_some_ahead(busy_day: recording.Recording) -> None:
    late = [lateness(win) for win in busy_day.wins]
    assert sum(MINUTE < each < DAY for each in late) > 500
    assert sum(each > DAY for each in late) > 10
    assert sum(-MINUTE < each < timedelta(0) for each in late) > 20
    assert sum(each < -MINUTE for each in late) > 3


def test_a_studio_that_was_down_sends_hours_of_wins_in_minutes(
    busy_day: recording.Recording,
) -> None:
    late = [win for win in busy_day.wins if lateness(win) > timedelta(minutes=30)]
    together = Counter((win.game, win.arrived_at.replace(second=0, microsecond=0)) for win in late)
    assert max(together.values()) > 20


def test_requests_are_repeated_and_keys_reused(busy_day: recording.Recording) -> None:
    requests = Counter(replace(win, arrived_at=busy_day.start) for win in busy_day.wins)
    keys = Counter((win.user, win.key) for win in requests)
    assert sum(number > 1 for number in requests.values()) > 100
    assert sum(number > 1 for number in keys.values()) > 5


def test_amounts_are_fractions_some_with_all_decimals(busy_day: recording.Recording) -> None:
    amounts = [win.amount for win in busy_day.wins]
    assert sum(amount % 1000 > 0 for amount in amounts) > 1000
    assert sum(amount < 10 for amount in amounts) > 5
    assert sum(amount > 5 * TOKEN for amount in amounts) > 3


def test_weekends_are_busier(tmp_path: Path) -> None:
    path = tmp_path / "week.jsonl"
    recording.generate(path, users=300)
    days = Counter(win.arrived_at.weekday() for win in recording.read(path, 1, 7).wins)
    assert min(days[5], days[6]) > 1.1 * sum(days[n] for n in range(5)) / 5


@pytest.mark.usefixtures("context")
def test_the_week_has_no_zone_that_users_may_not_have(busy_day: recording.Recording) -> None:
    for zone in {player.time_zone for player in busy_day.players}:
        user, _ = users.create(f"in {zone}", "Somebody", zone)
        assert user.time_zone == zone
