"""The JSON API for game servers, as docs and api.md promise it. Routes call one service each."""

from flask import Flask

from portal.api import (
    conversions,
    credits,
    etags,
    events,
    health,
    holds,
    imports,
    problems,
    rates,
    records,
    reference,
    users,
    wallets,
    webhooks,
    wins,
)

PREFIX = "/api/v1"


def register(app: Flask, pages_answer: problems.PagesAnswer) -> None:
    """Add the routes and the answers to errors; `pages_answer` says those of pages."""
    records.register(app)
    etags.register(app, app.config["SETTINGS"])
    rates.register(app)
    problems.register(app, pages_answer)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(reference.blueprint)
    books = (users, wins, wallets, credits, holds, conversions)
    for module in (*books, imports, events, webhooks):
        app.register_blueprint(module.blueprint, url_prefix=PREFIX)
