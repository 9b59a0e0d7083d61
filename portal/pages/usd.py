"""USD by day, opening to the hours of a day; with what ties the total to the balance."""

from collections.abc import Iterator
from datetime import date, timedelta

from flask import Response, request

from portal.ledger.reports import UsdDay
from portal.pages import charts, exports, lists, views
from portal.pages.blueprint import blueprint
from portal.pages.forms.usd import LONGEST, FileForm, RangeForm
from portal.runtime import runtime
from portal.services import usd as money
from portal.services import written

COLUMNS = ("day", "tokens", "usd", "conversions")
ROWS = 31
"""Days of a table."""
FIRST_DAY, LAST_DAY = date(lists.FIRST_YEAR, 1, 1), date(lists.LAST_YEAR, 12, 31)


@blueprint.get("/usd")
def usd() -> Response:
    """The days of a range, of the running month where none is named."""
    form = RangeForm(formdata=request.args)
    asked = form.validate()
    first, last = (form.first.data, form.last.data) if asked else (None, None)
    with runtime().reading():
        found = money.of_range(lists.user_id(), *_open_range(first, last))
    if asked:
        form.first.data, form.last.data = found.first, found.last
    before = lists.before_day()
    rows = [day for day in found.days if before is None or day.day < before]
    shown = {
        "found": found,
        "presets": presets(found.today.day),
        "chart": charts.bars({day.day: day.amount for day in found.days}, found.first, found.last),
        "page": lists.Rows(rows[:ROWS], len(rows) > ROWS),
        "before": before,
    }
    return views.form_page("usd.html", form, "_usd.html", **shown)


@blueprint.get("/usd/<day>")
def usd_day(day: str) -> Response:
    """The hours of a day; to htmx the day's rows of the table, open or closed."""
    with runtime().reading():
        found = money.of_day(lists.user_id(), lists.day(day))
    is_open = "closed" not in request.args
    return views.page("usd_day.html", "_usd_day.html", found=found, day=found.sums, is_open=is_open)


@blueprint.get("/usd.csv")
def usd_csv() -> Response:
    """The days of a range, or all of them."""
    form = FileForm(formdata=request.args)
    if not form.validate():
        asked = {name: request.args.get(name) for name in ("first", "last")}
        return views.go("pages.usd", **asked)
    first, last = form.first.data or FIRST_DAY, form.last.data or LAST_DAY
    return exports.answer("usd", COLUMNS, _rows(lists.user_id(), first, last))


def presets(today: date) -> list[tuple[str, date, date]]:
    """Ranges that people ask for: name, first and last day."""
    month = today.replace(day=1)
    last_month = lists.month_before(month)
    return [
        ("This month", month, today),
        ("Last month", last_month, month - timedelta(days=1)),
        ("90 days", today - timedelta(days=89), today),
        ("A year", today - timedelta(days=364), today),
    ]


def _open_range(first: date | None, last: date | None) -> tuple[date | None, date | None]:
    """Where only the first day is named, the range ends a year later at most."""
    if first and not last:
        return first, min(first + timedelta(days=LONGEST - 1), LAST_DAY)
    return first, last


def _rows(user_id: int, first: date, last: date) -> Iterator[exports.Cells]:
    days: list[UsdDay] = money.of_range(user_id, first, last).days
    for day in days:
        tokens, usd = written.dream(day.tokens), written.usd(day.amount)
        yield written.day(day.day), tokens, usd, day.conversions
