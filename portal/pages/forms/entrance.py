"""Signing in."""

from flask_wtf import FlaskForm
from wtforms import EmailField
from wtforms.validators import InputRequired, Length

from portal.pages.forms import fields
from portal.services.accounts.addresses import MAX_EMAIL


class SignInForm(FlaskForm):
    """E-mail and password."""

    email = EmailField(
        "E-mail",
        [InputRequired("Enter your e-mail address."), Length(max=MAX_EMAIL)],
        render_kw={"autocomplete": "username"},
    )
    password = fields.own_password_field("Password")
