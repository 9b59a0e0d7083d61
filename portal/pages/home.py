"""The first page: what was won today, what it is worth, what happened last."""

from flask import Response, request
from flask_login import current_user

from portal import ledger
from portal.pages import lists, views
from portal.pages.blueprint import blueprint
from portal.pages.staff import overview
from portal.runtime import runtime
from portal.services import activity, users, versions


@blueprint.get("/")
def home() -> Response:
    """Everything at a glance. Asked again, it says nothing while nothing has changed."""
    if current_user.is_staff:
        return overview.shown()
    user_id = lists.user_id()
    with runtime().reading():
        version = versions.of_books(user_id)
        if views.is_fragment() and request.args.get("seen") == version:
            return views.private(Response(status=204))
        found = activity.home(user_id)
    arrived = _arrived(found.newest)
    return views.page("home.html", "_home.html", home=found, version=version, arrived=arrived)


def _arrived(newest: list[ledger.ListedEntry]) -> list[ledger.ListedEntry]:
    """What came since the page was last asked for."""
    last = request.args.get("last", "")
    if not views.is_fragment() or not (users.ID.fullmatch(last) or last == "0"):
        return []
    return [entry for entry in newest if entry.seq > int(last)]
