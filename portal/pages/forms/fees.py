"""The days of which fees are shown: accounting dates, UTC."""

from datetime import UTC, date
from typing import Any

from flask_wtf import FlaskForm
from wtforms import HiddenField, ValidationError
from wtforms.validators import Optional

from portal import ledger
from portal.pages.formats import day
from portal.pages.forms.usd import DayField


class FeesForm(FlaskForm):
    """The first and the last day, of those that the books have; and by what, which chips choose.

    `bounds` are set before it is validated.
    """

    class Meta:
        """A form that only reads needs no token."""

        csrf = False

    bounds: ledger.Bounds

    by = HiddenField(default="kind")
    first = DayField("First day", [Optional()])
    last = DayField("Last day", [Optional()])

    @property
    def today(self) -> date:
        """By the ledger clock, UTC."""
        return self.bounds.now.astimezone(UTC).date()

    @property
    def begun(self) -> date:
        """The first day of the books, today where they are empty."""
        return self.bounds.first_date or self.today

    def validate_first(self, field: Any) -> None:
        """A day of the books."""
        self._in_the_books(field.data)

    def validate_last(self, field: Any) -> None:
        """A day of the books, not before the first."""
        self._in_the_books(field.data)
        if self.first.data and field.data and self.first.data > field.data:
            raise ValidationError("The last day must not lie before the first.")

    def days(self) -> tuple[date, date]:
        """Of a form that is valid: the running month where nothing is said, else what is said."""
        last = self.last.data or self.today
        month = max(last.replace(day=1), self.begun)
        return self.first.data or min(month, last), last

    def _in_the_books(self, on: date | None) -> None:
        if on is None:
            return  # what was entered is no day: that is told
        if on > self.today:
            raise ValidationError(f"That lies in the future: it is {day(self.today)} (UTC).")
        if on < self.begun:
            raise ValidationError(f"That is before the first entry, of {day(self.begun)} (UTC).")
