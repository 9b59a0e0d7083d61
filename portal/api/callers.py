"""Who is let in: a key that works, from a network, at a rate, with a scope, to users and games.

A path's user is checked here, before any view: a route whose path names one can't forget it. What a
body names is checked by `permit`.
"""

from flask import g, request

from portal.api import rates
from portal.api.problems import Problem
from portal.runtime import runtime
from portal.services import clients, users
from portal.services.wins import WinRequest


def admitted(needed: str) -> clients.Caller:
    """The caller of this request, who may do what it asks for. Raises Problem."""
    caller = _known()
    g.client_id = caller.client_id
    if caller.networks is not None and not caller.is_from(request.remote_addr):
        raise Problem("forbidden", "the client is limited to other networks than this call's")
    rates.spend(caller)
    if needed not in caller.scopes:
        raise Problem("forbidden", f"this needs the scope {needed}")
    if caller.regions is not None and (user_id := (request.view_args or {}).get("user_id")):
        caller.check(users.parse_id(user_id))
    return caller


def permit(win: WinRequest) -> None:
    """Raise Refused('forbidden') for a win of another region or game than the caller's."""
    caller: clients.Caller = g.caller
    if caller.regions is not None or caller.games is not None:
        caller.check(win.user_id, win.game)


def permit_region(region: str | None) -> None:
    """Refuse a new user of another region than the caller's; None is the default one."""
    regions, known = g.caller.regions, runtime().settings.regions
    if regions is None or (region is not None and region not in known):
        return
    if (known.index(region) if region else 0) not in regions:
        raise Problem("forbidden", "the client is limited to other regions", param="region")


def _known() -> clients.Caller:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    caller = clients.caller_of(token.strip()) if scheme.lower() == "bearer" and token else None
    if caller is None:
        raise Problem("unauthorized", "send Authorization: Bearer and an API key")
    return caller
