"""Replays days of a recording on the ledger clock, as the API client `replay`.

All times move by a whole number of days, so that the first day starts at or after the clock and
hours of the day stay as recorded. A minute at a time the clock moves to the last arrival and the
minute's wins are sent; at the end of each hour what is due is converted. Each outcome, and in the
end each balance, is held against `model`.

The same file again is another day for other people. One that was killed is gone on with instead,
up to an hour after its end on the clock: its last booked win tells how far it came, and what comes
after that is sent. What should have arrived meanwhile is late, and judged as such.
"""

from contextlib import suppress
from datetime import datetime
from fractions import Fraction
from itertools import groupby
from time import monotonic
from zoneinfo import ZoneInfo

from portal import ledger
from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services import audit, conversions, wins
from portal.services.demo import convert_now
from portal.services.recording import books, stage
from portal.services.recording.file import Recording
from portal.services.recording.model import Expected, Model
from portal.services.recording.report import Report, flows_since
from portal.services.recording.stage import Arrival, Progress, Stage


def steps(recording: Recording) -> int:
    """How much a replay has to tell of its progress in all."""
    return len(recording.players) + len(recording.wins)


def replay(recording: Recording, progress: Progress = lambda _: None) -> Report:
    """Play a recording.

    Raises Refused('forbidden') in production, whose clock is never moved, and Unavailable when the
    database goes away; called again, it goes on.
    """
    if runtime().settings.is_production:
        raise Refused("forbidden", "production's ledger clock is never moved")
    with runtime().engine.begin() as connection:
        played = {"first_day": recording.first_day, "days": recording.days}
        audit.record(connection, "recording.replayed", "books", recording.name, after=played)
    with audit.acting(audit.SYSTEM):  # what the players do is nobody's work
        return _replay(recording, progress)


def _replay(recording: Recording, progress: Progress) -> Report:
    began = monotonic()
    convert_due()
    entered = stage.enter(recording, progress)
    report = _announce(recording, entered)
    player = Player(entered, recording, report, progress)
    player.play(player.not_yet_sent(stage.arrivals(recording, entered)))
    player.check_balances()
    report.flows = flows_since(entered.start)
    report.seconds = monotonic() - began
    return report


def convert_due() -> None:
    """Convert the hours that are over here, whatever workers do."""
    conversions.convert_due(convert_now, wait=True)


def move_clock(at: datetime) -> datetime:
    """Have the ledger clock at `at`, or leave it where it is later; what it says."""
    with runtime().engine.begin() as connection:
        now = ledger.now(connection)
        if now < at:
            with suppress(Refused):  # the clock got there by itself in between
                now = ledger.set_clock(connection, at)
        return now


def _announce(recording: Recording, entered: Stage) -> Report:
    last = recording.first_day + recording.days - 1
    which = f"day {last}" if recording.days == 1 else f"days {recording.first_day} to {last}"
    title = f"{recording.name}: {which}, recorded on {recording.start:%Y-%m-%d}"
    zones = [ZoneInfo(player.time_zone) for player in recording.players]
    played = (entered.start, entered.end)
    dates = [[at.astimezone(zone).date() for at in played] for zone in zones]
    return Report(
        title=f"{title}, played on {entered.start:%Y-%m-%d}",
        users=len(zones),
        users_made=entered.users_made,
        zones=len(set(zones)),
        midnights=sum((last - first).days for first, last in dates),
    )


