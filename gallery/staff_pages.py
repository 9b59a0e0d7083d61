"""The pages of staff that have a picture."""

from gallery.shown import Shown, press

NEW_KEY = press("Create the key", ticks=("wins:write",))
FAR = press(
    "Set the rate and convert",
    **{"USD for a DREAM token": "0.21", "Why it is right": "The listing of this morning"},
)


STAFF = (
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
)
