"""The pages that have a picture: name, address, and who looks at them. A test finds those that are missing.

Tests walk the same table, and bin/bench pages measures it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Page

from gallery.scene import PASSWORD

Who = Literal["nobody", "ida", "theo", "newcomer", "admin"]
"""Ida has a long history; Theo a second factor and a wish to leave; the newcomer nothing yet."""


@dataclass(frozen=True)
class Shown:
    """A page in the gallery."""

    endpoint: str
    """Without `pages.`; empty for the page of an error."""
    name: str
    """Of its files; several pictures may be of one endpoint."""
    address: str
    """`{win}` and its like stand for what the scene has."""
    who: Who
    about: str
    """What is seen, in words: the pictures' alternative text."""
    status: int = 200
    steps: tuple[Callable[[Page], object], ...] = ()
    """What is done on the page before the picture."""


def press(
    button: str, until: str = "", ticks: tuple[str, ...] = (), **fields: str
) -> Callable[[Page], None]:
    """Fill fields, by their labels, tick some, and press a button; the address that it leads to."""

    def step(page: Page) -> None:
        for label in ticks:
            page.get_by_label(label, exact=True).check()
        for label, value in fields.items():
            page.get_by_label(label, exact=True).fill(value)
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            page.get_by_role("button", name=button).click()
        if until:
            page.wait_for_url(f"**{until}")

    return step


REFUSED = press("Sign in", **{"E-mail": "ida@players.example", "Password": "not the password"})
PASSWORD_OF_THEO = press(
    "Sign in", "/sign-in/second-factor", **{"E-mail": "theo@players.example", "Password": PASSWORD}
)
ASK = press("Send me the link", "/mail-sent", **{"E-mail": "someone@players.example"})
NEW_CODES = press("Make new codes", **{"Your password": PASSWORD})
NEW_KEY = press("Create the key", ticks=("wins:write",))
SHORT = press("Make the account", **{"Your name": "Mira", "Password": "short"})
FAR = press(
    "Set the rate and convert",
    **{"USD for a DREAM token": "0.21", "Why it is right": "The listing of this morning"},
)

