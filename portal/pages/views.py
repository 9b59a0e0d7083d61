"""How a page answers: whole, or to htmx the fragment alone; and where it sends people."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Response, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from htmx_flask import Htmx, make_response
from htmx_flask import request as asked

from portal.ledger.errors import LedgerError

UNPROCESSABLE = 422
WHOLE_FORM = "_whole_form.html"
"""The fragment of a page that is a form and little else."""
htmx = Htmx()
"""Gives requests `htmx`, what its headers say."""


def is_fragment() -> bool:
    """Whether htmx asks for a part of the page: neither boosted nor a look back into its history."""
    headers = asked.htmx
    return bool(headers) and not headers.boosted and not headers.history_restore_request


def page(name: str, fragment: str | None = None, status: int = 200, **context: Any) -> Response:
    """Answer a template; where htmx asks and there is one, `fragment` instead of the whole."""
    wanted = fragment if fragment and is_fragment() else name
    return private(Response(render_template(wanted, **context), status))


def private(response: Response) -> Response:
    """Somebody's own: kept by no cache; page and fragment are told apart."""
    response.vary.add("HX-Request")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def form_page(name: str, form: FlaskForm, fragment: str | None = None, **context: Any) -> Response:
    """A page with a form: 422 once the form has errors."""
    status = UNPROCESSABLE if form.errors else 200
    return page(name, fragment, status, form=form, **context)


def refused(form: FlaskForm, error: LedgerError) -> None:
    """Put a service's refusal beside the field it is about, or above the form.

    Who has to wait gets a page that says so: raises Refused('rate_limited') again.
    """
    if error.code == "rate_limited":
        raise error
    name = error.figures.get("param")
    field = form[name] if isinstance(name, str) and name in form else None
    if field is None:
        form.form_errors = [*form.form_errors, sentence(error.detail)]
    else:
        field.errors = [*field.errors, sentence(error.detail)]


def sent(
    form: FlaskForm, change: Callable[[], str], endpoint: str, **values: object
) -> Response | None:
    """Make the change that a form asks for, say what it says, and go on; None where the form is to be shown.

    What the service refuses stands beside its field then.
    """
    if not form.validate_on_submit():
        return None
    try:
        tell(change())
    except LedgerError as error:
        refused(form, error)
        return None
    return go(endpoint, **values)


def sentence(detail: str) -> str:
    """What a service says, as people write it."""
    return detail and detail[:1].upper() + detail[1:] + ("" if detail.endswith(".") else ".")


def go(endpoint: str, **values: Any) -> Response:
    """Send the browser to another page."""
    return to(url_for(endpoint, **values))


def go_with_query(endpoint: str) -> Response:
    """Send the browser to another page with all that the address asks for, whatever it is called."""
    asked_for = urlencode(list(request.args.items(multi=True)), safe="!$'()*,/:;?@")
    return to(url_for(endpoint) + ("?" * bool(asked_for)) + asked_for)


def to(address: str) -> Response:
    """Send the browser to an address of ours."""
    if is_fragment():
        return private(make_response("", redirect=address))
    response = redirect(address, 303)
    assert isinstance(response, Response)
    return private(response)


def to_sign_in() -> Response:
    """To the sign-in page, and back here afterwards, or to where htmx was called from."""
    here = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else ""
    if is_fragment():
        here = _path(asked.htmx.current_url or "")
    return go("pages.sign_in", next=here if is_ours(here) and here != "/" else None)


def is_ours(address: str | None) -> bool:
    """Whether it is an address of this portal, without its host."""
    if not address or len(address) > 2000 or not address.startswith("/"):
        return False
    plain = address.isascii() and address.isprintable() and "\\" not in address
    return plain and not address.startswith("//")


def tell(sentence: str) -> None:
    """Say it on the page that comes next."""
    flash(sentence)


def _path(url: str) -> str:
    """An address of this host without the host."""
    root = request.host_url
    return "/" + url.removeprefix(root) if url.startswith(root) else ""
