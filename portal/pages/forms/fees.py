"""The days of which fees are shown: accounting dates, UTC."""

from datetime import date

from wtforms import HiddenField

from portal.pages.forms.days import BookDaysForm


class FeesForm(BookDaysForm):
    """The days; and by what, which chips choose."""

    by = HiddenField(default="kind")

    def days(self) -> tuple[date, date]:
        """Of a form that is valid: the running month where nothing is said, else what is said."""
        last = self.last.data or self.today
        month = max(last.replace(day=1), self.begun)
        return self.first.data or min(month, last), last
