"""What a link in a mail opens. To look at the page changes nothing (programs that read mail do that), to
send its form does, once.
"""

from collections.abc import Callable

from flask import Response
from flask_login import current_user
from flask_wtf import FlaskForm

from portal.ledger.errors import Refused
from portal.pages import entrance, views
from portal.pages.blueprint import blueprint
from portal.pages.forms.fields import said, zone_choices
from portal.pages.forms.mailed import ChosenPasswordForm, ConfirmForm, SignUpForm
from portal.runtime import runtime
from portal.services import clock
from portal.services.accounts import emails, invitations, links, resets, sessions, sign_up
from portal.services.accounts.links import Link


@blueprint.route("/links/<token>", methods=["GET", "POST"])
def link(token: str) -> Response:
    """The page of the link's kind; one for all links that can't be used."""
    try:
        found = links.find(token)
        return PAGES[found.kind](token, found)
    except Refused as error:
        if error.code != "link_invalid":
            raise
        return views.page("link_invalid.html", "_link_invalid.html", 404)


def _sign_up(token: str, link: Link) -> Response:
    known = sign_up.known(link.email)
    form = ChosenPasswordForm() if known else _sign_up_form()
    form.email.data = link.email

    def finish() -> Response:
        name, zone = (None, None) if known else (said(form.display_name), said(form.time_zone))
        made = sign_up.finish(token, said(form.password), name, zone)
        _enter(made.sign_in_id)
        if made.known:
            views.tell("The account is yours, with all that it had won already.")
        else:
            views.tell("Welcome. The account is made, and you are signed in.")
        return views.go("pages.home")

    answer = _sent(form, finish)
    return answer or views.form_page(
        "link_sign_up.html", form, views.WHOLE_FORM, known=known, submit="Make the account"
    )


def _sign_up_form() -> SignUpForm:
    form = SignUpForm()
    form.time_zone.choices = zone_choices(clock.now().date())
    return form


def _invitation(token: str, link: Link) -> Response:
    form = ChosenPasswordForm()
    form.email.data = link.email

    def finish() -> Response:
        _enter(invitations.accept(token, said(form.password)))
        views.tell("Welcome. The account is made, and you are signed in.")
        return views.go("pages.home")

    answer = _sent(form, finish)
    return answer or views.form_page(
        "link_invitation.html",
        form,
        views.WHOLE_FORM,
        invited=invitations.invited(link),
        submit="Accept",
    )


def _reset(token: str, link: Link) -> Response:
    form = ChosenPasswordForm()
    form.email.data = link.email

    def finish() -> Response:
        resets.finish(token, said(form.password))
        views.tell("Your password is changed, and you are signed out everywhere. Sign in with it.")
        return views.go("pages.sign_in")

    answer = _sent(form, finish)
    return answer or views.form_page(
        "link_reset.html", form, views.WHOLE_FORM, submit="Set the password"
    )


def _email_change(token: str, link: Link) -> Response:
    form = ConfirmForm()

    def finish() -> Response:
        views.tell(f"From now on you sign in with {emails.finish(token)}.")
        return views.go("pages.email" if current_user.is_authenticated else "pages.sign_in")

    answer = _sent(form, finish)
    return answer or views.form_page(
        "link_email.html",
        form,
        views.WHOLE_FORM,
        email=link.email,
        submit="Sign in with it from now on",
    )


PAGES: dict[str, Callable[[str, Link], Response]] = {
    "sign_up": _sign_up,
    "invitation": _invitation,
    "reset": _reset,
    "email_change": _email_change,
}


def _sent(form: FlaskForm, finish: Callable[[], Response]) -> Response | None:
    """What comes of a form that was sent in order; None where it is to be shown, with what is wrong."""
    if not form.validate_on_submit():
        return None
    try:
        return finish()
    except Refused as error:
        if error.code == "link_invalid":
            raise
        views.refused(form, error)
        return None


def _enter(sign_in_id: int) -> None:
    """Sign in whose account it is; a browser has one session, so that of somebody else ends."""
    if current_user.is_authenticated:
        with runtime().engine.begin() as connection:
            sessions.end(connection, current_user.sign_in_id, current_user.session_id)
    entrance.enter(sign_in_id, second_factor=False)
