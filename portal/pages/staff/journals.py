"""Journals: whole ledgers in formats that accountants' tools read."""

from flask import Response

from portal.pages import views
from portal.pages.blueprint import blueprint


@blueprint.get("/journals")
def journals() -> Response:
    """To come."""
    return views.page("staff/placeholder.html")
