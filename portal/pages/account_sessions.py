"""The browsers that are signed in to an account: looked at, and signed out."""

from flask import Response, abort, request
from flask_login import current_user
from sqlalchemy import Connection

from portal.pages import browsers, views, visitors
from portal.pages.blueprint import blueprint
from portal.runtime import runtime
from portal.services.accounts import sessions
from portal.services.users import ID

ALL, OTHERS = "all", "others"


@blueprint.get("/account/sessions")
def account_sessions() -> Response:
    """Each with its browser, its address, when it was opened and seen."""
    return _shown()


@blueprint.post("/account/sessions")
def end_sessions() -> Response:
    """End one, by its number, all others, or all."""
    which = request.form.get("end", "")
    with runtime().engine.begin() as connection:
        told = _end(connection, which)
    if which == ALL:
        visitors.sign_out()
        views.tell("You are signed out everywhere.")
        return views.go("pages.sign_in")
    if views.is_fragment():
        return _shown(told)
    views.tell(told)
    return views.go("pages.account_sessions")


def _shown(told: str | None = None) -> Response:
    listed = sessions.listed(current_user.sign_in_id)
    return views.page(
        "account_sessions.html",
        "_account_sessions.html",
        listed=listed,
        told=told,
        browsers=browsers,
    )


def _end(connection: Connection, which: str) -> str:
    mine = current_user.sign_in_id
    if which == ALL:
        sessions.end_all(connection, mine)
        return ""
    if which == OTHERS:
        sessions.end_all(connection, mine, but=current_user.session_id)
        return "Every other browser is signed out."
    if not ID.fullmatch(which) or not sessions.end(connection, mine, int(which)):
        abort(404)
    return "That browser is signed out."
