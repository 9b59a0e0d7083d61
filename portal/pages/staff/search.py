"""Search: anything that finance has a name for, from one box. One thing found is gone to at once.

Looking is no action: neither the audit log nor the log of requests keeps what was looked for.
"""

from flask import Response, request, url_for

from portal.pages import hours, views
from portal.pages.blueprint import blueprint
from portal.pages.forms.search import SearchForm
from portal.services import search as finding
from portal.services.search import Found, Hit

KINDS = {
    "entry": "Entries",
    "payment": "Payments that are not booked",
    "user": "Users",
    "staff": "Staff",
    "client": "API clients",
    "hour": "Conversions",
}
"""What is found, in the order shown."""


@blueprint.get("/search")
def search() -> Response:
    """What is called so; without a question, what can be asked for."""
    form = SearchForm(request.args)
    found: Found | None = None
    if "q" in request.args and form.validate():
        asked = form.q.data or ""
        if shown := finding.shown_of_key(asked):
            return views.go("pages.search", q=shown)  # the key itself stays in no address
        found = finding.find(asked)
        if len(found.hits) == 1:
            return views.to(_address(found.hits[0]))
    return views.form_page(
        "staff/search.html", form, "staff/_search.html", found=found, kinds=KINDS, address=_address
    )


def _address(hit: Hit) -> str:
    """Where it is shown."""
    if hit.kind == "entry":
        return url_for("pages.entry", entry_id=hit.id)
    if hit.kind in ("user", "payment"):
        return url_for("pages.user", user_id=hit.id)
    if hit.kind == "hour":
        assert hit.at
        return url_for("pages.conversion", hour=hours.name(hit.at))
    if hit.kind == "staff":
        return url_for("pages.member", member_id=hit.id)
    return url_for("pages.client", client_id=hit.id)
