"""Search: anything that finance has a name for, from one box."""

from flask import Response

from portal.pages import views
from portal.pages.blueprint import blueprint


@blueprint.get("/search")
def search() -> Response:
    """To come."""
    return views.page("staff/placeholder.html")
