"""The audit log, for staff: who did what to what, when, from where, and what it was before."""

from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, abort, request, url_for
from flask_login import current_user

from portal.pages import views
from portal.pages.blueprint import blueprint
from portal.pages.forms.audit import AuditForm
from portal.services import audit_log
from portal.services.users import ID, MAX_ID

ROWS = 50


@blueprint.get("/audit")
def audit() -> Response:
    """The records, newest first; the filters are in the address."""
    form = AuditForm(request.args)
    before = _before()
    events: list[audit_log.Event] = []
    if form.validate():
        events = audit_log.page(form.wanted(ZoneInfo(current_user.zone)), before, ROWS + 1)
    older = _address(before=events[ROWS - 1].id) if len(events) > ROWS else None
    return views.form_page(
        "audit.html",
        form,
        "_audit.html",
        events=events[:ROWS],
        older=older,
        newest=_address() if before else None,
        is_filtered=any(form.data.values()),
        only=_only,
    )


def _before() -> int | None:
    """The number of the record that the page before ended with."""
    given = request.args.get("before")
    if given is None:
        return None
    if not ID.fullmatch(given) or int(given) > MAX_ID:
        abort(404)
    return int(given)


def _address(**more: Any) -> str:
    """This list from another record on."""
    kept = {name: value for name, value in request.args.items() if name != "before" and value}
    return url_for("pages.audit", **(kept | more))


def _only(**filters: Any) -> str:
    """The whole log with these filters alone."""
    return url_for("pages.audit", **filters)
