"""The format of a recording: JSON Lines in UTF-8, gzipped where the file's name ends in `.gz`.

The first line is the header, then come the users, then the wins in the order of `arrived_at`:

    {"type": "header", "version": 1, "start": "2026-10-19T00:00:00.000Z", "days": 7, "seed": 1,
     "users": 2000, "wins": 171003, "zones": ["Africa/Accra", …]}
    {"type": "user", "external_id": "u0001", "display_name": "Mina 1", "time_zone": "Asia/Tokyo"}
    {"type": "win", "arrived_at": "2026-10-19T00:00:00.512Z", "user": "u0417", "key": "maze:88-3",
     "amount": "0.125", "occurred_at": "2026-10-19T00:00:00.101Z", "game": "maze",
     "reference": "round-88-3"}

`arrived_at` is when the request reached Dreamland, the other fields are what it said. A request
that was sent twice is there twice. A replay keeps arrival times to the minute.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from portal.ledger import amounts, chart
from portal.ledger.errors import InvalidAmount, Refused

VERSION = 1
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Player:
    """A user of the recording; `external_id` is unique in the file."""

    external_id: str
    display_name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Win:
    """A request as it arrived: times in UTC, `amount` in base units of DREAM."""

    arrived_at: datetime
    user: str
    key: str
    amount: int
    occurred_at: datetime
    game: str
    reference: str


@dataclass(frozen=True, slots=True)
class Recording:
    """Days of a recording: those that a replay is to play."""

    name: str
    """The file's name, for people."""
    digest: str
    """SHA-256 of the file, in hex: another file is another recording."""
    first_day: int
    """Number of the first day in the file, from 1."""
    start: datetime
    """When that day began."""
    days: int
    players: list[Player]
    wins: list[Win]


def write(path: Path, header: dict[str, Any], players: list[Player], wins: list[Win]) -> None:
    """Write a recording; the same content makes the same bytes."""
    head = {"type": "header", "version": VERSION, **header}
    lines = [head, *map(_player_fields, players), *map(_win_fields, wins)]
    content = b"".join(map(_line, lines))
    # No name and no time goes into the gzip header: equal recordings are equal files.
    path.write_bytes(gzip.compress(content, 6, mtime=0) if path.suffix == ".gz" else content)


def read(path: Path, first_day: int = 1, days: int = 1) -> Recording:
    """Days `first_day` (from 1) and on of a recording, with all its users.

    Raises Refused('invalid_recording'), which names the line that is wrong.
    """
    content = path.read_bytes()
    lines = _lines(path, content)
    recorded_from, recorded_days = _header(next(lines, (1, {}))[1])
    if not 1 <= first_day <= first_day + days - 1 <= recorded_days:
        raise _invalid(1, f"it has days 1 to {recorded_days}")
    start = recorded_from + (first_day - 1) * DAY
    players, wins = _parsed(lines, start, start + days * DAY)
    digest = sha256(content).hexdigest()
    return Recording(path.name, digest, first_day, start, days, players, wins)


def _parsed(
    lines: Iterator[tuple[int, dict[str, Any]]], start: datetime, end: datetime
) -> tuple[list[Player], list[Win]]:
    """The users and the wins that arrived in [start, end)."""
    players: dict[str, Player] = {}
    wins: list[Win] = []
    last = datetime.min.replace(tzinfo=UTC)
    for number, fields in lines:
        try:
            if fields["type"] == "user":
                player = _player(fields)
                players[player.external_id] = player
                continue
            last = _next_arrival(fields, last, players)
            if last >= end:
                break
            if last >= start:
                wins.append(_win(fields, last))
        except (KeyError, TypeError, ValueError, InvalidAmount) as error:
            raise _invalid(number, f"{type(error).__name__}: {error}") from error
    return list(players.values()), wins


def _next_arrival(fields: dict[str, Any], last: datetime, players: dict[str, Player]) -> datetime:
    """When a win arrived. Raises ValueError out of order, or where no such user came before."""
    arrived_at = _moment(fields["arrived_at"])
    if arrived_at < last:
        raise ValueError("wins must be in the order of arrived_at")
    if fields["user"] not in players:
        raise ValueError(f"there is no user {fields['user']!r} above")
    return arrived_at


def _lines(path: Path, content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Numbered lines as objects."""
    try:
        plain = gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise _invalid(1, str(error)) from error
    for number, line in enumerate(plain.splitlines(), start=1):
        try:
            fields = json.loads(line)
        except ValueError as error:
            raise _invalid(number, str(error)) from error
        if not isinstance(fields, dict):
            raise _invalid(number, "not a JSON object")
        yield number, fields


def _header(fields: dict[str, Any]) -> tuple[datetime, int]:
    """When the recording starts and how many days it has."""
    if (fields.get("type"), fields.get("version")) != ("header", VERSION):
        raise _invalid(1, f"not the header of a recording of version {VERSION}")
    try:
        return _moment(fields["start"]), int(fields["days"])
    except (KeyError, TypeError, ValueError) as error:
        raise _invalid(1, f"{type(error).__name__}: {error}") from error


def _invalid(number: int, problem: str) -> Refused:
    return Refused("invalid_recording", f"line {number} of the recording: {problem}")


def _player(fields: dict[str, Any]) -> Player:
    return Player(fields["external_id"], fields["display_name"], fields["time_zone"])


def _win(fields: dict[str, Any], arrived_at: datetime) -> Win:
    return Win(
        arrived_at,
        fields["user"],
        fields["key"],
        amounts.parse(fields["amount"], chart.TOKEN_SCALE),
        _moment(fields["occurred_at"]),
        fields["game"],
        fields["reference"],
    )


def _moment(text: str) -> datetime:
    """UTC. Raises ValueError for a time without an offset."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return at.astimezone(UTC)


def _player_fields(player: Player) -> dict[str, str]:
    return {
        "type": "user",
        "external_id": player.external_id,
        "display_name": player.display_name,
        "time_zone": player.time_zone,
    }


def _win_fields(win: Win) -> dict[str, str]:
    return {
        "type": "win",
        "arrived_at": moment(win.arrived_at),
        "user": win.user,
        "key": win.key,
        "amount": amounts.text(win.amount, chart.TOKEN_SCALE),
        "occurred_at": moment(win.occurred_at),
        "game": win.game,
        "reference": win.reference,
    }


def moment(at: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _line(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
