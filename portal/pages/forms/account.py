"""The forms of somebody's account."""

from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from portal.pages.forms import fields
from portal.services.accounts.sign_up import MAX_NAME

MAX_CODE = 40


class PasswordForm(FlaskForm):
    """What only the person may do: the password once more."""

    current_password = fields.own_password_field()


class NewPasswordForm(PasswordForm):
    """Another password."""

    password = fields.new_password_field("New password")
    again = PasswordField(
        "New password again",
        [
            InputRequired("Enter the new password again."),
            EqualTo("password", "This is not the same as the new password."),
        ],
        render_kw={"autocomplete": "new-password"},
    )


class NameForm(FlaskForm):
    """What somebody is called."""

    name = StringField(
        "Name",
        [InputRequired("Enter a name."), Length(max=MAX_NAME)],
        render_kw={"autocomplete": "name"},
    )


class ZoneForm(FlaskForm):
    """A time zone; that it is one, the service checks."""

    time_zone = SelectField(
        "Time zone",
        [InputRequired("Choose a time zone.")],
        validate_choice=False,
        widget=fields.PlainSelect(),
    )


class AppCodeForm(FlaskForm):
    """A code of the authenticator app."""

    code = StringField(
        "Code of your app",
        [InputRequired("Enter the code that your app shows."), Length(max=MAX_CODE)],
        description="Six digits, which change every 30 seconds.",
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric"},
    )


class RecoveryCodeForm(FlaskForm):
    """A recovery code."""

    code = StringField(
        "Recovery code",
        [InputRequired("Enter one of your recovery codes."), Length(max=MAX_CODE)],
        description="Sixteen letters and digits, in four groups. Each works once.",
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )
