"""The app with two more routes: a win and a spend that are checked and answered like any, and booked nowhere.

Each is the app's own view, run with a service that invents the outcome. Whatever a request goes
through on its way to the ledger and back, this goes through too, in the same process.
"""

from datetime import UTC, datetime
from types import FunctionType, SimpleNamespace
from typing import Any

from flask import Flask

from portal import boot, create_app, ledger
from portal.api import credits as credits_api
from portal.api import requests
from portal.api import wins as wins_api
from portal.ledger import chart
from portal.services.credits import Request, Transaction
from portal.services.wins import WinRequest

WIN = "/bench/users/<user_id>/wins"
SPEND = "/bench/users/<user_id>/wallets/<asset>/spends"


def book(_client_id: int, win: WinRequest) -> ledger.Outcome:
    """What the ledger would answer to the first win of a day."""
    now = datetime.now(UTC)
    return ledger.Outcome(
        status="posted",
        code=None,
        seq=1,
        booked_at=now,
        day=now.date(),
        day_limit=chart.DAY_LIMIT,
        used=win.amount,
        balance=None,
        held=None,
    )


def spend(request: Request) -> Transaction:
    """What the service would answer to a spend of somebody who has a thousand."""
    return Transaction(
        user_id=request.user_id,
        seq=1,
        kind="spend",
        asset=request.asset,
        amount=request.amount,
        booked_at=datetime.now(UTC),
        reference=request.reference,
        is_replayed=False,
        wallet=ledger.Wallet(1000, 0),
    )


def unbooked(view: Any, scope: str, **services: Any) -> Any:
    """A view with the services above in the place of its own."""
    within = view.__wrapped__  # its scope check
    names = {**within.__globals__, **services}
    return requests.scope(scope)(FunctionType(within.__code__, names))


def application() -> Flask:
    """The app and the routes."""
    made = create_app()
    boot.check(made.extensions["dreamland"])
    win = unbooked(wins_api.post_win, "wins:write", wins=SimpleNamespace(book=book))
    spent = unbooked(credits_api.post_spend, "wallets:write", credits=SimpleNamespace(spend=spend))
    made.add_url_rule(WIN, "bench-win", win, methods=["POST"])
    made.add_url_rule(SPEND, "bench-spend", spent, methods=["POST"])
    return made


app = application()
