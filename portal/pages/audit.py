"""The audit log, for staff: who did what to what, when, from where, and what it was before."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, request, url_for
from flask_login import current_user

from portal.pages import browsers, exports, lists, views
from portal.pages.blueprint import blueprint
from portal.pages.forms.audit import AuditForm
from portal.services import audit_log, exporting, written
from portal.services.audit_log import Event, Filters

COLUMNS = (
    *("id", "at", "actor", "who", "role", "action", "what", "target", "target_id", "to_what"),
    *("changes", "address", "browser", "request_id"),
)
FILTERS = ("who", "action", "target", "id", "since", "until")


@blueprint.get("/audit")
def audit() -> Response:
    """The records, newest first; the filters are in the address."""
    form, before = AuditForm(request.args), lists.before()
    page: lists.Rows[Event] = lists.Rows([], has_more=False)
    if form.validate():
        page = lists.cut(audit_log.page(_wanted(form), before, lists.PAGE + 1))
    return views.form_page(
        "audit.html",
        form,
        "_audit.html",
        events=page.rows,
        older=_address("audit", before=page.rows[-1].id) if page.has_more else None,
        newest=_address("audit") if before else None,
        kept=lists.kept(FILTERS),
        is_filtered=any(form.data.values()),
        only=_only,
        browser_words=browsers.words,
    )


@blueprint.get("/audit.<any(csv,xlsx):form>")
def audit_file(form: str) -> Response:
    """All records that fit the filters."""
    asked = AuditForm(request.args)
    if not asked.validate():
        return views.go_with_query("pages.audit")
    exporting.record("audit.exported", "audit_log", asked.data)
    title = exports.titled("audit log", asked.data)
    return exports.table(form, "audit", COLUMNS, _rows(_wanted(asked)), title)


def _rows(filters: Filters) -> Iterator[exports.Cells]:
    def read(last: Event | None) -> list[Event]:
        return audit_log.page(filters, last.id if last else None, exports.AT_ONCE)

    for event in exports.walk(read):
        changes = "; ".join(map(str, event.changes))
        said = (event.address, event.browser, event.request_id)
        target = (event.target, exports.cell(event.target_id), exports.cell(event.to_what))
        yield (
            *(event.id, written.moment(event.at), event.actor, exports.cell(event.who)),
            *(event.role, event.action, event.what, *target, exports.cell(changes)),
            *map(exports.cell, said),
        )


def _wanted(form: AuditForm) -> Filters:
    return form.wanted(ZoneInfo(current_user.zone))


def _address(page: str, **more: Any) -> str:
    """This list as another page has it, or from another record on."""
    return url_for(f"pages.{page}", **(lists.kept(FILTERS) | more))


def _only(**filters: Any) -> str:
    """The whole log with these filters alone."""
    return url_for("pages.audit", **filters)
