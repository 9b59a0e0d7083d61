"""Signing in."""

from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField
from wtforms.validators import InputRequired, Length

from portal.services.accounts.passwords import MAX

MAX_EMAIL = 254
"""RFC 5321."""


class SignInForm(FlaskForm):
    """E-mail and password."""

    email = EmailField(
        "E-mail",
        [InputRequired("Enter your e-mail address."), Length(max=MAX_EMAIL)],
        render_kw={"autocomplete": "username"},
    )
    password = PasswordField(
        "Password",
        [InputRequired("Enter your password."), Length(max=MAX)],
        render_kw={"autocomplete": "current-password"},
    )
