"""The conversion of one hour: how far it is, all it came to, and what a person may do about it."""

from datetime import UTC, datetime

from flask import Response, abort, request

from portal import ledger
from portal.ledger.conversion import Rate
from portal.ledger.errors import Refused
from portal.pages import hours, lists, views
from portal.pages.blueprint import blueprint
from portal.pages.formats import rate as plain
from portal.pages.forms.conversions import RateForm
from portal.runtime import runtime
from portal.services import conversions, rates, runs
from portal.services.runs import Run

FEW = 3


@blueprint.get("/conversions/<hour>")
def conversion(hour: str) -> Response:
    """All that is known of it. While it is not done, the page asks again by itself."""
    return _shown(hours.of(hour))


@blueprint.post("/conversions/<hour>")
def run_conversion(hour: str) -> Response:
    """Have it run, or run again; one that is done stays as it is."""
    at = hours.of(hour)
    try:
        is_done = conversions.request(at, runtime().start_conversions)
    except Refused as error:
        return _shown(at, error)
    if is_done:
        views.tell("This hour was converted already. Nothing was changed.")
    else:
        views.tell("A worker was asked to convert this hour.")
    return views.go("pages.conversion", hour=hour)


@blueprint.route("/conversions/<hour>/rate", methods=["GET", "POST"])
def conversion_rate(hour: str) -> Response:
    """The rate of an hour that waits for one, set by a person who stands for it."""
    at = hours.of(hour)
    run = runs.of_hour(at)
    if run is None:
        abort(404)
    if run.state != "waiting_for_rate":
        views.tell("This hour does not wait for a rate. Nothing was changed.")
        return views.go("pages.conversion", hour=hour)
    form, last = RateForm(), rates.last_rate(at)
    if form.validate_on_submit() and _set(form, at, last):
        views.tell("The rate is set, and a worker was asked to convert the hour at it.")
        return views.go("pages.conversion", hour=hour)
    if not form.seen.data:
        form.ask_nothing()
    limit = runtime().settings.rate_max_move_percent
    return views.form_page(
        "staff/conversion_rate.html",
        form,
        views.WHOLE_FORM,
        run=run,
        last=last,
        limit=limit,
        submit="Set the rate and convert",
    )


def _set(form: RateForm, hour: datetime, last: Rate | None) -> bool:
    """Set it, unless it is refused or moves further than was confirmed: the form then says why."""
    try:
        value = rates.said(str(form.rate.data))
        if last and rates.is_far(last, value) and not form.is_confirmed():
            moved = f"{rates.move(last, value):+.2f}"
            form.ask(
                f"This moves the rate by {moved} %, from {plain(last.value)} to {plain(value)}: more than"
                f" {runtime().settings.rate_max_move_percent:f} %. Tick the box if it is right."
            )
            return False
        rates.set_rate(
            hour, str(form.rate.data), str(form.reason.data), runtime().start_conversions
        )
    except Refused as error:
        views.refused(form, error)
        return False
    return True


def _shown(hour: datetime, error: Refused | None = None) -> Response:
    after = lists.after() or 0
    with runtime().reading() as connection:
        following = conversions.next_hour(connection)
        over = conversions.hours_over(connection, following)
        run = runs.of_hour(hour)
        chunks = lists.cut(runs.chunks(hour, after, lists.PAGE + 1) if run else [])
    if run is None and following and following <= hour < following + over * ledger.HOUR:
        run = runs.due(hour)
    if run is None:
        if error:
            raise error
        abort(404)
    return views.page(
        "staff/conversion.html",
        "staff/_conversion.html",
        422 if error else 200,
        run=run,
        chunks=chunks,
        after=after,
        following=following,
        refused=error,
        is_news=views.is_fragment() and request.method == "GET" and run.state == "done",
        booked=_booked(run),
        states=runs.STATES,
    )


def _booked(run: Run) -> list[datetime]:
    """The hours that it was booked in, the first few of them: seldom is it more than one."""
    if run.booked_from is None or run.booked_to is None:
        return []
    first = run.booked_from.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    count = min((run.booked_to - first) // ledger.HOUR + 1, FEW)
    return [first + number * ledger.HOUR for number in range(count)]
