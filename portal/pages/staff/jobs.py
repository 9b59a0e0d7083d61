"""Jobs: queues, workers, what failed, what recurs."""

from flask import Response

from portal.pages import views
from portal.pages.blueprint import blueprint


@blueprint.get("/jobs")
def jobs() -> Response:
    """To come."""
    return views.page("staff/placeholder.html")
