"""Conversions: what ran when, and asking for the next hour."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify

from portal.api import etags, requests
from portal.api import vocabulary as v
from portal.api.answers.conversions import RunAnswer, RunsAnswer
from portal.api.calls import Page, call
from portal.api.problems import Problem
from portal.ledger import chart
from portal.runtime import runtime
from portal.services import conversions, runs, versions
from portal.services.fields import Body
from portal.services.written import decimal, dream, exact, moment

blueprint = Blueprint("conversions", __name__)

LIST = "conversions"


class HourBody(Body):
    """The hour to convert."""

    hour: v.Hour


@blueprint.get("/conversions")
@requests.scope("read")
@call(query=Page, answers={200: RunsAnswer}, conditional=True)
@etags.polled(versions.of_conversions)
def get_conversions() -> Response:
    """List conversions.

    The hourly runs with rate, sums, residue and progress, newest first.
    """
    requests.only("cursor", "limit")
    limit = requests.limit()
    before = requests.cursor(LIST)
    found = runs.page(datetime.fromisoformat(before) if before else None, limit + 1)
    more = None
    if len(found) > limit:
        more = requests.next_cursor(LIST, found[limit - 1].hour.isoformat())
    return jsonify(conversions=[_run(run) for run in found[:limit]], next_cursor=more)


@blueprint.post("/conversions")
@requests.scope("admin")
@requests.recorded
@call(body=HourBody, answers={202: RunAnswer, 200: RunAnswer}, codes=("hour_not_next",))
def post_conversion() -> tuple[Response, int]:
    """Convert an hour.

    One that is over and the next in order. 202 when it was asked for, 200 when it is done. Safe to repeat.
    """
    hour = requests.body(HourBody).hour
    if hour.minute or hour.second or hour.microsecond:
        raise Problem("validation_failed", "hour must be the start of a UTC hour", param="hour")
    done = conversions.request(hour, runtime().start_conversions)
    run = runs.of_hour(hour)
    return jsonify(conversion=_run(run) if run else _due(hour)), 200 if done else 202


def _run(run: runs.Run) -> dict[str, Any]:
    return {
        "hour": moment(run.hour),
        "state": run.state,
        "rate": None if run.rate is None else exact(run.rate, 0),
        "rate_source": run.rate_source,
        "users": run.users,
        "tokens": dream(run.tokens),
        "usd": decimal(run.usd, chart.USD_SCALE),
        "fees": decimal(run.fees, chart.USD_SCALE),
        "residue": exact(run.residue, chart.USD_SCALE),
        "started_at": run.started_at and moment(run.started_at),
        "finished_at": run.finished_at and moment(run.finished_at),
        "progress": {"chunks": run.chunks, "finished": run.chunks_finished},
        "problem": run.problem,
    }


def _due(hour: datetime) -> dict[str, Any]:
    """An hour that was asked for and has not started yet."""
    return _run(runs.due(hour))
