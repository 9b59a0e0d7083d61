"""Days that forms ask for: a field that says how one is written, and the first and the last of a range."""

from datetime import UTC, date
from typing import Any

from wtforms import DateField, ValidationError
from wtforms.validators import Optional

from portal import ledger
from portal.pages.formats import day
from portal.pages.forms.fields import GetForm
from portal.pages.lists import FIRST_YEAR, LAST_YEAR


class DayField(DateField):
    """A day as browsers send it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take a day, or say how one is written."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Enter a day, such as 2026-11-21.") from None
        if self.data and not FIRST_YEAR <= self.data.year <= LAST_YEAR:
            self.data = None
            raise ValueError(f"Enter a day of the years {FIRST_YEAR} to {LAST_YEAR}.")


def in_order(first: Any, last: Any) -> None:
    """Raises ValidationError where the last day lies before the first; what is no day has an error of its own."""
    if isinstance(first.data, date) and last.data and first.data > last.data:
        raise ValidationError("The last day must not lie before the first.")


class BookDaysForm(GetForm):
    """The first and the last accounting date, UTC, of those that the books have.

    `bounds` are set before it is validated.
    """

    bounds: ledger.Bounds

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
        in_order(self.first, field)

    def _in_the_books(self, on: date | None) -> None:
        if on is None:
            return  # what was entered is no day: that is told
        if on > self.today:
            raise ValidationError(f"That lies in the future: it is {day(self.today)} (UTC).")
        if on < self.begun:
            raise ValidationError(f"That is before the first entry, of {day(self.begun)} (UTC).")
