"""The home of staff: the state of the books in one look, refreshed while one looks on."""

from collections.abc import Sequence
from datetime import date

from flask import Response

from portal import ledger
from portal.pages import charts, exports, lists, views
from portal.pages.blueprint import blueprint
from portal.runtime import runtime
from portal.services import jobs, runs, verifications, written
from portal.services import overview as books
from portal.services.overview import Overview

COLUMNS = ("day", "won", "converted", "usd", "issuance_fees", "conversion_fees")


def shown() -> Response:
    """The page, or what of it is news, of the days that the address says."""
    chosen = lists.last_days() or lists.USUAL_DAYS
    found = books.overview(chosen)
    return views.page(
        "staff/overview.html",
        "staff/_overview.html",
        found=found,
        chosen=chosen,
        ranges=lists.LAST_DAYS,
        charts=_charts(found),
        failed_jobs=jobs.failures(),
        states=runs.STATES,
        verified_states=verifications.STATES,
    )


@blueprint.get("/overview.<any(csv,xlsx):form>")
def overview_file(form: str) -> Response:
    """What the charts show, day by day."""
    chosen = lists.last_days() or lists.USUAL_DAYS
    title = f"Tokens won, USD paid and fees of {chosen} days, booked by UTC day"
    with runtime().reading():
        return exports.table(form, "days", COLUMNS, _rows(books.overview(chosen).days), title)


def _charts(found: Overview) -> list[tuple[str, str, charts.Chart]]:
    """Name and unit of each chart; days on which more was taken back than came have no bar."""
    series: tuple[tuple[str, str, dict[date, int]], ...] = (
        ("Tokens won", "DREAM", {day.day: day.won for day in found.days}),
        ("USD paid", "USD", {day.day: day.usd for day in found.days}),
        ("Fees", "USD", {d.day: d.issuance_fees + d.conversion_fees for d in found.days}),
    )
    return [
        (name, unit, charts.bars(amounts, found.first, found.last))
        for name, unit, amounts in series
    ]


def _rows(days: Sequence[ledger.DayFlow]) -> list[exports.Cells]:
    return [
        (
            written.day(each.day),
            *(written.dream(each.won), written.dream(each.converted), written.usd(each.usd)),
            *(written.usd(each.issuance_fees), written.usd(each.conversion_fees)),
        )
        for each in reversed(days)
    ]
