"""Where a replay takes place: when it starts, and its users and API client, made if missing.

A replay has users of its own, named after the file, the day and the date it is played on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from portal import ledger
from portal.runtime import runtime
from portal.services import clients, conversions, users
from portal.services.recording import books
from portal.services.recording.file import DAY, Recording
from portal.services.wins import WinRequest

CLIENT = "replay"
DATE = "%Y%m%d"

Progress = Callable[[int], object]
"""Told how many more users and wins have been dealt with."""


@dataclass(frozen=True, slots=True)
class Stage:
    """`owners` are the users' ids by their external ids in the recording."""

    start: datetime
    end: datetime
    owners: dict[str, int]
    client_id: int
    users_made: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A win of the recording with its times moved to the stage's."""

    at: datetime
    request: WinRequest

    @property
    def minute(self) -> datetime:
        """The one it arrives in: what is sent together."""
        return self.at.replace(second=0, microsecond=0)


def enter(recording: Recording, progress: Progress) -> Stage:
    """The stage of a replay that was killed, or a new one."""
    prefix = f"replay-{recording.digest[:8]}-{recording.first_day}-"
    with runtime().engine.connect() as connection:
        start = _unfinished(connection, recording, prefix) or _next_start(connection, recording)
    owners, made = {}, 0
    for player in recording.players:
        external_id = f"{prefix}{start:{DATE}}-{player.external_id}"
        user, is_new = users.create(external_id, player.display_name, player.time_zone)
        owners[player.external_id] = user.id
        made += is_new
        progress(1)
    return Stage(start, start + recording.days * DAY, owners, clients.named(CLIENT), made)


def arrivals(recording: Recording, stage: Stage) -> list[Arrival]:
    """The wins as they arrive on this stage."""
    shift = stage.start - recording.start
    return [
        Arrival(
            win.arrived_at + shift,
            WinRequest(
                user_id=stage.owners[win.user],
                key=win.key,
                amount=win.amount,
                occurred_at=win.occurred_at + shift,
                game=win.game,
                reference=win.reference,
            ),
        )
        for win in recording.wins
    ]


def _unfinished(connection: Connection, recording: Recording, prefix: str) -> datetime | None:
    """When the last replay of this day started, if it was not played to its end."""
    last = books.last_start(connection, prefix)
    if last is None:
        return None
    date = datetime.strptime(last, DATE).replace(tzinfo=UTC).date()
    start = datetime.combine(date, recording.start.timetz())
    end = start + recording.days * DAY
    is_done = conversions.state_of(connection, end - ledger.HOUR) == "done"
    is_over = ledger.now(connection) >= end + ledger.HOUR
    return None if is_done or is_over else start


def _next_start(connection: Connection, recording: Recording) -> datetime:
    """The day's start, moved by whole days to the ledger clock or after it."""
    days = -((recording.start - ledger.now(connection)) // DAY)
    return recording.start + days * DAY
