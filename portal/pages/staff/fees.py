"""Fees: what issuing and converting cost, by what, and what is owed to whom."""

from flask import Response

from portal.pages import views
from portal.pages.blueprint import blueprint


@blueprint.get("/fees")
def fees() -> Response:
    """To come."""
    return views.page("staff/placeholder.html")