PAGES = (
    Shown("sign_in", "sign-in", "/sign-in", "nobody", "Sign in"),
    Shown("sign_in", "sign-in-refused", "/sign-in", "nobody", "A wrong password", steps=(REFUSED,)),
    Shown(
        *(
            "second_step",
            "second-step",
            "/sign-in",
            "nobody",
            "The second factor, while signing in",
        ),
        steps=(PASSWORD_OF_THEO,),
    ),
    Shown("sign_up", "sign-up", "/sign-up", "nobody", "Make an account"),
    Shown("reset", "reset", "/reset", "nobody", "A forgotten password"),
    Shown(
        "mail_sent", "mail-sent", "/reset", "nobody", "What to do once a mail is sent", steps=(ASK,)
    ),
    Shown("link", "link-sign-up", "/links/{link_sign_up}", "nobody", "The link to sign up"),
    Shown(
        *(
            "link",
            "link-sign-up-refused",
            "/links/{link_sign_up}",
            "nobody",
            "A password too short",
        ),
        steps=(SHORT,),
    ),
    Shown(
        "link",
        "link-known",
        "/links/{link_known}",
        "nobody",
        "A link to sign up, of a known player",
    ),
    Shown(
        "link", "link-invitation", "/links/{link_invitation}", "nobody", "An invitation of staff"
    ),
    Shown("link", "link-reset", "/links/{link_reset}", "nobody", "A new password by a link"),
    Shown("link", "link-email", "/links/{link_email}", "nobody", "Another e-mail by a link"),
    Shown("link", "link-invalid", "/links/used", "nobody", "A link that can't be used", 404),
    Shown("home", "home", "/", "ida", "Home, with wins of today"),
    Shown("home", "home-new", "/", "newcomer", "Home of somebody who has nothing yet"),
    Shown("today", "today", "/today", "ida", "Today's tokens"),
    Shown("today", "today-filtered", "/today?game=maze", "ida", "Today's tokens, of one game"),
    Shown("today", "today-new", "/today", "newcomer", "A day without a win"),
    Shown("entries", "entries", "/entries", "ida", "Activity"),
    Shown("entry", "entry-win", "/entries/{win}", "ida", "A win"),
    Shown("entry", "entry-conversion", "/entries/{conversion}", "ida", "A conversion"),
    Shown("entry", "entry-capture", "/entries/{capture}", "ida", "What was set aside, paid"),
    Shown("usd", "usd", "/usd", "ida", "USD by day"),
    Shown("usd_day", "usd-day", "/usd/{day}", "ida", "A day of USD, hour by hour"),
    Shown("usd", "usd-new", "/usd", "newcomer", "USD of somebody who has none"),
    Shown("statements", "statements", "/statements", "ida", "Monthly statements"),
    Shown("statement", "statement", "/statements/{month}", "ida", "The statement of a month"),
    Shown("wallets", "wallets", "/wallets", "ida", "Wallets"),
    Shown("wallet", "wallet-credit", "/wallets/GOLD_COIN", "ida", "A wallet of credits"),
    Shown("wallet", "wallet-usd", "/wallets/USD", "ida", "The wallet of USD"),
    Shown("account", "account", "/account", "ida", "Account"),
    Shown("account_name", "account-name", "/account/name", "ida", "Another name"),
    Shown("email", "account-email", "/account/email", "ida", "Another e-mail"),
    Shown("account_password", "account-password", "/account/password", "ida", "Another password"),
    Shown("account_sessions", "account-sessions", "/account/sessions", "theo", "Browsers"),
    Shown("time_zone", "time-zone", "/account/time-zone", "ida", "Time zone"),
    Shown("time_zone", "time-zone-to-come", "/account/time-zone", "theo", "A time zone to come"),
    Shown(
        "second_factor",
        "second-factor-off",
        "/account/second-factor",
        "newcomer",
        "No second factor",
    ),
    Shown("second_factor", "second-factor-on", "/account/second-factor", "theo", "A second factor"),
    Shown(
        *("second_factor_code", "second-factor-code", "/account/second-factor/code", "ida"),
        "Setting up the second factor",
    ),
    Shown(
        *("recovery_codes", "recovery-codes", "/account/second-factor/recovery-codes", "theo"),
        "Before new recovery codes are made",
    ),
    Shown(
        *("recovery_codes", "recovery-codes-made", "/account/second-factor/recovery-codes", "theo"),
        "Recovery codes, shown once",
        steps=(NEW_CODES,),
    ),
    Shown(
        *("second_factor_off", "second-factor-end", "/account/second-factor/off", "theo"),
        "Switching the second factor off",
    ),
    Shown("account_data", "account-data", "/account/data", "ida", "Your data"),
    Shown(
        "account_deletion", "account-deletion", "/account/deletion", "ida", "Deleting the account"
    ),
    Shown(
        "account_deletion", "account-to-be-deleted", "/account/deletion", "theo", "A wish to leave"
    ),
    Shown("journals", "journals", "/journals", "admin", "Ledgers as files"),
    Shown("clients", "clients", "/clients", "admin", "API clients"),
    Shown("client", "client", "/clients/{arcade}", "admin", "A client, its keys and limits"),
    Shown("new_client", "client-new", "/clients/new", "admin", "Make a client"),
    Shown(
        "client_limits", "client-limits", "/clients/{arcade}/limits", "admin", "A client's limits"
    ),
    Shown(
        *("client_revocation", "client-revocation", "/clients/{arcade}/revocation", "admin"),
        "Before all keys of a client are revoked",
    ),
    Shown("new_key", "key-new", "/clients/{sandbox}/keys/new", "admin", "Create a key"),
    Shown(
        *("new_key", "key-made", "/clients/{sandbox}/keys/new", "admin"),
        "A new key, shown once",
        steps=(NEW_KEY,),
    ),
    Shown(
        *("key_rotation", "key-rotation", "/clients/{arcade}/keys/{arcade_key}/rotation", "admin"),
        "A key in the place of another",
    ),
    Shown(
        *("key_revocation", "key-revocation"),
        *("/clients/{arcade}/keys/{arcade_key}/revocation", "admin", "Before a key is revoked"),
    ),
    Shown("staff", "staff", "/staff", "admin", "Members of staff and invitations"),
    Shown("staff_invitation", "staff-invitation", "/staff/invitation", "admin", "Invite somebody"),
    Shown("member", "member", "/staff/{mei}", "admin", "A member of staff"),
    Shown("member_role", "member-role", "/staff/{mei}/role", "admin", "Another role"),
    Shown("member_access", "member-access", "/staff/{mei}/access", "admin", "Disable a sign-in"),
    Shown(
        *("member_second_factor", "member-second-factor", "/staff/{mei}/second-factor", "admin"),
        "A second factor that was lost",
    ),
    Shown("jobs", "jobs", "/jobs", "admin", "Jobs: what failed, waits, runs and recurs"),
    Shown("home", "staff-home", "/", "admin", "The overview, home of staff"),
    Shown("conversions", "conversions", "/conversions", "admin", "Conversions, hour by hour"),
    Shown("conversion", "conversion", "/conversions/{converted}", "admin", "An hour converted"),
    Shown(
        *("conversion", "conversion-waits", "/conversions/{waiting}", "admin"),
        "An hour that waits for its rate",
    ),
    Shown(
        *("conversion_rate", "conversion-rate", "/conversions/{waiting}/rate", "admin"),
        "A rate by hand",
    ),
    Shown(
        *("conversion_rate", "conversion-rate-far", "/conversions/{waiting}/rate", "admin"),
        "A rate by hand that moves far",
        steps=(FAR,),
    ),
    Shown("rates", "rates", "/rates", "admin", "The rate's history, by day"),
    Shown("rates", "rates-by-hour", "/rates?days=7", "admin", "The rate's history, by hour"),
    Shown("verifications", "verifications", "/verifications", "admin", "Verifications"),
    Shown(
        *("verification", "verification", "/verifications/{verification}", "admin"),
        "What a verification found to differ",
    ),
    Shown("trial_balance", "trial-balance", "/trial-balance", "admin", "The trial balance"),
    Shown(
        *("trial_balance", "trial-balance-range"),
        "/trial-balance?ledger=FEES&clock=accounting&since={booked_day}&side=dreamland",
        "admin",
        "The trial balance of fees, of some days by accounting date",
    ),
    Shown(
        *("trial_balance", "trial-balance-refused", "/trial-balance?until=2026-11-20T17:00"),
        *("admin", "A time without its offset", 422),
    ),
    Shown(
        *("ledger_account", "ledger-account", "/accounts/DREAM/TOKENS_INVENTORY"),
        *("admin", "An account by day"),
    ),
    Shown(
        *("ledger_day", "ledger-day", "/accounts/DREAM/TOKENS_INVENTORY/days/{booked_day}"),
        *("admin", "A day of an account by hour"),
    ),
    Shown(
        "ledger_hour",
        "ledger-hour",
        "/accounts/DREAM/TOKENS_INVENTORY/days/{booked_day}/hours/{booked_hour}",
        "admin",
        "An hour of an account by user",
    ),
    Shown(
        "ledger_user",
        "ledger-user",
        "/accounts/DREAM/TOKENS_INVENTORY/days/{booked_day}/hours/{booked_hour}/users/{ida}",
        "admin",
        "A user's postings in an hour of an account",
    ),
    Shown("fees", "fees", "/fees", "admin", "Fees by kind, what is owed, the rules"),
    Shown("fees", "fees-by-day", "/fees?by=day", "admin", "Fees by day"),
    Shown("fees_hours", "fees-by-hour", "/fees/hours", "admin", "What each hour's conversion cost"),
    Shown("audit", "audit", "/audit", "admin", "The audit log"),
    Shown("users", "users", "/users", "admin", "Users"),
    Shown("users", "users-filtered", "/users?who=player", "admin", "Users whose names begin so"),
    Shown("user", "user", "/users/{ida}", "admin", "A user as finance sees one"),
    Shown("user_entries", "user-entries", "/users/{ida}/entries", "admin", "A user's entries"),
    Shown("user_days", "user-days", "/users/{ida}/days", "admin", "A user's days"),
    Shown("user_day", "user-day", "/users/{ida}/days/{day}", "admin", "A day of a user's"),
    Shown(
        *("user_wallet", "user-wallet", "/users/{ida}/wallets/GOLD_COIN", "admin"),
        "A wallet of a user's",
    ),
    Shown("entry", "staff-entry", "/entries/{win}", "admin", "A win as staff see it"),
    Shown(
        "entry", "staff-entry-capture", "/entries/{capture}", "admin", "A capture as staff see it"
    ),
    Shown("search", "search", "/search", "admin", "What can be looked for"),
    Shown("search", "search-found", "/search?q=tournament-9", "admin", "What was found"),
    Shown("", "not-found", "/nowhere", "ida", "An address without a page", 404),
    Shown("", "not-for-you", "/audit", "ida", "A page that is not for one's role", 403),
)

NO_PAGES: dict[str, str] = {
    "today_csv": "a file",
    "entries_csv": "a file",
    "usd_csv": "a file",
    "wallet_csv": "a file",
    "audit_file": "a file",
    "journal_file": "a file",
    "users_file": "a file",
    "user_entries_file": "a file",
    "user_days_file": "a file",
    "user_wallet_file": "a file",
    "clients_file": "a file",
    "staff_file": "a file",
    "jobs_file": "a file",
    "overview_file": "a file",
    "conversions_file": "a file",
    "rates_file": "a file",
    "verifications_file": "a file",
    "verification_file": "a file",
    "trial_balance_file": "a file",
    "fees_file": "a file",
    "fees_hours_file": "a file",
    "fees_owed_file": "a file",
    "fees_rules_file": "a file",
    "ledger_account_file": "a file",
    "ledger_day_file": "a file",
    "ledger_hour_file": "a file",
    "ledger_user_file": "a file",
}
"""Endpoints that answer GET and are no page, with what they are instead."""
