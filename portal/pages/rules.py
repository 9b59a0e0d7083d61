"""Who may do what: one table, route by route. A route that is not in it is refused to everybody."""

from dataclasses import dataclass
from typing import Literal

from portal.runtime import runtime
from portal.services import audit
from portal.services.accounts.sessions import Visitor

Verdict = Literal["let in", "sign in", "home", "second factor", "refused"]

USER = frozenset({"user"})
STAFF = frozenset({"viewer", "accountant", "approver", "admin"})
CHANGING = STAFF - {"viewer"}
"""Roles that may change anything: for them a second factor is required."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Roles that may; with none of them, those who are signed out, too, if `strangers`."""

    roles: frozenset[str]
    strangers: bool = False
    without_second_factor: bool = False
    """Open to those who must have a second factor and have none yet."""


ANYBODY = Rule(USER | STAFF, strangers=True, without_second_factor=True)
STRANGERS = Rule(frozenset(), strangers=True)
"""Only those who are signed out; others are sent home."""
EVERYBODY = Rule(USER | STAFF)
"""Who is signed in."""
SETTING_UP = Rule(USER | STAFF, without_second_factor=True)
USERS = Rule(USER)
ALL_STAFF = Rule(STAFF)

RULES: dict[str, Rule] = {
    "pages.home": EVERYBODY,
    "pages.sign_in": STRANGERS,
    "pages.sign_out": ANYBODY,
    "pages.audit": ALL_STAFF,
}


def verdict(rule: Rule, visitor: Visitor | None) -> Verdict:
    """What becomes of a request of somebody, or of nobody who is known."""
    if visitor is None:
        return "let in" if rule.strangers else "sign in"
    if not rule.roles:
        return "home"
    if (
        visitor.role in CHANGING
        and not visitor.has_second_factor
        and not rule.without_second_factor
    ):
        return "second factor"
    return "let in" if visitor.role in rule.roles else "refused"


def tell_refusal(endpoint: str, method: str) -> None:
    """Put into the audit log that somebody tried what their role does not allow."""
    tried = {"page": endpoint.rpartition(".")[2], "method": method}
    with runtime().engine.begin() as connection:
        audit.record(connection, "access.refused", "page", tried["page"], after=tried)
