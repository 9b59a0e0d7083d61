"""Pages for who can't sign in yet, or not any more: an e-mail is named, a link is sent to it."""

from collections.abc import Callable

from flask import Response, request, session

from portal.ledger.errors import Refused
from portal.pages import views
from portal.pages.blueprint import blueprint
from portal.pages.forms.fields import said
from portal.pages.forms.mailed import AskForm
from portal.services.accounts import resets, sign_up

SENT = "sent"
"""In the cookie: to which e-mail, and for which page."""


@blueprint.route("/sign-up", methods=["GET", "POST"], endpoint="sign_up")
def ask_to_sign_up() -> Response:
    """The e-mail of a new account."""
    return _asked("sign_up.html", sign_up.request)


@blueprint.route("/reset", methods=["GET", "POST"], endpoint="reset")
def ask_to_reset() -> Response:
    """The e-mail of an account whose password was forgotten."""
    return _asked("reset.html", resets.request)


@blueprint.get("/mail-sent")
def mail_sent() -> Response:
    """What to do now; the same whether or not there is an account."""
    email, page = session.get(SENT, (None, "pages.sign_up"))
    if email is None:
        return views.go(page)
    return views.page("mail_sent.html", email=email, page=page)


def _asked(template: str, send: Callable[[str], None]) -> Response:
    form = AskForm()
    if form.validate_on_submit():
        try:
            send(said(form.email))
        except Refused as error:
            views.refused(form, error)
        else:
            session[SENT] = (said(form.email).strip(), request.endpoint)
            return views.go("pages.mail_sent")
    return views.form_page(template, form, views.WHOLE_FORM, submit="Send me the link")
