"""Forms that have a mail sent, and those that its link opens."""

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired

from portal.pages.forms import fields
from portal.services.accounts.sign_up import MAX_NAME


class AskForm(FlaskForm):
    """To whom a link is to be sent."""

    email = fields.email_field("E-mail")


class EmailForm(FlaskForm):
    """Another e-mail to sign in with."""

    email = fields.email_field("New e-mail", "We send a link to it: open that to confirm.")
    current_password = fields.own_password_field()


class ChosenPasswordForm(FlaskForm):
    """The password of an account that there is, or will be."""

    email = fields.own_email_field()
    password = fields.new_password_field()


class SignUpForm(FlaskForm):
    """Somebody whom nobody here knows yet."""

    email = fields.own_email_field()
    display_name = StringField(
        "Your name",
        [InputRequired("Enter a name.")],
        description="As you want to be called here.",
        render_kw={"autocomplete": "nickname", "maxlength": MAX_NAME},
    )
    time_zone = fields.zone_field()
    password = fields.new_password_field()


class ConfirmForm(FlaskForm):
    """Nothing to fill in."""
