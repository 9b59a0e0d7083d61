"""Conversions: every hour with its rate, its sums and what became of it, newest first."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from flask import Response, request, url_for

from portal.ledger import chart
from portal.pages import exports, hours, lists, views
from portal.pages.blueprint import blueprint
from portal.pages.forms.conversions import RunsForm
from portal.runtime import runtime
from portal.services import conversions as conversion
from portal.services import runs, written
from portal.services.runs import Filters, Run

COLUMNS = (
    *("hour", "state", "rate", "rate_source", "rate_time", "payload_sha256", "rate_reason"),
    *("users", "tokens", "usd", "fees", "residue_usd", "started_at", "finished_at", "seconds"),
    *("chunks", "chunks_finished", "problem"),
)
FILTERS = ("state", "since", "until")


@blueprint.get("/conversions")
def conversions() -> Response:
    """The hours that fit, those that are due and not begun first; the filters are in the address."""
    form, before = RunsForm(request.args), hours.before()
    page: lists.Rows[Run] = lists.Rows([], has_more=False)
    due: list[Run] = []
    if form.validate():
        with runtime().reading():
            page = lists.cut(runs.page(before, lists.PAGE + 1, form.wanted()))
            due = [] if before else _due(form.wanted())
    older = hours.name(page.rows[-1].hour) if page.has_more else None
    return views.form_page(
        "staff/conversions.html",
        form,
        "staff/_conversions.html",
        runs=[*due, *page.rows],
        older=older and _address(before=older),
        newest=_address() if before else None,
        filters=lists.kept(FILTERS),
        states=runs.STATES,
    )


@blueprint.get("/conversions.<any(csv,xlsx):form>")
def conversions_file(form: str) -> Response:
    """All hours that fit the filters."""
    asked = RunsForm(request.args)
    if not asked.validate():
        return views.go_with_query("pages.conversions")
    title = exports.titled("Conversions", lists.kept(FILTERS))
    return exports.table(form, "conversions", COLUMNS, _rows(asked.wanted()), title)


def _due(filters: Filters) -> list[Run]:
    """The next hour, if it is over and nobody has begun it, and fits."""
    with runtime().snapshot() as connection:
        following = conversion.next_hour(connection)
        if following is None or conversion.hours_over(connection, following) <= 0:
            return []
        is_begun = conversion.state_of(connection, following) is not None
    fits = (
        filters.state in {None, "due"}
        and (filters.since is None or filters.since <= following)
        and (filters.until is None or following < filters.until)
    )
    return [runs.due(following)] if fits and not is_begun else []


def _rows(filters: Filters) -> Iterator[exports.Cells]:
    def read(last: Run | None) -> list[Run]:
        return runs.page(last.hour if last else None, exports.AT_ONCE, filters)

    for run in chain(_due(filters), exports.walk(read)):
        yield (
            *(
                written.moment(run.hour),
                run.state,
                written.exact(run.rate, 0) if run.rate else None,
            ),
            *(exports.cell(run.rate_source), exports.moment(run.rate_time), run.rate_hash),
            *(exports.cell(run.rate_reason), run.users, written.dream(run.tokens)),
            *(written.usd(run.usd), written.usd(run.fees)),
            written.exact(run.residue, chart.USD_SCALE),
            *(exports.moment(run.started_at), exports.moment(run.finished_at), _seconds(run)),
            *(run.chunks, run.chunks_finished, exports.cell(run.problem)),
        )


def _seconds(run: Run) -> str | None:
    if run.duration is None:
        return None
    return f"{run.duration.days * 86_400 + run.duration.seconds}.{run.duration.microseconds:06d}"


def _address(**more: Any) -> str:
    return url_for("pages.conversions", **lists.kept(FILTERS), **more)
