"""What every page goes through: who may see it, that its forms are ours, and whose doing it is."""

import logging
from typing import Any

from flask import Blueprint, Response, abort, g, request
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect

from portal.pages import rules, views
from portal.services import audit

log = logging.getLogger(__name__)
blueprint = Blueprint("pages", __name__)
csrf = CSRFProtect()


@blueprint.before_request
def admit() -> Response | None:
    """Let those in who may see the page; send others to where they can."""
    if request.method == "OPTIONS":
        return None  # tells which methods there are, nothing else
    _act()
    rule = rules.RULES.get(request.endpoint or "")
    if rule is None:
        log.error("%s the route %s has no rule", g.request_id, request.endpoint)
        abort(403)
    answer = _sent_on(rule)
    if answer is None:
        csrf.protect()
    return answer


@blueprint.teardown_request
def _end(_: BaseException | None) -> None:
    if acting := g.pop("acting", None):
        acting.__exit__(None, None, None)


def _sent_on(rule: rules.Rule) -> Response | None:
    visitor: Any = current_user
    verdict = rules.verdict(rule, visitor if visitor.is_authenticated else None)
    if verdict == "sign in":
        return views.to_sign_in()
    if verdict == "home":
        return views.go("pages.home")
    if verdict == "second factor":
        return views.go("pages.second_factor")
    if verdict == "refused":
        rules.tell_refusal(str(request.endpoint), request.method)
        abort(403)
    return None


def _act() -> None:
    """What the request does is its visitor's doing."""
    visitor: Any = current_user
    known = visitor.is_authenticated
    g.acting = audit.acting(
        audit.Actor(
            kind="person",
            sign_in_id=visitor.sign_in_id if known else None,
            name=None,
            role=visitor.role if known else None,
            address=request.remote_addr,
            browser=request.user_agent.string or None,
            request_id=g.request_id,
        )
    )
    g.acting.__enter__()
