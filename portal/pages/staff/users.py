"""Users as finance sees them: wallets, days, entries."""

from flask import Response

from portal.pages import views
from portal.pages.blueprint import blueprint


@blueprint.get("/users")
def users() -> Response:
    """To come."""
    return views.page("staff/placeholder.html")
