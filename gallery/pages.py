"""The pages that have a picture: name, address, and who looks at them. A test finds those that are missing.

Tests walk the same table, and bin/bench pages measures it.
"""

from gallery.scene import PASSWORD
from gallery.shown import Shown, press
from gallery.staff_pages import STAFF

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
    *STAFF,
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