class Player:
    """Plays on a stage and writes down what differs."""

    def __init__(
        self, entered: Stage, recording: Recording, report: Report, progress: Progress
    ) -> None:
        self._stage = entered
        self._report = report
        self._progress = progress
        self._names = {user_id: name for name, user_id in entered.owners.items()}
        settings = runtime().settings
        zones = {entered.owners[p.external_id]: ZoneInfo(p.time_zone) for p in recording.players}
        self._model = Model(zones, settings.win_max_age, settings.win_max_ahead)

    def not_yet_sent(self, arrivals: list[Arrival]) -> list[Arrival]:
        """What comes after the last win that is in the books; the model is told of those that are."""
        with runtime().engine.connect() as connection:
            booked = books.wins_of(connection, self._names)
        last = 0
        for number, arrival in enumerate(arrivals if booked else [], start=1):
            entry = wins.entry(self._stage.client_id, arrival.request)
            request = (entry.owner_id, entry.key_hash, entry.request_hash)
            if request in booked:
                booked.remove(request)  # what comes later under the key is a retry
                self._model.note(arrival.request)
                last = number
        self._report.before = last
        self._progress(last)
        return arrivals[last:]

    def play(self, arrivals: list[Arrival]) -> None:
        """Send everything in its time, converting at the end of each hour."""
        first_hour = _hour_of(move_clock(self._stage.start))
        convert_due()
        self._know_tokens()
        began = monotonic()
        hour_end = self._stage.start + ledger.HOUR
        for minute, group in groupby(arrivals, key=lambda arrival: arrival.minute):
            while minute >= hour_end:
                hour_end = self._turn(hour_end)
            self._send(list(group))
        while hour_end <= self._stage.end:
            hour_end = self._turn(hour_end)
        self._report.sending_seconds = monotonic() - began
        self._follow_conversions(first_hour)

    def _turn(self, hour_end: datetime) -> datetime:
        """An hour is over; the end of the next."""
        self._report.clock = move_clock(hour_end)
        convert_due()
        return hour_end + ledger.HOUR

    def _send(self, arrivals: list[Arrival]) -> None:
        now = move_clock(arrivals[-1].at)
        for first in range(0, len(arrivals), ledger.MAX_BATCH):
            requests = [arrival.request for arrival in arrivals[first : first + ledger.MAX_BATCH]]
            expected = [self._model.expect(request, now) for request in requests]
            outcomes = wins.book_batch(self._stage.client_id, requests)
            for request, wanted, outcome in zip(requests, expected, outcomes, strict=True):
                self._compare(request, wanted, outcome)
            self._progress(len(requests))

    def _compare(
        self, request: wins.WinRequest, expected: Expected, outcome: ledger.Outcome
    ) -> None:
        verdict = outcome.code or outcome.status
        self._report.verdicts[verdict] += 1
        if outcome.status == "posted" and outcome.booked_at:
            self._model.booked(request, outcome.booked_at)
            self._report.winners[request.user_id] += 1
        found = Expected(verdict)
        if expected.day is not None:
            found = Expected(verdict, outcome.day, outcome.used)
        if found != expected:
            who = f"{self._names[request.user_id]} {request.key} of {request.occurred_at}"
            self._report.differences.append(f"{who}: {found} instead of {expected}")

    def _know_tokens(self) -> None:
        """What users hold of an earlier run's wins is converted with the running hour."""
        with runtime().engine.connect() as connection:
            held = books.balances_of(connection, self._names)
        for (user_id, asset), units in held.items():
            (self._model.tokens if asset == "DREAM" else self._model.usd)[user_id] = units

    def _follow_conversions(self, first_hour: datetime) -> None:
        """Every hour since the first entry must be done; the model converts what this run saw."""
        with runtime().engine.connect() as connection:
            hour = max(self._stage.start, ledger.first_booked_hour(connection) or self._stage.end)
            while hour < self._stage.end:
                state = conversions.state_of(connection, hour)
                if state == "done":
                    self._report.hours += 1
                else:
                    self._report.differences.append(f"hour {hour}: {state} instead of done")
                rate = ledger.rate_of(connection, hour)
                if hour >= first_hour and state == "done" and rate is not None:
                    self._model.convert(hour, Fraction(rate.value))
                hour += ledger.HOUR

    def check_balances(self) -> None:
        """Hold every user's DREAM and USD against the model."""
        with runtime().engine.connect() as connection:
            found = books.balances_of(connection, self._names)
        for user_id, name in self._names.items():
            balances = [found.get((user_id, asset), 0) for asset in ("DREAM", "USD")]
            wanted = [self._model.held(user_id), self._model.usd[user_id]]
            if balances != wanted:
                self._report.differences.append(
                    f"{name} holds {balances} instead of {wanted} base units of DREAM and USD"
                )


def _hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
