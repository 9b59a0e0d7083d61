"""The app with two calls that do their work and nothing beside it: a win and a read of stats.

No key is looked at, nothing is validated, limited, counted or logged; the database does all that it
does for the API's own calls. The other calls of the app have none of it here either.
"""

import json
from datetime import datetime
from inspect import unwrap

from flask import Flask, Response, jsonify, request

from portal import boot, create_app
from portal.api import wallets as wallets_api
from portal.api.wins import _today
from portal.ledger import amounts, chart
from portal.services import wins, written

WIN = "/bare/users/<int:user_id>/wins"
STATS = "/bare/users/<user_id>/stats"
CLIENT_ID = 1


def win(user_id: int) -> tuple[Response, int]:
    """Book a win, as the API's view does."""
    body = json.loads(request.get_data())
    made = wins.WinRequest(
        user_id=user_id,
        key=request.headers["Idempotency-Key"],
        amount=amounts.parse(body["amount"], chart.TOKEN_SCALE),
        occurred_at=datetime.fromisoformat(body["occurred_at"]),
        game=body["game"],
        reference=body["reference"],
    )
    outcome = wins.book(CLIENT_ID, made)
    booked = written.win(user_id, made.amount, made, outcome)
    return jsonify(win=booked, today=_today(outcome)), 201


def application() -> Flask:
    """The app and the routes."""
    made = create_app()
    boot.check(made.extensions["dreamland"])
    made.before_request_funcs.clear()
    made.after_request_funcs.clear()
    made.add_url_rule(WIN, "bare-win", win, methods=["POST"])
    made.add_url_rule(STATS, "bare-stats", unwrap(wallets_api.get_stats))
    return made


app = application()
