"""The first page: what was won today, and what it is worth."""

from flask import Response

from portal.pages import views
from portal.pages.blueprint import blueprint


@blueprint.get("/")
def home() -> Response:
    """Everything at a glance."""
    return views.page("home.html")
