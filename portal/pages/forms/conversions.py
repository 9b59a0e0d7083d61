"""Which hours are shown, and the rate that a person sets."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional, ValidationError

from portal.ledger.spans import DAY, midnight
from portal.pages.forms.days import DayField, in_order
from portal.pages.forms.fields import ANY, GetForm, stripped
from portal.services.runs import STATES, Filters

LONGEST_REASON = 300


class RunsForm(GetForm):
    """State and range; everything may be left out."""

    state = SelectField("State", choices=ANY | STATES, default="")
    since = DayField("From day (UTC)", [Optional()])
    until = DayField("To day (UTC)", [Optional()])

    def validate_until(self, field: Any) -> None:
        """Days in order."""
        in_order(self.since, field)

    def wanted(self) -> Filters:
        """What is asked for."""
        since, until = self.since.data, self.until.data
        return Filters(
            state=self.state.data or None,
            since=midnight(since) if since else None,
            until=midnight(until) + DAY if until else None,
        )


def written(_: Any, field: Any) -> None:
    """Text that can be kept and read."""
    if field.data and not "".join(field.data.splitlines()).isprintable():
        raise ValidationError("Write plain text.")


class RateForm(FlaskForm):
    """A rate by hand. One that moves far is asked for twice: `seen` is the one that was shown then."""

    rate = StringField(
        "USD for a DREAM token",
        [DataRequired("Enter a rate, such as 0.15.")],
        filters=[stripped],
        render_kw={"inputmode": "decimal", "autocomplete": "off", "maxlength": 64},
    )
    reason = TextAreaField(
        "Why it is right",
        [DataRequired("Say why it is right."), Length(max=LONGEST_REASON), written],
        filters=[stripped],
        description="Kept with the rate for ever, and in the audit log.",
        render_kw={"rows": 3, "maxlength": LONGEST_REASON},
    )
    confirmed = BooleanField("I have checked it: the rate is right")
    seen = HiddenField()

    def is_confirmed(self) -> bool:
        """Whether that it moves far was seen, of this very rate."""
        return bool(self.confirmed.data) and self.seen.data == self.rate.data

    def ask(self, sentence: str) -> None:
        """Show how far it moves, and ask whether that is meant."""
        self.seen.data, self.confirmed.data = self.rate.data, False
        self.confirmed.errors = [sentence]

    def ask_nothing(self) -> None:
        """Leave out what only a rate that moves far needs."""
        del self.confirmed
