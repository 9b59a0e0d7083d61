"""The Dreamland portal and JSON API."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import config
from jobs import conversions, imports, mails, office, verification, webhooks
from portal import (
    api,
    cli,
    cli_audit,
    cli_clients,
    cli_people,
    compression,
    logs,
    pages,
    runtime,
    sessions,
    static_files,
)
from portal.api import metrics
from portal.database import db, engine_options, migrate
from portal.headers import Secured
from portal.ledger import models as _ledger_tables  # noqa: F401  (registers the tables)
from portal.services import models as _tables  # noqa: F401


def create_app(settings: config.Settings | None = None) -> Flask:
    """The WSGI application. Raises ConfigError where a setting is missing or wrong."""
    settings = settings or config.load()
    logs.configure(settings.log_level)
    app = Flask(__name__)
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings),
        MAX_CONTENT_LENGTH=1024 * 1024,
    )
    app.url_map.merge_slashes = False  # an address is right or wrong; no redirect in HTML
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.session_interface = sessions.PagesOnly()
    db.init_app(app)
    migrate.init_app(app, db)
    with app.app_context():
        runtime.start(
            app,
            settings,
            db.engine,
            metrics.count_batch,
            start_conversions=conversions.enqueue_due,
            start_verification=verification.enqueue_one,
            start_import=imports.start,
            start_webhooks=webhooks.enqueue_delivery,
            start_mails=mails.enqueue_due,
            send_webhook_again=webhooks.send_again,
            jobs=office.Office(settings.redis_url),
        )
    compression.register(app)
    static_files.register(app)
    api.register(app, pages.problem)
    pages.register(app)
    cli.register(app)
    cli_audit.register(app)
    cli_clients.register(app)
    cli_people.register(app)
    app.wsgi_app = Secured(app.wsgi_app)  # type: ignore[method-assign]
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)  # type: ignore[method-assign]
    return app
