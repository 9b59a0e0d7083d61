"""The filters of the list of users: sent by GET, so that an address says what is shown."""

from typing import Any

from wtforms import SelectField, StringField
from wtforms.validators import Length, Optional

from portal.pages.forms.fields import ANY, LONGEST, GetForm, is_text, stripped
from portal.runtime import runtime
from portal.services.directory import Filters


class UsersForm(GetForm):
    """Who, and of which region where there are several. Everything may be left out."""

    who = StringField(
        "Who",
        [Optional(), Length(max=LONGEST), is_text],
        filters=[stripped],
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
        self.region.choices = ANY | {name: name for name in known}
        if len(known) == 1:
            del self.region

    def wanted(self) -> Filters:
        """What is asked for."""
        return Filters(self.who.data or None, self.data.get("region") or None)
