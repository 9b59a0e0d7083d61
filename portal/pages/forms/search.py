"""What is looked for: one field, sent by GET."""

from flask_wtf import FlaskForm
from wtforms import SearchField
from wtforms.validators import DataRequired, Length

from portal.pages.forms.fields import LONGEST, is_text


class SearchForm(FlaskForm):
    """The field of the page; the one in the header asks for the same."""

    class Meta:
        """A form that only reads needs no token."""

        csrf = False

    q = SearchField(
        "What you have in hand",
        [
            DataRequired("Enter what you look for."),
            Length(max=LONGEST, message=f"Nothing has a name longer than {LONGEST} characters."),
            is_text,
        ],
        filters=[lambda text: text and text.strip()],
        render_kw={"autocomplete": "off", "spellcheck": "false", "maxlength": LONGEST},
    )
