"""The second factor: asked for when signing in; set up and looked after in the account."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import segno
from flask import Response, request, session
from flask_login import current_user
from flask_wtf import FlaskForm
from markupsafe import Markup

from portal import ledger
from portal.ledger.errors import Refused
from portal.pages import entrance, views
from portal.pages.blueprint import blueprint
from portal.pages.forms.account import AppCodeForm, PasswordForm, RecoveryCodeForm
from portal.runtime import runtime
from portal.services.accounts import second_factor as service
from portal.services.accounts import signing_in

PATIENCE = timedelta(minutes=5)
"""For the second step of signing in."""
RECOVERY = "recovery"
MASK = 3


@dataclass(frozen=True, slots=True)
class Pending:
    """Who has given the password and not yet the code; what the cookie says of it may be old."""

    sign_in_id: int
    proof: str


@blueprint.route("/sign-in/second-factor", methods=["GET", "POST"])
def second_step() -> Response:
    """The second step of signing in: a code of the app, or a recovery code."""
    pending = _pending()
    if pending is None:
        views.tell("That took too long: sign in once more.")
        return views.go("pages.sign_in", next=request.args.get("next"))
    by_recovery = request.args.get("by") == RECOVERY
    form: FlaskForm = RecoveryCodeForm() if by_recovery else AppCodeForm()
    if form.validate_on_submit():
        try:
            service.take(pending.sign_in_id, str(form["code"].data))
            entrance.enter(pending.sign_in_id, second_factor=True, proof=pending.proof)
        except Refused as error:
            views.refused(form, error)
        else:
            return entrance.onward()
    return views.form_page(
        *("second_step.html", form, views.WHOLE_FORM),
        submit="Sign in",
        by_recovery=by_recovery,
        onward=request.args.get("next"),
    )


@blueprint.route("/account/second-factor", methods=["GET", "POST"])
def second_factor() -> Response:
    """How it stands; where it is off, the password begins to set it up."""
    state = service.state(current_user.sign_in_id)
    form = PasswordForm()
    if state.since is None and form.validate_on_submit():
        try:
            service.begin(current_user.sign_in_id, str(form.current_password.data))
        except Refused as error:
            views.refused(form, error)
        else:
            return views.go("pages.second_factor_code")
    return views.form_page(
        "second_factor.html", form, views.WHOLE_FORM, submit="Set it up", state=state
    )


@blueprint.route("/account/second-factor/code", methods=["GET", "POST"])
def second_factor_code() -> Response:
    """The secret for the app; its first code switches the second factor on, and shows recovery codes."""
    begun = service.begun(current_user.sign_in_id)
    if begun is None:
        return views.go("pages.second_factor")
    form = AppCodeForm()
    if form.validate_on_submit():
        mine = (current_user.sign_in_id, current_user.session_id)
        try:
            codes = service.confirm(*mine, str(form.code.data))
        except Refused as error:
            views.refused(form, error)
        else:
            return views.page("recovery_codes.html", codes=codes, is_new=True)
    secret = [begun.secret[at : at + 4] for at in range(0, len(begun.secret), 4)]
    return views.form_page(
        "second_factor_code.html", form, begun=begun, secret=secret, qr=_qr(begun.uri)
    )


@blueprint.route("/account/second-factor/recovery-codes", methods=["GET", "POST"])
def recovery_codes() -> Response:
    """New ones, which are shown this once."""
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            codes = service.make_codes(current_user.sign_in_id, str(form.current_password.data))
        except Refused as error:
            views.refused(form, error)
        else:
            return views.page("recovery_codes.html", codes=codes, is_new=False)
    return _about_what_is_on("new_recovery_codes.html", form, None)


@blueprint.route("/account/second-factor/off", methods=["GET", "POST"])
def second_factor_off() -> Response:
    """Switch it off."""
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            service.switch_off(current_user.sign_in_id, str(form.current_password.data))
        except Refused as error:
            views.refused(form, error)
        else:
            views.tell("The second factor is off.")
            return views.go("pages.second_factor")
    return _about_what_is_on("second_factor_off.html", form, views.WHOLE_FORM)


def _about_what_is_on(name: str, form: FlaskForm, fragment: str | None) -> Response:
    """A page for those who have one."""
    state = service.state(current_user.sign_in_id)
    if state.since is None:
        return views.go("pages.second_factor")
    return views.form_page(name, form, fragment, submit="Switch it off", danger=True, state=state)


def _pending() -> Pending | None:
    """Whose password was right a while ago, in this browser, and is still."""
    kept = session.get(entrance.PENDING)
    if kept is None:
        return None
    pending = Pending(kept["sign_in_id"], kept.get("proof", ""))
    begun = datetime.fromisoformat(kept["at"])
    with runtime().engine.begin() as connection:
        in_time = begun <= ledger.now(connection) < begun + PATIENCE
        holds = in_time and signing_in.still_holds(connection, pending.sign_in_id, pending.proof)
    return pending if holds else None


def _qr(uri: str) -> Markup:
    """A picture of an address for a phone's camera: dark on light in either theme."""
    # Any of the eight masks can be read; to look for the prettiest took 7 of 9 ms.
    drawn = segno.make(uri, error="m", micro=False, mask=MASK)
    return Markup(drawn.svg_inline(omitsize=True, dark="#000", light="#fff", border=4))  # noqa: S704 - segno's
