"""The filters of the list of users: sent by GET, so that an address says what is shown."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import Length, Optional

from portal.pages.forms.fields import LONGEST, is_text
from portal.runtime import runtime
from portal.services.directory import Filters


class UsersForm(FlaskForm):
    """Who, and of which region where there are several. Everything may be left out."""

    class Meta:
        """A form that only reads needs no token."""

        csrf = False

    who = StringField(
        "Who",
        [Optional(), Length(max=LONGEST), is_text],
        filters=[lambda text: text and text.strip()],
        render_kw={
            "placeholder": "Name, e-mail, external id",
            "autocomplete": "off",
            "spellcheck": "false",
        },
    )
    region = SelectField("Region", default="")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = runtime().settings.regions
        self.region.choices = {"": "Any"} | {name: name for name in known}
        if len(known) == 1:
            del self.region

    def wanted(self) -> Filters:
        """What is asked for."""
        return Filters(self.who.data or None, self.data.get("region") or None)
