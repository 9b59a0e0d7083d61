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


def press(button: str, until: str = "", **fields: str) -> Callable[[Page], None]:
    """Fill fields, by their labels, and press a button; the address that it leads to."""

    def step(page: Page) -> None:
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
SHORT = press("Make the account", **{"Your name": "Mira", "Password": "short"})

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
    Shown("home", "staff-home", "/", "admin", "Home of staff"),
    Shown("journals", "journals", "/journals", "admin", "Ledgers as files"),
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
    "user_day_file": "a file",
    "user_wallets_file": "a file",
    "user_holds_file": "a file",
    "entry_file": "a file",
    "user_wallet_file": "a file",
}
"""Endpoints that answer GET and are no page, with what they are instead."""
