"""The rate's history: USD for a token, hour by hour or day by day, as a line and as a table."""

from collections.abc import Iterator
from datetime import UTC, datetime, time

from flask import Response

from portal import ledger
from portal.ledger.spans import DAY, midnight
from portal.pages import charts, exports, lists, views
from portal.pages.blueprint import blueprint
from portal.runtime import runtime
from portal.services import rate_history, written
from portal.services.rate_history import DayRates, HourRate

BY_HOUR = 7
"""Of so many days each hour is shown, of more each day."""
COLUMNS = ("hour", "rate", "source", "source_time", "payload_sha256", "reason", "stored_at")


@blueprint.get("/rates")
def rates() -> Response:
    """The rates of the last days."""
    chosen = lists.last_days() or lists.USUAL_DAYS
    with runtime().reading() as connection:
        first, end = _range(ledger.now(connection), chosen)
        by_hour = _hours(first) if chosen <= BY_HOUR else []
        by_day = [] if by_hour or chosen <= BY_HOUR else rate_history.days(first)
    values = {rate.hour: rate.rate for rate in by_hour} or {_noon(day): day.last for day in by_day}
    return views.page(
        "staff/rates.html",
        "staff/_rates.html",
        ranges=lists.LAST_DAYS,
        chosen=chosen,
        by_hour=by_hour,
        by_day=by_day,
        line=charts.line(values, first, end),
    )


@blueprint.get("/rates.<any(csv,xlsx):form>")
def rates_file(form: str) -> Response:
    """The rate of every hour of the last days, or of all."""
    chosen = lists.last_days()
    title = f"Rates, USD for a DREAM{f': {chosen} days' if chosen else ''}"
    with runtime().reading() as connection:
        first = _range(ledger.now(connection), chosen)[0] if chosen else None
        return exports.table(form, "rates", COLUMNS, _rows(first), title)


def _range(now: datetime, days: int) -> tuple[datetime, datetime]:
    """The last days, today's among them: whole UTC days."""
    end = midnight(now.astimezone(UTC).date()) + DAY
    return end - days * DAY, end


def _hours(first: datetime) -> list[HourRate]:
    return rate_history.hours(first, None, 24 * BY_HOUR)


def _noon(day: DayRates) -> datetime:
    return datetime.combine(day.day, time(12), UTC)


def _rows(first: datetime | None) -> Iterator[exports.Cells]:
    def read(last: HourRate | None) -> list[HourRate]:
        return rate_history.hours(first, last.hour if last else None, exports.AT_ONCE)

    for rate in exports.walk(read):
        yield (
            *(written.moment(rate.hour), written.exact(rate.rate, 0), exports.cell(rate.source)),
            *(exports.moment(rate.source_time), rate.payload_hash),
            *(exports.cell(rate.reason), written.moment(rate.stored_at)),
        )
