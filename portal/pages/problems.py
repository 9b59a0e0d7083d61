"""Errors as people see them: what happened and what to do. The codes are the API's."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g
from flask_wtf.csrf import CSRFError

from portal.pages import views
from portal.pages.blueprint import blueprint, csrf

TITLES = {
    403: ("This page is not for you", "Your role does not allow it. If it should, ask an admin."),
    404: ("There is nothing here", "The address may be mistyped, or what it showed is not yours."),
    405: ("That can't be done here", "Go back, and use the page's own links and buttons."),
    413: ("That is too much at once", "Go back and send less."),
    429: ("Too many tries", "Wait a little, then try again."),
    503: ("Not available at the moment", "Nothing was lost. Try again in a few seconds."),
}
SOMETHING = (
    "Something went wrong",
    "Nothing was changed. Try again; if it happens again, tell us.",
)
EXPIRED = (
    "Please try again",
    (
        "The form was open for too long, or in a browser that sends no cookies. Go back, load the"
        " page anew and send it again. Nothing was changed."
    ),
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a page of an error says."""

    status: int
    title: str
    advice: str
    detail: str | None = None
    retry_after: str | None = None


def register(app: Flask) -> None:
    """Have forms carry a token that only we can make."""
    csrf.init_app(app)


def answer(status: int, detail: str | None = None, retry_after: str | None = None) -> Response:
    """The page of an error; to htmx its fragment, shown above the page it was called from."""
    title, advice = TITLES.get(status, SOMETHING)
    return _page(Said(status, title, advice, detail and views.sentence(detail), retry_after))


@blueprint.errorhandler(CSRFError)
def _expired(_: CSRFError) -> Response:
    return _page(Said(400, *EXPIRED))


def _page(said: Said) -> Response:
    context: dict[str, Any] = {"said": said, "request_id": g.request_id}
    response = views.page("problem.html", "_problem.html", said.status, **context)
    if said.retry_after:
        response.headers["Retry-After"] = said.retry_after
    return response
