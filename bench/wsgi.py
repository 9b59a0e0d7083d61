"""The app with one more route: a win that is checked and answered like any, and booked nowhere.

The route is the app's own view, run with a `book` that invents the outcome. Whatever a win goes
through on its way to the ledger and back, this goes through too, in the same process.
"""

from datetime import UTC, datetime
from types import FunctionType, SimpleNamespace
from typing import Any

from flask import Flask

from portal import boot, create_app, ledger
from portal.api import requests
from portal.api import wins as api
from portal.ledger import chart
from portal.services.wins import WinRequest

PATH = "/bench/users/<user_id>/wins"


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
    )


def unbooked() -> Any:
    """The view of a win with `book` above in the place of the service."""
    view = api.post_win.__wrapped__  # type: ignore[attr-defined]  # within its scope check
    names = {**view.__globals__, "wins": SimpleNamespace(book=book)}
    return requests.scope("wins:write")(FunctionType(view.__code__, names))


def application() -> Flask:
    """The app and the route."""
    made = create_app()
    boot.check(made.extensions["dreamland"])
    made.add_url_rule(PATH, "bench", unbooked(), methods=["POST"])
    return made


app = application()
