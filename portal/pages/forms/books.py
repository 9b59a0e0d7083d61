"""Which of the books is asked for: the clock, from when to when, whose side. Sent by GET, so an address says it."""

import re
from datetime import UTC, date, datetime
from typing import Any

from wtforms import SelectField, StringField, ValidationError
from wtforms.validators import Length, Optional

from portal import ledger
from portal.pages.formats import instant
from portal.pages.forms.fields import GetForm, stripped
from portal.pages.lists import FIRST_YEAR, LAST_YEAR
from portal.services import assets

CLOCKS = {"booked": "Booked", "accounting": "Accounting date"}
SIDES = {"users": "The users'", "dreamland": "Dreamland's"}
"""The books are kept from the users' side; Dreamland's is the mirror image."""
PARTS = ("movement", "opening", "closing")
LONGEST = 64
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?) ?(\S*)", re.ASCII
)
OFFSET = re.compile(r"[+-]\d{2}:\d{2}", re.ASCII)
A_TIME = "2026-11-28T17:00Z"
A_DAY = "2026-11-28"


def parse_time(said: str) -> datetime:
    """An instant, RFC 3339 with or without seconds. Raises ValidationError, which says what is missing."""
    found = TIME.fullmatch(said)
    if DAY.fullmatch(said):
        raise ValidationError(f"Add the time of the day and its offset, such as {A_TIME}.")
    if not found:
        raise ValidationError(f"Enter a time such as {A_TIME}.")
    day, clock, offset = found.groups()
    if not offset:
        raise ValidationError(f"Add the offset: {day}T{clock}Z for UTC, or +01:00 in place of Z.")
    if offset.upper() not in ("Z", "UTC") and not OFFSET.fullmatch(offset):
        raise ValidationError("Enter the offset as Z or such as +01:00.")
    on = parse_day(day)
    try:
        at = datetime.fromisoformat(f"{on}T{clock}{offset if ':' in offset else 'Z'}")
    except ValueError:
        raise ValidationError("There is no such time.") from None
    return at.astimezone(UTC)


def parse_day(said: str) -> date:
    """A UTC day. Raises ValidationError."""
    if TIME.fullmatch(said):
        raise ValidationError(f"Accounting dates are days: enter one such as {A_DAY}.")
    if not DAY.fullmatch(said):
        raise ValidationError(f"Enter a day such as {A_DAY}.")
    try:
        day = date.fromisoformat(said)
    except ValueError:
        raise ValidationError("There is no such day.") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValidationError(f"Enter a day of the years {FIRST_YEAR} to {LAST_YEAR}.")
    return day


def time_field(label: str) -> StringField:
    """A time or a day, by the clock that is chosen."""
    return StringField(
        label,
        [Optional(), Length(max=LONGEST)],
        filters=[stripped],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class SpanForm(GetForm):
    """A clock, the time from which and up to which, and a side. Everything may be left out.

    `bounds` are set before it is validated.
    """

    bounds: ledger.Bounds

    clock = SelectField("Clock", choices=CLOCKS, default="booked")
    since = time_field("From")
    until = time_field("Up to")
    side = SelectField("Side", choices=SIDES, default="users")

    @property
    def is_booked(self) -> bool:
        """Whether times are asked for, not days."""
        return bool(self.clock.data == "booked")

    def validate_since(self, field: Any) -> None:
        """A time of the books, before the other one."""
        self._in_the_books(field)
        if self.until.data and not self.until.errors:
            self._in_order(field)

    def validate_until(self, field: Any) -> None:
        """A time of the books."""
        self._in_the_books(field)

    def begin(self) -> Any:
        """The time or day from which, if any. Of a form that is valid."""
        return self._read(self.since.data)

    def end(self) -> Any:
        """The time or day up to which, that one included."""
        return self._read(self.until.data) or self._now

    @property
    def _now(self) -> datetime | date:
        now = self.bounds.now.astimezone(UTC)
        return now if self.is_booked else now.date()

    def _in_the_books(self, field: Any) -> None:
        at = self._read(field.data)
        if at > self._now:
            raise ValidationError(f"That lies in the future: it is {instant(self.bounds.now)}.")
        first = self.bounds.first if self.is_booked else self.bounds.first_date
        if first and at < first:
            told = instant(first) if isinstance(first, datetime) else f"{first}"
            raise ValidationError(f"That is before the first entry, of {told}.")

    def _in_order(self, field: Any) -> None:
        try:
            end = self._read(self.until.data)
        except ValidationError:
            return  # it has an error of its own
        if self._read(field.data) > end:
            raise ValidationError("That is after the time up to which you ask.")

    def _read(self, said: str | None) -> Any:
        if not said:
            return None
        return parse_time(said) if self.is_booked else parse_day(said)


class TrialBalanceForm(SpanForm):
    """The same, of one ledger or all."""

    ledger = SelectField("Ledger", default="", validate_choice=False)

    def validate_ledger(self, field: Any) -> None:
        """One that there is."""
        if field.data and field.data not in assets.ledgers():
            raise ValidationError("There is no such ledger.")


class DrillForm(SpanForm):
    """The same, of the part of a balance that a figure is of."""

    part = SelectField(
        "Part",
        choices=dict.fromkeys(PARTS, ""),
        default="movement",
    )
