"""Monthly statements, one printed page each: what was won, what it became, what moved in every wallet."""

from flask import Response, abort

from portal.pages import lists, views
from portal.pages.blueprint import blueprint
from portal.runtime import runtime
from portal.services import usd


@blueprint.get("/statements")
def statements() -> Response:
    """The months that there is a statement of."""
    months = usd.months(lists.user_id())
    return views.page("statements.html", months=months)


@blueprint.get("/statements/<month>")
def statement(month: str) -> Response:
    """One of them; of the running month what there is so far."""
    with runtime().reading():
        found = usd.statement(lists.user_id(), lists.month(month))
    if found is None:
        abort(404)
    return views.page("statement.html", found=found)
