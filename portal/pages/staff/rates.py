"""The rate's history: USD for a token, hour by hour or day by day, as a line and as a table."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from flask import Response, abort, request

from portal import ledger
from portal.pages import charts, exports, hours, views
from portal.pages.blueprint import blueprint
from portal.runtime import runtime
from portal.services import rate_history, written
from portal.services.rate_history import DayRates, HourRate

RANGES = (7, 30, 90)
"""Days that one may look at."""
BY_HOUR = 7
"""Of so many days each hour is shown, of more each day."""
COLUMNS = ("hour", "rate", "source", "source_time", "payload_sha256", "reason", "stored_at")


@blueprint.get("/rates")
def rates() -> Response:
    """The rates of the last days."""
    chosen = _days() or 30
    with runtime().reading() as connection:
        first, end = _range(ledger.now(connection), chosen)
        by_hour = _hours(first) if chosen <= BY_HOUR else []
        by_day = [] if by_hour or chosen <= BY_HOUR else rate_history.days(first)
    values = {rate.hour: rate.rate for rate in by_hour} or {_noon(day): day.last for day in by_day}
    return views.page(
        "staff/rates.html",
        "staff/_rates.html",
        ranges=RANGES,
        chosen=chosen,
        by_hour=by_hour,
        by_day=by_day,
        line=charts.line(values, first, end),
        hour_name=hours.name,
    )


@blueprint.get("/rates.<any(csv,xlsx):form>")
def rates_file(form: str) -> Response:
    """The rate of every hour of the last days, or of all."""
    chosen, first = _days(), None
    stamp = exports.stamp(f"Rates, USD for a DREAM{f': {chosen} days' if chosen else ''}")
    if chosen:
        first, _ = _range(stamp.booked_to, chosen)
    return exports.sheet(form, "rates", COLUMNS, _rows(first), stamp)


def _days() -> int | None:
    """How many days are asked for; there are no others."""
    found = request.args.get("days")
    if found is not None and found not in map(str, RANGES):
        abort(404)
    return (found and int(found)) or None


def _range(now: datetime, days: int) -> tuple[datetime, datetime]:
    """The last days, today's among them: whole UTC days."""
    today = now.astimezone(UTC).date()
    end = datetime.combine(today + timedelta(days=1), time(), UTC)
    return end - timedelta(days=days), end


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
            *(written.moment(rate.source_time) if rate.source_time else None, rate.payload_hash),
            *(exports.cell(rate.reason), written.moment(rate.stored_at)),
        )
