"""Conversions: each hour with its rate, sums and progress."""

from flask import Response

from portal.pages import views
from portal.pages.blueprint import blueprint


@blueprint.get("/conversions")
def conversions() -> Response:
    """To come."""
    return views.page("staff/placeholder.html")
