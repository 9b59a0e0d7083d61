"""The e-mail that one signs in with."""

from flask import Response
from flask_login import current_user

from portal.ledger.errors import Refused
from portal.pages import views
from portal.pages.blueprint import blueprint
from portal.pages.forms.fields import said
from portal.pages.forms.mailed import EmailForm
from portal.services.accounts import emails


@blueprint.route("/account/email", methods=["GET", "POST"])
def email() -> Response:
    """Another e-mail: a link sent to it confirms it."""
    form = EmailForm()
    if form.validate_on_submit():
        try:
            emails.request(current_user.sign_in_id, said(form.email), said(form.current_password))
        except Refused as error:
            views.refused(form, error)
        else:
            new = said(form.email).strip()
            views.tell(f"We sent a link to {new}. Open it to confirm; until then nothing changes.")
            return views.go("pages.email")
    return views.form_page("email.html", form, views.WHOLE_FORM, submit="Send the link")
