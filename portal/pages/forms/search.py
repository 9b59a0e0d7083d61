"""What is looked for: one field, sent by GET."""

from wtforms import SearchField
from wtforms.validators import DataRequired, Length

from portal.pages.forms.fields import LONGEST, GetForm, is_text, stripped


class SearchForm(GetForm):
    """The field of the page; the one in the header asks for the same."""

    q = SearchField(
        "What you have in hand",
        [
            DataRequired("Enter what you look for."),
            Length(max=LONGEST, message=f"Nothing has a name longer than {LONGEST} characters."),
            is_text,
        ],
        filters=[stripped],
        render_kw={"autocomplete": "off", "spellcheck": "false", "maxlength": LONGEST},
    )
