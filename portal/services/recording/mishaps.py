"""What goes wrong between a game and Dreamland in a made-up recording.

Phones that were offline, clocks that are fast, studios that were down for hours, requests sent
twice, keys used twice.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from portal.services.recording.file import DAY, Win
from portal.services.recording.people import GAMES

HOUR_S = 3600.0
ON_TIME_S = 60.0

OFFLINE = 0.12
"""Of the sessions on phones: sent when the phone is online again."""
OFFLINE_TOO_LONG = 0.03
"""Of those: after the time in which wins are accepted."""
FAST_CLOCK = 0.005
WRONG_CLOCK = 0.001
RETRIED = 0.012
RETRIED_NEXT_DAY = 0.001
KEY_REUSED = 0.0012


def arrivals(
    rng: Random, happened: list[datetime], *, is_mobile: bool
) -> Iterator[tuple[datetime, datetime]]:
    """For each win of a session: when it arrives, and when its game says it happened."""
    if is_mobile and rng.random() < OFFLINE:
        online = _online_again(rng, happened)
        for at in happened:
            yield online + seconds(rng.uniform(0.2, 5)), at
        return
    for at in happened:
        arrived_at = at + seconds(0.1 + rng.expovariate(2))
        yield arrived_at, _by_its_clock(rng, at, arrived_at)


def _online_again(rng: Random, happened: list[datetime]) -> datetime:
    if rng.random() < OFFLINE_TOO_LONG:
        return happened[-1] + seconds(rng.uniform(24.5, 60) * HOUR_S)
    until = happened[0] + seconds(rng.uniform(0.3, 23.5) * HOUR_S)
    return max(until, happened[-1] + seconds(30))


def _by_its_clock(rng: Random, at: datetime, arrived_at: datetime) -> datetime:
    chance = rng.random()
    if chance < WRONG_CLOCK:
        return arrived_at + seconds(rng.uniform(300, 2400))
    if chance < FAST_CLOCK:
        return arrived_at + seconds(rng.uniform(5, 50))
    return at


@dataclass(frozen=True, slots=True)
class Outage:
    """A studio can't send what is won in its game; then it sends all of it within minutes."""

    game: str
    start: datetime
    end: datetime


def on_the_way(wins: list[Win], rng: Random, days: int, start: datetime) -> list[Win]:
    """The wins as they arrive in the end, and what is sent again."""
    outages = [_outage(rng, start + day * DAY) for day in range(days)]
    arrived = [_delayed(win, rng, outages) for win in wins]
    return arrived + list(_again(arrived, rng))


def _outage(rng: Random, day: datetime) -> Outage:
    start = day + seconds(rng.uniform(0, 17) * HOUR_S)
    return Outage(rng.choice(list(GAMES)), start, start + seconds(rng.uniform(1, 6) * HOUR_S))


def _delayed(win: Win, rng: Random, outages: list[Outage]) -> Win:
    """A win that was late anyway went another way, round the studio."""
    if win.arrived_at - win.occurred_at > seconds(ON_TIME_S):
        return win
    for outage in outages:
        if win.game == outage.game and outage.start <= win.arrived_at < outage.end:
            return replace(win, arrived_at=outage.end + seconds(rng.uniform(1, 300)))
    return win


def _again(wins: Iterable[Win], rng: Random) -> Iterator[Win]:
    """The same requests some time later, and other requests under the same keys."""
    for win in wins:
        chance = rng.random()
        if chance < RETRIED:
            for _ in range(rng.choice((1, 1, 1, 2))):
                yield _later(win, 2 + rng.expovariate(1 / 240))
        elif chance < RETRIED + RETRIED_NEXT_DAY:
            yield _later(win, rng.uniform(25, 30) * HOUR_S)
        elif chance < RETRIED + RETRIED_NEXT_DAY + KEY_REUSED:
            other = _later(win, rng.uniform(60, 1200))
            yield replace(other, amount=win.amount + rng.randrange(1, 10**17))


def _later(win: Win, delay_s: float) -> Win:
    return replace(win, arrived_at=win.arrived_at + seconds(delay_s))


def seconds(number: float) -> timedelta:
    """To the millisecond, as the file has it."""
    return timedelta(milliseconds=round(number * 1000))
