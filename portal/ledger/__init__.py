"""The books: an immutable double-entry ledger. What they offer is on this page.

Writing:   `Poster.post` (one entry, with group commit), `post_batch` (1 to 1,000), `post_within`
           (the same, in the caller's transaction), `convert`, `claim_payment`, `add_asset`
Hours:     `now`, `set_clock`, `fix_clock`, `close_hour`, `close_period`, `store_rate`, `rate_of`, `holders`
Reading:   `wallet`, `wallets`, `holdings`, `statement`, `holds`, `open_holds`, `all_open_holds`
Finance:   `trial_balance` of a `Span`, `account_days`, `account_hours`, `account_users`, `account_lines`,
           `fee_sums`, `owed`, `daily_flows`, `open_periods`, `bounds`
Days:      `today`, `day_wins`, `day_games`, `day_hours`, `wins_of_day`, `usd_days`, `day_sums`,
           `newest_days`, `month_sums`
Entries:   `entries`, `entries_of_day`, `entry`, `journal`; `movements` of the wallets from one day to another
Finding:   `find_entries` by `Names`, `find_payments`, whoever they are of
Exports:   `posting_rows` of a `Range` of accounting dates, `copy_postings` as CSV
Feed:      `Feed`, `entries_of_owner`, `feed_entry`, `lines_of`, `count_after`
Checking:  `verify.verify`, of the module beside this file

Knows no Flask request, no person and no HTTP. The rules in prose: README.md beside this file.
"""

from portal.ledger.account_books import (
    AccountLine,
    Moved,
    MovedHour,
    UserMoved,
    account_days,
    account_hours,
    account_lines,
    account_users,
)
from portal.ledger.assets import AssetInfo, add_asset, assets, ledgers
from portal.ledger.batches import post_batch, post_within
from portal.ledger.clock import (
    HOUR,
    close_hour,
    close_period,
    first_booked_hour,
    fix_clock,
    last_closed_hour,
    now,
    set_clock,
    shift,
)
from portal.ledger.conversion import Converted, convert, holders, rate_of, store_rate
from portal.ledger.days import (
    DayGame,
    DayHour,
    DayOf,
    DayWin,
    Today,
    day_games,
    day_hours,
    day_wins,
    today,
)
from portal.ledger.entries import (
    Effect,
    EntryInFull,
    Line,
    ListedEntry,
    entries,
    entries_of_day,
    entry,
)
from portal.ledger.errors import (
    InternalError,
    InvalidAmount,
    LedgerError,
    NotFound,
    Refused,
    Unavailable,
)
from portal.ledger.events import (
    Feed,
    count_after,
    entries_of_owner,
    feed_entry,
    lines_of,
)
from portal.ledger.fees import DayFlow, FeeSum, Owed, daily_flows, fee_sums, owed
from portal.ledger.finding import FoundEntry, FoundPayment, Names, find_entries, find_payments
from portal.ledger.holds import (
    DueHold,
    Hold,
    OpenHold,
    all_open_holds,
    due_holds,
    hold,
    holds,
    open_holds,
)
from portal.ledger.journal import JournalEntry, journal
from portal.ledger.movements import (
    DaySums,
    MonthSums,
    Movement,
    day_sums,
    month_sums,
    movements,
    newest_days,
)
from portal.ledger.payments import claim_payment
from portal.ledger.poster import Poster, autocommit
from portal.ledger.posting import MAX_BATCH, UNBOUNDED, Entry, Outcome, Window
from portal.ledger.postings import PostingRow, Range, copy_postings, count_postings, posting_rows
from portal.ledger.reports import local_day, usd_days, usd_total, wins_of_day, won_on
from portal.ledger.spans import Bounds, Side, Span, bounds
from portal.ledger.trial_balance import (
    TrialBalance,
    open_periods,
    trial_balance,
    trial_balance_at,
)
from portal.ledger.wallets import Booked, Wallet, booked, holdings, statement, wallet, wallets

__all__ = [
    "HOUR",
    "MAX_BATCH",
    "UNBOUNDED",
    "AccountLine",
    "AssetInfo",
    "Booked",
    "Bounds",
    "Converted",
    "DayFlow",
    "DayGame",
    "DayHour",
    "DayOf",
    "DaySums",
    "DayWin",
    "DueHold",
    "Effect",
    "Entry",
    "EntryInFull",
    "FeeSum",
    "Feed",
    "FoundEntry",
    "FoundPayment",
    "Hold",
    "InternalError",
    "InvalidAmount",
    "JournalEntry",
    "LedgerError",
    "Line",
    "ListedEntry",
    "MonthSums",
    "Moved",
    "MovedHour",
    "Movement",
    "Names",
    "NotFound",
    "OpenHold",
    "Outcome",
    "Owed",
    "Poster",
    "PostingRow",
    "Range",
    "Refused",
    "Side",
    "Span",
    "Today",
    "TrialBalance",
    "Unavailable",
    "UserMoved",
    "Wallet",
    "Window",
    "account_days",
    "account_hours",
    "account_lines",
    "account_users",
    "add_asset",
    "all_open_holds",
    "assets",
    "autocommit",
    "booked",
    "bounds",
    "claim_payment",
    "close_hour",
    "close_period",
    "convert",
    "copy_postings",
    "count_after",
    "count_postings",
    "daily_flows",
    "day_games",
    "day_hours",
    "day_sums",
    "day_wins",
    "due_holds",
    "entries",
    "entries_of_day",
    "entries_of_owner",
    "entry",
    "fee_sums",
    "feed_entry",
    "find_entries",
    "find_payments",
    "first_booked_hour",
    "fix_clock",
    "hold",
    "holders",
    "holdings",
    "holds",
    "journal",
    "last_closed_hour",
    "ledgers",
    "lines_of",
    "local_day",
    "month_sums",
    "movements",
    "newest_days",
    "now",
    "open_holds",
    "open_periods",
    "owed",
    "post_batch",
    "post_within",
    "posting_rows",
    "rate_of",
    "set_clock",
    "shift",
    "statement",
    "store_rate",
    "today",
    "trial_balance",
    "trial_balance_at",
    "usd_days",
    "usd_total",
    "wallet",
    "wallets",
    "wins_of_day",
    "won_on",
]
