"""The days of which the USD is shown."""

from datetime import date, timedelta
from typing import Any

from wtforms.validators import Optional, ValidationError

from portal.pages.forms.days import DayField, in_order
from portal.pages.forms.fields import GetForm
from portal.pages.lists import FIRST_YEAR, LAST_YEAR

LONGEST = 366
"""Days of a range at once; the CSV without a range has all."""
EVERY_DAY = 366 * (LAST_YEAR - FIRST_YEAR + 1)


class RangeForm(GetForm):
    """The first and the last of a user's own days."""

    longest = LONGEST
    first = DayField("First day", [Optional()])
    last = DayField("Last day", [Optional()])

    def validate_last(self, field: Any) -> None:
        """Days in order, and not more than there is room for."""
        if not isinstance(self.first.data, date) or not field.data:
            return
        in_order(self.first, field)
        if field.data - self.first.data >= timedelta(days=self.longest):
            raise ValidationError(
                f"Choose at most {self.longest} days; the CSV of all days has more."
            )


class FileForm(RangeForm):
    """The same for a file, which has room for all."""

    longest = EVERY_DAY
