"""An account at a glance; its name and its password."""

from flask import Response
from flask_login import current_user

from portal.pages import views
from portal.pages.blueprint import blueprint
from portal.pages.forms.account import NameForm, NewPasswordForm
from portal.runtime import runtime
from portal.services.accounts import deletion, profile, second_factor, sessions


@blueprint.get("/account")
def account() -> Response:
    """Every part of the account, with how it stands."""
    user_id = current_user.user_id
    with runtime().reading():
        factor = second_factor.state(current_user.sign_in_id)
        open_ones = sessions.listed(current_user.sign_in_id)
        zones = profile.zones(user_id) if user_id else None
        asked_at = deletion.asked_at(user_id) if user_id else None
    return views.page(
        "account.html", factor=factor, sessions=open_ones, zones=zones, asked_at=asked_at
    )


@blueprint.route("/account/name", methods=["GET", "POST"])
def account_name() -> Response:
    """Another name."""
    form = NameForm(name=current_user.name)

    def rename() -> str:
        profile.rename(current_user.sign_in_id, str(form.name.data))
        return "Your name is changed."

    return views.sent(form, rename, "pages.account") or views.form_page(
        "account_name.html", form, views.WHOLE_FORM, submit="Change the name"
    )


@blueprint.route("/account/password", methods=["GET", "POST"])
def account_password() -> Response:
    """Another password; every other browser is signed out."""
    form = NewPasswordForm()

    def change() -> str:
        current, new = str(form.current_password.data), str(form.password.data)
        profile.change_password(current_user.sign_in_id, current_user.session_id, current, new)
        return "Your password is changed, and every other browser is signed out."

    return views.sent(form, change, "pages.account") or views.form_page(
        "account_password.html", form, views.WHOLE_FORM, submit="Change the password"
    )
