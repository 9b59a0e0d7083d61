"""Signing in and out."""

from flask import Response, request, session
from flask_login import current_user

from portal.ledger.errors import Refused
from portal.pages import views, visitors
from portal.pages.blueprint import blueprint
from portal.pages.forms.entrance import SignInForm
from portal.runtime import runtime
from portal.services import clock
from portal.services.accounts import sessions, signing_in

PENDING = "pending"
"""In the cookie: whose password was right, while the second factor is awaited."""


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Response:
    """E-mail and password."""
    form = SignInForm()
    if form.validate_on_submit():
        try:
            found = signing_in.check(str(form.email.data).strip(), str(form.password.data))
            answer = _let_in(found)
        except Refused as error:
            views.refused(form, error)
        else:
            return answer
    return views.form_page("sign_in.html", form, views.WHOLE_FORM, submit="Sign in")


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End the session of this browser."""
    if current_user.is_authenticated:
        with runtime().engine.begin() as connection:
            sessions.end(connection, current_user.sign_in_id, current_user.session_id)
    visitors.sign_out()
    views.tell("You are signed out.")
    return views.go("pages.sign_in")


def enter(sign_in_id: int, *, second_factor: bool, proof: str | None = None) -> None:
    """Give the browser a session. Raises Refused('sign_in_refused') where a `proof` holds no more."""
    with runtime().engine.begin() as connection:
        if proof is not None and not signing_in.still_holds(connection, sign_in_id, proof):
            raise Refused("sign_in_refused", signing_in.WRONG)
        secret = sessions.start(connection, sign_in_id, second_factor=second_factor)
    visitors.sign_in(secret)


def onward() -> Response:
    """To the page that was asked for before signing in, or home."""
    wanted = request.args.get("next")
    return views.to(wanted) if wanted and views.is_ours(wanted) else views.go("pages.home")


def _let_in(found: signing_in.Found) -> Response:
    if found.has_second_factor:
        at = clock.now().isoformat()
        session[PENDING] = {"sign_in_id": found.sign_in_id, "proof": found.proof, "at": at}
        return views.go("pages.second_step", next=request.args.get("next"))
    enter(found.sign_in_id, second_factor=False, proof=found.proof)
    return onward()
