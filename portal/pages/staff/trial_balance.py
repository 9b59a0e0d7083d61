"""Trial balance: debits and credits of every account at any time, from either side."""

from flask import Response

from portal.pages import views
from portal.pages.blueprint import blueprint


@blueprint.get("/trial-balance")
def trial_balance() -> Response:
    """To come."""
    return views.page("staff/placeholder.html")
