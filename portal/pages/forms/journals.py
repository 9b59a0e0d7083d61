"""Which ledger, which accounting dates, and in which format. Sent by GET: a download is an address."""

from typing import Any

from wtforms import SelectField
from wtforms.validators import InputRequired, ValidationError

from portal.ledger import Range
from portal.pages.forms.days import BookDaysForm, DayField

FORMATS = {"csv": "CSV", "xlsx": "XLSX", "beancount": "Beancount", "hledger": "hledger"}
ALL = {"": "All ledgers"}
NEEDED = [InputRequired("Enter a day, such as 2026-11-21.")]


def ledger_choices(ledgers: dict[str, str]) -> dict[str, str]:
    """Ledgers, by code with their assets, as one chooses among them."""
    named = {
        code: code if code == asset else f"{code}, in {asset}" for code, asset in ledgers.items()
    }
    return ALL | named


class JournalForm(BookDaysForm):
    """A ledger and its days. The choices of `ledger` are set before it is validated."""

    ledger = SelectField("Ledger", default="")
    first = DayField("First day", NEEDED)
    last = DayField("Last day", NEEDED)
    format = SelectField("Format", choices=FORMATS, default="csv")

    @property
    def wanted(self) -> Range:
        """What is asked for. Of a form that is valid."""
        first, last = self.first.data, self.last.data
        assert first
        assert last
        return Range(self.ledger.data or None, first, last)

    def validate_first(self, field: Any) -> None:
        """A day of the books, if there are any."""
        if self.bounds.first_date is None:
            raise ValidationError("Nothing is booked yet.")
        super().validate_first(field)
