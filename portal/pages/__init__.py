"""The pages: what people see in a browser. Plain links and forms; htmx makes them quick."""

from flask import Flask

from portal.pages import audit, entrance, formats, home, places, problems, views, visitors
from portal.pages.blueprint import blueprint

__all__ = ["problem", "register"]

problem = problems.answer

MODULES = (audit, entrance, home)
"""Their views are on the blueprint once they are imported."""


def register(app: Flask) -> None:
    """Add the routes, who is signed in, the filters of templates and the answers to errors."""
    views.htmx.init_app(app)
    visitors.register(app)
    formats.register(app)
    places.register(app)
    problems.register(app)
    app.url_build_error_handlers.append(lambda *_: "#")  # until every page is there
    app.register_blueprint(blueprint)
