"""Who plays in a made-up recording: where they live, how much they play, what they win."""

from dataclasses import dataclass
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from portal.services.recording.file import Player

ZONES = {
    # Weights follow who plays games where; half- and quarter-hour zones and both sides of the
    # date line are in, however few live there.
    "Asia/Shanghai": 140,
    "Asia/Kolkata": 130,
    "America/New_York": 80,
    "America/Chicago": 50,
    "America/Los_Angeles": 50,
    "Asia/Jakarta": 50,
    "America/Sao_Paulo": 50,
    "Asia/Tokyo": 45,
    "Africa/Lagos": 40,
    "Asia/Manila": 30,
    "Europe/Berlin": 30,
    "Europe/London": 30,
    "Asia/Dhaka": 30,
    "Asia/Karachi": 30,
    "America/Mexico_City": 25,
    "Asia/Ho_Chi_Minh": 25,
    "Europe/Istanbul": 25,
    "Europe/Paris": 25,
    "Asia/Seoul": 25,
    "Africa/Cairo": 20,
    "Europe/Moscow": 20,
    "Europe/Madrid": 15,
    "Asia/Tehran": 15,
    "America/Bogota": 15,
    "America/Argentina/Buenos_Aires": 12,
    "Africa/Johannesburg": 12,
    "Africa/Nairobi": 12,
    "Asia/Riyadh": 10,
    "Australia/Sydney": 10,
    "Africa/Accra": 8,
    "America/Denver": 8,
    "Asia/Yangon": 6,
    "Asia/Kathmandu": 5,
    "Asia/Kabul": 4,
    "Asia/Colombo": 4,
    "Pacific/Auckland": 4,
    "Australia/Adelaide": 3,
    "America/St_Johns": 2,
    "Pacific/Honolulu": 2,
    "Australia/Lord_Howe": 1,
    "Australia/Eucla": 1,
    "Pacific/Marquesas": 1,
    "Pacific/Chatham": 1,
    "Pacific/Tongatapu": 1,
    "Pacific/Kiritimati": 1,
    "Pacific/Pago_Pago": 1,
    "UTC": 1,
}
GAMES = {
    "gem-rush": 30,
    "maze": 20,
    "sky-race": 18,
    "word-garden": 12,
    "dream-chess": 8,
    "deep-sea": 7,
    "tiny-town": 5,
}
NAMES = (
    "Ada Bo Chen Dara Emi Femi Gus Hana Ida Jin Kofi Lena Mina Nour Omar Priya Rosa Sven Tala Yuki"
)

WINS_A_DAY = 12
"""On a weekday, in the mean over users: most win less, a few much more."""
MOST_WINS_A_DAY = 150
TOKENS_A_DAY = 1.5
"""In the mean over days: frequent winners win less at a time, or the daily limit would be all."""
LARGEST_MEAN_WIN = 0.6
SPREAD = 1.1
MOBILE = 0.4


@dataclass(frozen=True, slots=True)
class Person:
    """A player with habits: mean wins on a weekday, mean tokens a win."""

    player: Player
    zone: ZoneInfo
    pace: float
    size: float
    games: list[str]
    is_mobile: bool


def dice(*name: object) -> Random:
    """A source of chance that is the same for the same name."""
    return Random(":".join(map(str, name)))  # noqa: S311  (a made-up week, not a secret)


def people(seed: int, count: int) -> list[Person]:
    """The first ones live in one zone each, so that no zone is empty; the others by weight."""
    return [_person(dice(seed, "person", number), number) for number in range(1, count + 1)]


def _person(rng: Random, number: int) -> Person:
    zones = list(ZONES)
    zone = zones[number - 1] if number <= len(zones) else pick(rng, ZONES)
    name = f"{rng.choice(NAMES.split())} {number}"
    pace = min(WINS_A_DAY * rng.lognormvariate(-(SPREAD**2) / 2, SPREAD), MOST_WINS_A_DAY)
    return Person(
        player=Player(f"u{number:04}", name, zone),
        zone=ZoneInfo(zone),
        pace=pace,
        size=min(TOKENS_A_DAY / pace, LARGEST_MEAN_WIN),
        games=[pick(rng, GAMES) for _ in range(3)],
        is_mobile=rng.random() < MOBILE,
    )


def pick(rng: Random, weights: dict[str, int]) -> str:
    """One of the names, by weight."""
    return rng.choices(list(weights), cum_weights=list(accumulate(weights.values())))[0]
