"""The days of which the USD is shown."""

from datetime import date, timedelta
from typing import Any

from flask_wtf import FlaskForm
from wtforms import DateField
from wtforms.validators import Optional, ValidationError

from portal.pages.lists import FIRST_YEAR, LAST_YEAR

LONGEST = 366
"""Days of a range at once; the CSV without a range has all."""
EVERY_DAY = 366 * (LAST_YEAR - FIRST_YEAR + 1)


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


class RangeForm(FlaskForm):
    """The first and the last day; it changes nothing, so it carries no token."""

    class Meta:
        """Asked for by GET."""

        csrf = False

    longest = LONGEST
    first = DayField("First day", [Optional()])
    last = DayField("Last day", [Optional()])

    def validate_last(self, field: Any) -> None:
        """Days in order, and not more than there is room for."""
        if not isinstance(self.first.data, date) or not field.data:
            return
        if self.first.data > field.data:
            raise ValidationError("The last day must not lie before the first.")
        if field.data - self.first.data >= timedelta(days=self.longest):
            raise ValidationError(
                f"Choose at most {self.longest} days; the CSV of all days has more."
            )


class FileForm(RangeForm):
    """The same for a file, which has room for all."""

    longest = EVERY_DAY
