"""Makes up a week that looks like a real one, the same for the same seed.

People play in sessions, by the hour of their own day and more on weekends; tournaments end for
many at once; what goes wrong on the way is in `mishaps`.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from portal.services.recording import mishaps
from portal.services.recording.file import DAY, Win, moment, write
from portal.services.recording.people import Person, dice, people

START = datetime(2026, 10, 19, tzinfo=UTC)
"""A Monday. On the Sunday of that week summer time ends in Europe."""

HOURS = (3, 2, 1, 1, 1, 2, 4, 6, 6, 5, 5, 6, 8, 7, 5, 6, 7, 9, 11, 13, 14, 13, 10, 6)
"""How much is played at each hour of a player's day."""
WEEKEND = 1.3
WINS_A_SESSION = 4
BETWEEN_WINS_S = 240.0
CUP_HOURS = (12, 20)
WEEKEND_CUP_HOURS = (8, 12, 16, 20)
CUP_GAME = "sky-race"
CUP_ENTRANTS = 0.09
CUP_FIRST_PRIZE = 2.5

TOKEN = 10**18


def generate(path: Path, days: int = 7, users: int = 2000, seed: int = 1) -> dict[str, Any]:
    """Write a recording; its header."""
    crowd = people(seed, users)
    end = START + days * DAY
    made = [*_played(crowd, seed, days), *_cups(crowd, seed, days)]
    wins = mishaps.on_the_way(made, dice(seed, "mishaps"), days, START)
    wins = [win for win in wins if START <= win.arrived_at < end]
    wins.sort(key=lambda win: (win.arrived_at, win.user, win.key, win.amount))
    header = {
        "start": moment(START),
        "days": days,
        "seed": seed,
        "users": users,
        "wins": len(wins),
        "zones": sorted({person.player.time_zone for person in crowd}),
    }
    write(path, header, [person.player for person in crowd], wins)
    return header


def _played(crowd: list[Person], seed: int, days: int) -> Iterator[Win]:
    """Everybody's sessions, from two days before on: what was late then arrives on the first."""
    for person in crowd:
        rng = dice(seed, "sessions", person.player.external_id)
        rounds = count(1)
        for day in range(-2, days + 1):
            yield from _day(person, rng, rounds, START.date() + timedelta(days=day))


def _day(person: Person, rng: Random, rounds: Iterator[int], day: date) -> Iterator[Win]:
    """One local day of a person."""
    mean = person.pace * (WEEKEND if day.weekday() >= 5 else 1)
    left = round(rng.expovariate(1 / mean))
    while left > 0:
        size = min(left, 1 + round(rng.expovariate(1 / WINS_A_SESSION)))
        left -= size
        hour = rng.choices(range(24), weights=HOURS)[0]
        local = datetime.combine(day, time(hour), tzinfo=person.zone)
        at = local.astimezone(UTC) + timedelta(seconds=rng.uniform(0, 3600))
        yield from _session(person, rng, rounds, at, size)


def _session(
    person: Person, rng: Random, rounds: Iterator[int], at: datetime, size: int
) -> Iterator[Win]:
    """Some wins in a row, in one game."""
    game = rng.choice(person.games)
    happened = []
    for _ in range(size):
        happened.append(at)
        at += timedelta(seconds=1 + rng.expovariate(1 / BETWEEN_WINS_S))
    arrived = mishaps.arrivals(rng, happened, is_mobile=person.is_mobile)
    for (arrived_at, occurred_at), number in zip(arrived, rounds, strict=False):
        yield Win(
            arrived_at,
            person.player.external_id,
            f"{game}:{number}",
            _amount(rng, person.size),
            occurred_at,
            game,
            f"round-{number}",
        )


def _amount(rng: Random, mean: float) -> int:
    """Mostly round amounts, some with all 18 decimals, a few odd ones; base units."""
    kind = rng.random()
    if kind < 0.001:
        return rng.randrange(1, 10)  # dust: some of it is worth no USD
    if kind < 0.0015:
        return rng.randrange(6, 20) * TOKEN  # more than a day may hold
    units = int(TOKEN * mean * rng.lognormvariate(-0.32, 0.8)) + rng.randrange(1, 1000)
    step = 1 if kind < 0.15 else TOKEN // 1000 if kind < 0.8 else TOKEN // 20
    return max(units // step, 1) * step


def _cups(crowd: list[Person], seed: int, days: int) -> Iterator[Win]:
    """Tournaments: hundreds win in the same seconds."""
    for day in range(days):
        date = START + day * DAY
        for hour in WEEKEND_CUP_HOURS if date.weekday() >= 5 else CUP_HOURS:
            yield from _cup(crowd, dice(seed, "cup", day, hour), date + timedelta(hours=hour))


def _cup(crowd: list[Person], rng: Random, end: datetime) -> Iterator[Win]:
    awake = [person for person in crowd if 8 <= end.astimezone(person.zone).hour < 24]
    entrants = rng.sample(awake, round(len(awake) * CUP_ENTRANTS))
    name = f"cup-{end:%Y-%m-%d-%H}"
    for rank, person in enumerate(entrants, start=1):
        prize = int(CUP_FIRST_PRIZE * 1000 / rank**0.8) * (TOKEN // 1000)
        occurred_at = end + timedelta(seconds=rng.uniform(0, 2))
        arrived_at = occurred_at + timedelta(seconds=0.2 + rng.expovariate(1 / 10))
        user = person.player.external_id
        yield Win(arrived_at, user, name, prize, occurred_at, CUP_GAME, f"{name}-{rank}")
