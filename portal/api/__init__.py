"""The JSON API for game servers, as docs and api.md promise it. Routes call one service each."""

from flask import Flask

from portal.api import (
    conversions,
    credits,
    events,
    health,
    holds,
    problems,
    requests,
    users,
    wallets,
    webhooks,
    wins,
)

PREFIX = "/api/v1"


def register(app: Flask) -> None:
    """Add the routes and the answers to errors."""
    requests.register(app)
    problems.register(app)
    app.register_blueprint(health.blueprint)
    for module in (users, wins, wallets, credits, holds, conversions, events, webhooks):
        app.register_blueprint(module.blueprint, url_prefix=PREFIX)
