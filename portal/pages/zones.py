"""Time zones as people choose them: by region, each with its offset from UTC on a day."""

from collections import defaultdict
from datetime import date, datetime, time
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from portal.services.users import zones as known

OTHERS = "Others"
Choices = dict[str, list[tuple[str, str]]]


def choices(on: date, *others: str) -> Choices:
    """Every zone that people live in, by region, as name and label; `others` are named too if they are none."""
    found = {region: list(of_region) for region, of_region in _by_region(on).items()}
    more = [zone for zone in others if zone in known() and zone not in _inhabited()]
    if more:
        found[OTHERS] = [*found[OTHERS], *((zone, _label(zone, zone, on)) for zone in more)]
    return found


def name(zone: str) -> str:
    """`Buenos Aires, Argentina` for `America/Argentina/Buenos_Aires`."""
    return ", ".join(reversed(zone.replace("_", " ").split("/")[1:])) or zone


@lru_cache(maxsize=4)
def _by_region(on: date) -> Choices:
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for zone in _inhabited():
        found[zone.partition("/")[0]].append((zone, _label(name(zone), zone, on)))
    sorted_ones = {
        region: sorted(found[region], key=lambda each: each[1]) for region in sorted(found)
    }
    return {**sorted_ones, OTHERS: [("UTC", "UTC")]}


def _label(shown: str, zone: str, on: date) -> str:
    return f"{shown} ({offset(zone, datetime.combine(on, time(12)))})"


def offset(zone: str, at: datetime) -> str:
    """`UTC+5:30`: how far a zone is from UTC at a local time."""
    ahead = at.replace(tzinfo=ZoneInfo(zone)).utcoffset()
    assert ahead is not None
    minutes = round(ahead.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    sign = "−" if minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "") if minutes else "UTC"


@cache
def _inhabited() -> frozenset[str]:
    """Those of tzdata's list for maps: without old names of the same zones."""
    lines = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text().splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return frozenset(row[2] for row in rows) & known()
