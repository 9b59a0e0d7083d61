"""The forms of staff: an invitation, a role."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField
from wtforms.validators import AnyOf, InputRequired, Length

from portal.pages.forms import fields
from portal.services.accounts import roles
from portal.services.accounts.sign_up import MAX_NAME

ON, OFF = "on", "off"


def role_field() -> fields.OneOfField:
    """What somebody may do here."""
    return fields.OneOfField("Role", [InputRequired("Choose a role.")], hints=roles.ABOUT)


class InvitationForm(FlaskForm):
    """Somebody who is to work here."""

    email = fields.email_field("E-mail", "A link is sent to it, which can be used for a week.")
    name = StringField(
        "Name",
        [InputRequired("Enter a name."), Length(max=MAX_NAME)],
        description="As everybody here sees it.",
        render_kw={"autocomplete": "off"},
    )
    role = role_field()


class RoleForm(FlaskForm):
    """Another role."""

    role = role_field()


class AccessForm(FlaskForm):
    """Whether somebody can sign in. The form says which, so that an old one never does the contrary."""

    to = HiddenField(validators=[AnyOf((ON, OFF))])
