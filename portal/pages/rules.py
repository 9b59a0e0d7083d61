"""Who may do what: one table, route by route. A route that is not in it is refused to everybody."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from portal.runtime import runtime
from portal.services import audit, audit_log
from portal.services.accounts import roles
from portal.services.accounts.sessions import Visitor

Verdict = Literal["let in", "sign in", "home", "second factor", "refused"]

LOOKING = frozenset({"GET", "HEAD"})
QUIET = timedelta(minutes=1)
USER, STAFF = frozenset({roles.USER}), frozenset(roles.STAFF)


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
"""Who may look."""
ACCOUNTANTS = Rule(frozenset({"accountant", "approver", "admin"}))
"""Who may have something done again: an hour converted, the books verified, a job retried."""
APPROVERS = Rule(frozenset({"approver", "admin"}))
"""Who may decide what the books take for true: a rate by hand."""
ADMINS = Rule(frozenset({"admin"}))
"""Who may let others in: API clients and staff."""

RULES: dict[str, Rule] = {
    # Coming in
    "pages.sign_in": STRANGERS,
    "pages.second_step": STRANGERS,
    "pages.sign_up": STRANGERS,
    "pages.reset": ANYBODY,
    "pages.mail_sent": ANYBODY,
    "pages.link": ANYBODY,
    "pages.sign_out": ANYBODY,
    # The wallet
    "pages.home": EVERYBODY,
    "pages.today": USERS,
    "pages.today_csv": USERS,
    "pages.entries": USERS,
    "pages.entries_csv": USERS,
    "pages.entry": EVERYBODY,
    "pages.usd": USERS,
    "pages.usd_day": USERS,
    "pages.usd_csv": USERS,
    "pages.statements": USERS,
    "pages.statement": USERS,
    "pages.wallets": USERS,
    "pages.wallet": USERS,
    "pages.wallet_csv": USERS,
    # The account
    "pages.account": EVERYBODY,
    "pages.account_name": EVERYBODY,
    "pages.email": EVERYBODY,
    "pages.account_password": EVERYBODY,
    "pages.account_sessions": EVERYBODY,
    "pages.end_sessions": EVERYBODY,
    "pages.second_factor": SETTING_UP,
    "pages.second_factor_code": SETTING_UP,
    "pages.recovery_codes": EVERYBODY,
    "pages.second_factor_off": EVERYBODY,
    "pages.time_zone": USERS,
    "pages.account_data": EVERYBODY,
    "pages.download_data": EVERYBODY,
    "pages.account_deletion": USERS,
    "pages.deletion_withdrawal": USERS,
    # The books as finance sees them
    "pages.overview_file": ALL_STAFF,
    "pages.trial_balance": ALL_STAFF,
    "pages.trial_balance_file": ALL_STAFF,
    "pages.ledger_account": ALL_STAFF,
    "pages.ledger_account_file": ALL_STAFF,
    "pages.ledger_day": ALL_STAFF,
    "pages.ledger_day_file": ALL_STAFF,
    "pages.ledger_hour": ALL_STAFF,
    "pages.ledger_hour_file": ALL_STAFF,
    "pages.ledger_user": ALL_STAFF,
    "pages.ledger_user_file": ALL_STAFF,
    "pages.fees": ALL_STAFF,
    "pages.fees_file": ALL_STAFF,
    "pages.fees_hours": ALL_STAFF,
    "pages.fees_hours_file": ALL_STAFF,
    "pages.fees_owed_file": ALL_STAFF,
    "pages.fees_rules_file": ALL_STAFF,
    "pages.conversions": ALL_STAFF,
    "pages.conversions_file": ALL_STAFF,
    "pages.conversion": ALL_STAFF,
    "pages.run_conversion": ACCOUNTANTS,
    "pages.conversion_rate": APPROVERS,
    "pages.rates": ALL_STAFF,
    "pages.rates_file": ALL_STAFF,
    "pages.verifications": ALL_STAFF,
    "pages.verifications_file": ALL_STAFF,
    "pages.verification": ALL_STAFF,
    "pages.verification_file": ALL_STAFF,
    "pages.verify_books": ACCOUNTANTS,
    "pages.users": ALL_STAFF,
    "pages.users_file": ALL_STAFF,
    "pages.user": ALL_STAFF,
    "pages.user_entries": ALL_STAFF,
    "pages.user_entries_file": ALL_STAFF,
    "pages.user_days": ALL_STAFF,
    "pages.user_days_file": ALL_STAFF,
    "pages.user_day": ALL_STAFF,
    "pages.user_day_file": ALL_STAFF,
    "pages.user_wallets_file": ALL_STAFF,
    "pages.user_holds_file": ALL_STAFF,
    "pages.entry_file": ALL_STAFF,
    "pages.user_wallet": ALL_STAFF,
    "pages.user_wallet_file": ALL_STAFF,
    "pages.journals": ALL_STAFF,
    "pages.journal_file": ALL_STAFF,
    "pages.search": ALL_STAFF,
    # API clients
    "pages.clients": ALL_STAFF,
    "pages.clients_file": ALL_STAFF,
    "pages.client": ALL_STAFF,
    "pages.new_client": ADMINS,
    "pages.client_limits": ADMINS,
    "pages.client_revocation": ADMINS,
    "pages.new_key": ADMINS,
    "pages.key_rotation": ADMINS,
    "pages.key_revocation": ADMINS,
    # Staff
    "pages.staff": ALL_STAFF,
    "pages.staff_file": ALL_STAFF,
    "pages.staff_invitation": ADMINS,
    "pages.invitation_withdrawal": ADMINS,
    "pages.member": ALL_STAFF,
    "pages.member_role": ADMINS,
    "pages.member_access": ADMINS,
    "pages.member_second_factor": ADMINS,
    "pages.member_sessions": ADMINS,
    # Jobs
    "pages.jobs": ALL_STAFF,
    "pages.jobs_file": ALL_STAFF,
    "pages.job_retry": ACCOUNTANTS,
    "pages.job_discard": ACCOUNTANTS,
    # The audit log
    "pages.audit": ALL_STAFF,
    "pages.audit_file": ALL_STAFF,
}


def verdict(rule: Rule, visitor: Visitor | None) -> Verdict:
    """What becomes of a request of somebody, or of nobody who is known."""
    if visitor is None:
        return "let in" if rule.strangers else "sign in"
    if not rule.roles:
        return "home"
    if (
        visitor.role in roles.CHANGING
        and not visitor.has_second_factor
        and not rule.without_second_factor
    ):
        return "second factor"
    return "let in" if visitor.role in rule.roles else "refused"


def tell_refusal(endpoint: str, method: str) -> None:
    """Put into the audit log that somebody tried what their role does not allow.

    Who only looks, and looks again, is in it once a minute: nobody fills it by reloading a page.
    """
    tried = {"page": endpoint.rpartition(".")[2], "method": method}
    with runtime().engine.begin() as connection:
        if method in LOOKING and audit_log.is_told(connection, "access.refused", tried, QUIET):
            return
        audit.record(connection, "access.refused", "page", tried["page"], after=tried)
