"""Wins: one, a batch, and the user's day."""

from typing import Annotated, Any

from flask import Blueprint, Response, g, jsonify
from pydantic import Field

from portal import ledger
from portal.api import callers, etags, requests
from portal.api import vocabulary as v
from portal.api.answers.wins import BatchAnswer, DayAnswer, WinAnswer
from portal.api.calls import Page, call
from portal.api.problems import Problem, of_ledger
from portal.ledger import chart
from portal.ledger.errors import LedgerError
from portal.services import users, versions, win_items, wins, written
from portal.services.fields import Body
from portal.services.win_items import DETAILS, request_of
from portal.services.written import day, dream, moment

blueprint = Blueprint("wins", __name__)


class WinBody(win_items.WinBody):
    """A win to be booked."""

    amount: v.WonAmount
    occurred_at: v.SentAt
    game: v.Game
    reference: v.Reference


class BatchItem(WinBody):
    """A win of a batch, with what a single one has in its address and header."""

    user_id: v.UserId
    idempotency_key: Annotated[
        str, v.said("The win's own key.", "round-1", pattern="^[!-~]{1,255}$")
    ]


class BatchBody(Body):
    """Wins to be booked in order, as if sent one by one. An item that is wrong is refused alone."""

    wins: list[BatchItem] = Field(
        min_length=1, max_length=ledger.MAX_BATCH, description="1 to 1,000 wins."
    )


class Items(Body):
    """The body of a batch as it is read: each item is checked by itself."""

    wins: Annotated[list[Any], Field(min_length=1, max_length=ledger.MAX_BATCH)]


@blueprint.post("/users/<user_id>/wins")
@requests.scope("wins:write")
@call(
    body=WinBody,
    answers={201: WinAnswer, 200: WinAnswer},
    codes=("daily_limit_exceeded", "occurred_at_out_of_range", "period_closed"),
    key=True,
    leads={"entry_id": "win/entry_id"},
)
def post_win(user_id: str) -> tuple[Response, int, dict[str, str]]:
    """Book a win.

    It counts against the user's limit for the local day on which it happened; one that would
    pass it is refused whole. It becomes USD when the hour in which it was booked is converted.
    """
    key = requests.idempotency_key()
    body = requests.body(WinBody, chart.TOKEN_SCALE)
    request = request_of(users.parse_id(user_id), key, body)
    callers.permit(request)
    outcome = wins.book(g.caller.client_id, request)
    if outcome.status == "rejected":
        raise _problem(outcome)
    replayed = outcome.status == "replayed"
    headers = {"Idempotent-Replayed": "true"} if replayed else {}
    booked = written.win(request.user_id, request.amount, request, outcome)
    answer = jsonify(win=booked, today=_today(outcome))
    return answer, 200 if replayed else 201, headers


@blueprint.post("/wins/batch")
@requests.scope("wins:write")
@call(body=BatchBody, answers={200: BatchAnswer})
def post_batch() -> Response:
    """Book a batch of wins.

    1 to 1,000, in order, each as if it had been sent alone: look at every result's `status`.
    """
    read = [win_items.parse(item, callers.permit) for item in requests.body(Items).wins]
    requested = [item for item in read if isinstance(item, wins.WinRequest)]
    outcomes = iter(wins.book_batch(g.caller.client_id, requested) if requested else [])
    results = [
        _result(index, item, next(outcomes) if isinstance(item, wins.WinRequest) else None)
        for index, item in enumerate(read)
    ]
    counts = {
        status: sum(result["status"] == status for result in results)
        for status in ("posted", "replayed", "rejected")
    }
    return jsonify(results=results, **counts)


def _result(
    index: int, item: wins.WinRequest | LedgerError, outcome: ledger.Outcome | None
) -> dict[str, Any]:
    if isinstance(item, wins.WinRequest) and outcome and outcome.status != "rejected":
        booked = written.win(item.user_id, item.amount, item, outcome)
        return {"index": index, "status": outcome.status, "win": booked}
    problem = of_ledger(item) if isinstance(item, LedgerError) else _problem(outcome)
    return {"index": index, "status": "rejected", "error": problem.body()}


@blueprint.get("/users/<user_id>/tokens/today")
@requests.scope("read")
@call(query=Page, answers={200: DayAnswer}, conditional=True)
@etags.polled(versions.of_books)
def get_today(user_id: str) -> Response:
    """Read a user's day.

    What was won on the local day, what it has left, and each win, newest first.
    """
    requests.only("cursor", "limit")
    owner_id = users.parse_id(user_id)
    limit = requests.limit()
    name = f"today:{owner_id}"
    today, rows = wins.today(owner_id, requests.cursor(name), limit + 1)
    more = requests.next_cursor(name, rows[limit - 1].seq) if len(rows) > limit else None
    return jsonify(
        as_of=moment(today.as_of),
        asset=written.TOKEN,
        day=day(today.day),
        time_zone=today.time_zone,
        total=dream(today.won),
        limit=dream(today.limit),
        remaining=dream(today.remaining),
        wins=[
            written.win(owner_id, row.amount, row, row) | {"converted": row.converted}
            for row in rows[:limit]
        ],
        next_cursor=more,
    )


def _today(outcome: ledger.Outcome) -> dict[str, str]:
    assert outcome.day is not None
    assert outcome.day_limit is not None
    assert outcome.used is not None
    return {
        "day": day(outcome.day),
        "won": dream(outcome.used),
        "limit": dream(outcome.day_limit),
        "remaining": dream(outcome.day_limit - outcome.used),
    }


def _problem(outcome: ledger.Outcome | None) -> Problem:
    """Why an entry was rejected, with the figures of its day where the limit is the reason."""
    assert outcome is not None
    assert outcome.code is not None
    figures = {}
    if outcome.code == "daily_limit_exceeded":
        today = _today(outcome)
        figures = {"limit": today["limit"], "used": today["won"], "remaining": today["remaining"]}
    return Problem(outcome.code, DETAILS.get(outcome.code, ""), **figures)
