"""API clients: their keys, scopes and limits."""

from flask import Response

from portal.pages import views
from portal.pages.blueprint import blueprint


@blueprint.get("/clients")
def clients() -> Response:
    """To come."""
    return views.page("staff/placeholder.html")
