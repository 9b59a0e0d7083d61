"""Members of staff: invitations, roles, sessions."""

from flask import Response

from portal.pages import views
from portal.pages.blueprint import blueprint


@blueprint.get("/staff")
def staff() -> Response:
    """To come."""
    return views.page("staff/placeholder.html")
