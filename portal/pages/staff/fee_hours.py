"""What each hour's conversion cost, with the conversion that it was."""

from collections.abc import Iterator

from flask import Response, url_for

from portal.ledger.spans import DAY, midnight
from portal.pages import exports, hours, lists, views
from portal.pages.blueprint import blueprint
from portal.pages.staff import fees
from portal.runtime import runtime
from portal.services import runs, written
from portal.services.runs import Filters, Run

COLUMNS = ("hour", "state", "users", "usd", "fees")


@blueprint.get("/fees/hours")
def fees_hours() -> Response:
    """The hours of some days, newest first."""
    before = hours.before()
    with runtime().reading() as connection:
        form, asked = fees.asked_by_address(connection)
        rows = [] if asked is None else runs.page(before, lists.PAGE + 1, _filters(asked))
    if asked is None:
        return views.form_page("staff/fees_hours.html", form, "staff/_fees_hours.html")
    form.first.data, form.last.data = asked.first, asked.last
    page = lists.cut(rows)
    older = hours.name(page.rows[-1].hour) if page.has_more else None
    return views.form_page(
        "staff/fees_hours.html",
        form,
        "staff/_fees_hours.html",
        asked=asked,
        by_words=fees.BY,
        ranges=list(fees.usual(form)),
        page=page,
        states=runs.STATES,
        older=older and url_for("pages.fees_hours", before=older, **asked.days),
        newest=url_for("pages.fees_hours", **asked.days) if before else None,
    )


@blueprint.get("/fees/hours.<any(csv,xlsx):form>")
def fees_hours_file(form: str) -> Response:
    """All of them."""
    with runtime().reading() as connection:
        _, asked = fees.asked_by_address(connection)
        if asked is None:
            return views.go_with_query("pages.fees_hours")
        title = f"Fees of conversions, hours from {asked.first} to {asked.last}"
        return exports.table(form, "fees-by-hour", COLUMNS, _rows(_filters(asked)), title)


def _filters(asked: fees.Asked) -> Filters:
    return Filters(since=midnight(asked.first), until=midnight(asked.last) + DAY)


def _rows(filters: Filters) -> Iterator[exports.Cells]:
    def read(last: Run | None) -> list[Run]:
        return runs.page(last.hour if last else None, exports.AT_ONCE, filters)

    for run in exports.walk(read):
        usd, fee = written.usd(run.usd), written.usd(run.fees)
        yield written.moment(run.hour), run.state, run.users, usd, fee
