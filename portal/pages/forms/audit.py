"""The filters of the audit log: a form that is sent by GET, so that an address says what is shown."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from wtforms import DateField, Field, Form, SelectField, StringField, ValidationError
from wtforms.validators import Length, Optional

from portal.pages.forms.fields import ANY, LONGEST, GetForm, stripped
from portal.services.audit import ACTIONS, TARGETS
from portal.services.audit_log import Filters

FIRST, LAST = date(2000, 1, 1), date(2999, 12, 31)


def printable(_: Form, field: Field) -> None:
    """Nothing is called by what can't be written."""
    if field.data and not field.data.isprintable():
        raise ValidationError("Nothing is called that.")


def in_range(_: Form, field: Field) -> None:
    """A day that a record can be of."""
    if field.data and not FIRST <= field.data <= LAST:
        raise ValidationError("Choose a day from 2000 on.")


def _actions() -> Any:
    """By noun, as people choose: all of it, or one."""
    groups: dict[str, dict[str, str]] = {}
    for action, words in ACTIONS.items():
        noun = action.partition(".")[0]
        name = noun.replace("_", " ").capitalize()
        groups.setdefault(name, {noun: f"{name}: all"})[action] = words
    return ANY | groups


class AuditForm(GetForm):
    """Who, what, to what, when. Everything may be left out."""

    who = StringField(
        "Who",
        [Optional(), Length(max=LONGEST), printable],
        filters=[stripped],
        render_kw={"placeholder": "E-mail or name", "autocomplete": "off"},
    )
    action = SelectField("What", choices=_actions(), default="")
    target = SelectField(
        "To what",
        choices=ANY | {name: words[0].upper() + words[1:] for name, words in TARGETS.items()},
        default="",
    )
    id = StringField(
        "Which one",
        [Optional(), Length(max=LONGEST), printable],
        filters=[stripped],
        render_kw={"placeholder": "Its number, name or e-mail", "autocomplete": "off"},
    )
    since = DateField("From", [Optional(), in_range])
    until = DateField("To", [Optional(), in_range])

    def wanted(self, zone: ZoneInfo) -> Filters:
        """What is asked for; days are those of a time zone."""

        def begin(day: date) -> datetime:
            return datetime.combine(day, time(), zone).astimezone(UTC)

        return Filters(
            who=self.who.data or None,
            action=self.action.data or None,
            target=self.target.data or None,
            target_id=self.id.data or None,
            since=begin(self.since.data) if self.since.data else None,
            until=begin(self.until.data + timedelta(days=1)) if self.until.data else None,
        )
