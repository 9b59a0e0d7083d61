"""Which ledger, which accounting dates, and in which format. Sent by GET: a download is an address."""

from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from wtforms import SelectField
from wtforms.validators import InputRequired, ValidationError

from portal.ledger import Range
from portal.pages.formats import day
from portal.pages.forms.usd import DayField

FORMATS = {"csv": "CSV", "xlsx": "XLSX", "beancount": "Beancount", "hledger": "hledger"}
ALL = {"": "All ledgers"}
NEEDED = [InputRequired("Enter a day, such as 2026-11-21.")]


def ledger_choices(ledgers: dict[str, str]) -> dict[str, str]:
    """Ledgers, by code with their assets, as one chooses among them."""
    named = {
        code: code if code == asset else f"{code}, in {asset}" for code, asset in ledgers.items()
    }
    return ALL | named


class JournalForm(FlaskForm):
    """A ledger and its accounting dates, UTC.

    `today`, `began` (None: nothing is booked) and the choices of `ledger` are set before it is validated.
    """

    class Meta:
        """A form that only reads needs no token."""

        csrf = False

    today: date
    began: date | None

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
        """A day on which there were books."""
        if self.began is None:
            raise ValidationError("Nothing is booked yet.")
        if field.data and field.data < self.began:
            raise ValidationError(f"The books begin on {day(self.began)}.")

    def validate_last(self, field: Any) -> None:
        """A day that began, not before the first."""
        if field.data and field.data > self.today:
            raise ValidationError(f"That day is to come: today is {day(self.today)}, in UTC.")
        if field.data and isinstance(self.first.data, date) and field.data < self.first.data:
            raise ValidationError("The last day must not lie before the first.")
