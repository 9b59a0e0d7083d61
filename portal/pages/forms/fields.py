"""Fields that several forms have: an e-mail address, passwords, a time zone, choices with a sentence each."""

import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from markupsafe import Markup, escape
from wtforms import (
    EmailField,
    Field,
    Form,
    HiddenField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    ValidationError,
)
from wtforms.fields import choices
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, Select

from portal.pages import zones
from portal.services.accounts.addresses import MAX_EMAIL
from portal.services.accounts.passwords import MAX, MIN
from portal.services.fields import NOT_TEXT

LONGEST = 300
"""Characters of what is looked for: longer than anything that has a name."""
ANY = {"": "Any"}
"""The choice of a filter that lets everything through."""
FORM_ID = re.compile(r"[\w-]{22}", re.ASCII)
WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
"""A number as people write it; int() would also take `1_000`, and the digits of any script."""
OPTION = '<option value="%s">%s</option>'
SELECTED = '<option selected value="%s">%s</option>'


class PlainSelect(Select):
    """A select whose options have a value and a label, and nothing else: of hundreds, 1 ms instead of 14."""

    @classmethod
    def render_option(cls, choice: Any, **_: Any) -> Markup:  # type: ignore[override]  # the types are older
        """One option."""
        form = SELECTED if choice.selected else OPTION
        return Markup(form % (escape(choice.value), escape(choice.label)))  # noqa: S704 - both escaped


choice: Any = choices.SelectChoice  # type: ignore[attr-defined]  # the types are older


def plain_choices(names: Iterable[str]) -> list[Any]:
    """Each by its own name."""
    return [choice(name, name) for name in names]


class TicksField(SelectMultipleField):
    """Some of a few, each with a sentence on what it means."""

    option_widget = CheckboxInput()

    def __init__(
        self, label: str, validators: Any = None, *, hints: Mapping[str, str], **more: Any
    ) -> None:
        more["choices"] = plain_choices(hints)
        super().__init__(label, validators, **more)
        self.hints = hints


class OneOfField(RadioField):
    """One of a few, each with a sentence on what it means."""

    def __init__(
        self, label: str, validators: Any = None, *, hints: Mapping[str, str], **more: Any
    ) -> None:
        more["choices"] = [choice(value, value.capitalize()) for value in hints]
        super().__init__(label, validators, **more)
        self.hints = hints


class WholeField(IntegerField):
    """A whole number."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take a number, or none, or say how one is written."""
        if not valuelist:
            return
        text = valuelist[0].strip()
        self.data = int(text) if WHOLE.fullmatch(text) else None
        if text and self.data is None:
            raise ValueError("Enter a whole number, such as 24.")


class GetForm(FlaskForm):
    """One that is sent by GET: its address says what is shown, and since it only reads it needs no token."""

    class Meta:
        """Nothing that another site could have done in somebody's name."""

        csrf = False


class OnceForm(FlaskForm):
    """One that makes something which another sending of it must not make again."""

    form_id = HiddenField(default=lambda: secrets.token_urlsafe(16))

    def validate_form_id(self, field: Field) -> None:
        """It is one of ours."""
        if not FORM_ID.fullmatch(said(field)):
            self.form_errors: list[str] = ["Load this page anew, then send it again."]
            raise ValidationError("no form of ours")


def email_field(label: str, description: str = "") -> EmailField:
    """An address to send mail to."""
    return EmailField(
        label,
        [InputRequired("Enter an e-mail address."), Length(max=MAX_EMAIL)],
        description=description,
        render_kw={"autocomplete": "email", "maxlength": MAX_EMAIL},
    )


def own_email_field() -> EmailField:
    """The address that a link was sent to: to be seen, and for password managers to keep."""
    return EmailField("E-mail", render_kw={"autocomplete": "username", "readonly": True})


def own_password_field(label: str = "Your password") -> PasswordField:
    """The password that there is, of whoever says who they are."""
    return PasswordField(
        label,
        [InputRequired("Enter your password."), Length(max=MAX)],
        render_kw={"autocomplete": "current-password"},
    )


def new_password_field(label: str = "Password") -> PasswordField:
    """A password to be."""
    return PasswordField(
        label,
        [InputRequired("Choose a password.")],
        description=f"At least {MIN} characters. A few words that only you would put together do well.",
        render_kw={"autocomplete": "new-password", "maxlength": MAX},
    )


def zone_field() -> SelectField:
    """A time zone, of `zone_choices`; where a script may run it begins at the browser's own."""
    return SelectField(
        "Time zone",
        [InputRequired("Choose your time zone.")],
        validate_choice=False,
        widget=PlainSelect(),
        description="Your days begin and end by it: the day's limit of tokens does too.",
        render_kw={"data-zone": ""},
    )


def zone_choices(on: date) -> list[Any]:
    """Every zone that people live in, by region, with its offset on a day; first of all none."""
    by_region = zones.choices(on).items()
    return [choice("", "Choose…")] + [
        choice(zone, label, optgroup=region) for region, named in by_region for zone, label in named
    ]


def is_text(_: Form, field: Field) -> None:
    """What is looked for can be written: nothing is called by a control character."""
    if field.data and NOT_TEXT.search(field.data):
        raise ValidationError(
            "Nothing is called that: there is a character in it that can't be seen."
        )


def stripped(text: str | None) -> str | None:
    """A filter: what was entered without the blanks around it."""
    return text and text.strip()


def said(field: Any) -> str:
    """What was entered; nothing for a field that was not sent."""
    return str(field.data or "")
