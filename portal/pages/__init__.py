"""The pages: what people see in a browser. Plain links and forms; htmx makes them quick."""

from flask import Flask

from portal.pages import (
    account,
    account_sessions,
    asking,
    audit,
    email,
    entrance,
    entries,
    formats,
    home,
    links,
    own_data,
    places,
    problems,
    second_factor,
    statements,
    time_zone,
    today,
    usd,
    views,
    visitors,
    wallets,
    words,
)
from portal.pages.blueprint import blueprint
from portal.pages.staff import (
    account_files,
    accounts,
    client_keys,
    clients,
    conversion,
    conversions,
    fee_hours,
    fees,
    jobs,
    journals,
    members,
    rates,
    search,
    trial_balance,
    user_books,
    user_files,
    users,
    verifications,
)

__all__ = ["problem", "register"]

problem = problems.answer

COMING_IN = (entrance, asking, links)
OF_BOOKS = (home, today, entries, usd, statements, wallets)
OF_ACCOUNTS = (account, account_sessions, email, second_factor, time_zone, own_data)
OF_FINANCE = (
    *(trial_balance, accounts, account_files, fees, fee_hours),
    *(users, user_books, user_files, journals, search),
)
OF_CONVERSIONS = (conversions, conversion, rates, verifications)
OF_OFFICE = (clients, client_keys, members, jobs, audit)
MODULES = (*COMING_IN, *OF_BOOKS, *OF_ACCOUNTS, *OF_FINANCE, *OF_CONVERSIONS, *OF_OFFICE)
"""Their views are on the blueprint once they are imported."""


def register(app: Flask) -> None:
    """Add the routes, who is signed in, the filters of templates and the answers to errors."""
    views.htmx.init_app(app)
    visitors.register(app)
    formats.register(app)
    words.register(app)
    places.register(app)
    problems.register(app)
    app.register_blueprint(blueprint)
