"""Which of the books a page is asked for, by its address: clock, from when to when, side; and the usual ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from flask import abort, request
from sqlalchemy import Connection

from portal import ledger
from portal.ledger.spans import DAY, INSTANT, midnight
from portal.pages import exports, formats, lists, views
from portal.pages.forms.books import A_DAY, A_TIME, DrillForm, SpanForm
from portal.services import written

FIVE = timedelta(hours=17)
"""Of the afternoon, when many offices end their day."""

Form = TypeVar("Form", bound=SpanForm)
Chip = tuple[str, dict[str, str]]
"""Name, and what the address says."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A span of the books from a side. `part`: which part of an account's balance a figure is of."""

    span: ledger.Span
    side: ledger.Side
    bounds: ledger.Bounds
    part: str = "movement"

    @property
    def is_booked(self) -> bool:
        """Whether its times are those of booking."""
        return self.span.clock == "booked"

    @property
    def since(self) -> datetime | date | None:
        """The time or day from which, if any."""
        return self.span.start if self.is_booked else self.span.first_date

    @property
    def until(self) -> datetime | date:
        """The time or day up to which, that one included."""
        return self.span.at if self.is_booked else self.span.last_date

    @property
    def counted(self) -> ledger.Span:
        """What a figure counts: before the span, in it, or all up to its end."""
        if self.part == "opening":
            return replace(self.span, start=None, end=self.span.start or self.span.end)
        return replace(self.span, start=None) if self.part == "closing" else self.span

    @property
    def query(self) -> dict[str, Any]:
        """What an address says, so that another page shows the same: also what was left out."""
        said: dict[str, Any] = {"clock": self.span.clock, "until": _said(self.until)}
        if self.since:
            said["since"] = _said(self.since)
        if self.side != "users":
            said["side"] = self.side
        return said

    @property
    def opened(self) -> dict[str, Any]:
        """The same of a figure, with its part."""
        return self.query | ({} if self.part == "movement" else {"part": self.part})

    @property
    def words(self) -> str:
        """The span and the side, for the head of a file."""
        since = f"from {_said(self.since)} " if self.since else ""
        clock = "booked" if self.is_booked else "by accounting date"
        whose = "users'" if self.side == "users" else "Dreamland's"
        return f"{clock} {since}up to {_said(self.until)}, {whose} side"


@dataclass(frozen=True, slots=True)
class Finality:
    """Why figures can still change, or why they stay as they are for ever."""

    words: str
    is_final: bool = False


def fill(form: Form, connection: Connection) -> Form:
    """Give a form what its times are held against, and an example of them."""
    form.bounds = ledger.bounds(connection)
    for field in (form.since, form.until):
        field.render_kw = {**field.render_kw, "placeholder": A_TIME if form.is_booked else A_DAY}
    return form


def asked(form: SpanForm) -> Asked:
    """What a valid form asks for."""
    made = ledger.Span.booked if form.is_booked else ledger.Span.accounting
    part = form.part.data if isinstance(form, DrillForm) else "movement"
    return Asked(made(form.begin(), form.end()), form.side.data, form.bounds, part)


def asked_by_address(connection: Connection) -> Asked:
    """What the address of a page below the trial balance asks for; what is wrong with it is told there."""
    form = fill(DrillForm(request.args), connection)
    if not form.validate():
        abort(views.go_with_query("pages.trial_balance"))
    return asked(form)


def finality(connection: Connection, found: ledger.TrialBalance) -> Finality:
    """Whether what was found can still change."""
    span = found.span
    closed = found.last_closed_hour + ledger.HOUR if found.last_closed_hour else None
    if span.clock == "booked" and closed and span.end <= closed:
        return Finality(
            "All of its hours are closed: asked again, it is the same to the last unit.",
            is_final=True,
        )
    live = (
        f"The last closed hour ended at {closed:%Y-%m-%d %H:%M} UTC; what was booked since is added live."
        if closed
        else "No hour is closed yet: all of it is added live."
    )
    if span.clock == "booked":
        return Finality(live)
    if open_ := ledger.open_periods(connection, span.last_date):
        return Finality(f"Entries may still get these dates: {_months(open_)}. {live}")
    return Finality(
        "Every month up to then is closed: no entry gets these dates any more.", is_final=True
    )


def stamp(title: str, asked: Asked, found: ledger.TrialBalance) -> exports.Stamp:
    """The head of a file."""
    if asked.is_booked:
        return exports.Stamp(title, asked.span.at, found.last_closed_hour)
    return exports.Stamp(title, asked.bounds.now, found.last_closed_hour, asked.span.last_date)


def usual(asked: Asked) -> Iterator[Chip]:
    """Spans that people ask for, on the same clock; each begins and ends within the books."""
    bounds = asked.bounds
    begun: Any = bounds.first if asked.is_booked else bounds.first_date
    now = bounds.now.astimezone(UTC)
    for name, since, until in _booked(now) if asked.is_booked else _days(now.date()):
        if until is None or (begun and until >= begun):
            has_before = begun and since and since > begun
            ends = {"since": since if has_before else None, "until": until}
            said = {name: _said(at) for name, at in ends.items() if at}
            yield name, {"clock": asked.span.clock, "side": asked.side} | said


def _booked(now: datetime) -> list[tuple[str, datetime | None, datetime | None]]:
    today = midnight(now.date())
    month = today.replace(day=1)
    last_month = (month - DAY).replace(day=1)
    return [
        ("Now", None, None),
        ("Yesterday's end", None, today - INSTANT),
        ("Yesterday, 17:00", None, today - DAY + FIVE),
        ("This month", month, None),
        ("Last month", last_month, month - INSTANT),
    ]


def _days(today: date) -> list[tuple[str, date | None, date | None]]:
    month = today.replace(day=1)
    return [
        ("Today", None, None),
        ("Yesterday", None, today - DAY),
        ("This month", month, None),
        ("Last month", lists.month_before(month), month - DAY),
    ]


def _months(first_days: Sequence[date]) -> str:
    if len(first_days) == 1:
        return f"{formats.month(first_days[0])} is not closed"
    ends = f"{formats.month(first_days[0])} to {formats.month(first_days[-1])}"
    return f"{len(first_days)} months, {ends}, are not closed"


def _said(at: datetime | date) -> str:
    return written.moment(at) if isinstance(at, datetime) else written.day(at)
