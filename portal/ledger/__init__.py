"""The books: an immutable double-entry ledger. What they offer is on this page.

Writing:   `Poster.post` (one entry, with group commit), `post_batch` (1 to 1,000), `post_within`
           (the same, in the caller's transaction), `convert`, `claim_payment`, `add_asset`
Hours:     `now`, `set_clock`, `fix_clock`, `close_hour`, `close_period`, `store_rate`, `rate_of`, `holders`
Reading:   `wallet`, `wallets`, `statement`, `holds`, `journal`, `wins_of_day`, `usd_days`, `trial_balance`
Feed:      `Feed`, `entries_of_owner`, `feed_entry`, `lines_of`, `count_after`
Checking:  `verify.verify`, of the module beside this file

Knows no Flask request, no person and no HTTP. The rules in prose: README.md beside this file.
"""

from portal.ledger.assets import AssetInfo, add_asset, assets
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
from portal.ledger.holds import DueHold, Hold, due_holds, hold, holds
from portal.ledger.journal import JournalEntry, JournalLine, journal
from portal.ledger.payments import claim_payment
from portal.ledger.poster import Poster, autocommit
from portal.ledger.posting import MAX_BATCH, UNBOUNDED, Entry, Outcome, Window
from portal.ledger.reports import local_day, usd_days, usd_total, wins_of_day, won_on
from portal.ledger.trial_balance import TrialBalance, trial_balance
from portal.ledger.wallets import Booked, Wallet, booked, statement, wallet, wallets

__all__ = [
    "HOUR",
    "MAX_BATCH",
    "UNBOUNDED",
    "AssetInfo",
    "Booked",
    "Converted",
    "DueHold",
    "Entry",
    "Feed",
    "Hold",
    "InternalError",
    "InvalidAmount",
    "JournalEntry",
    "JournalLine",
    "LedgerError",
    "NotFound",
    "Outcome",
    "Poster",
    "Refused",
    "TrialBalance",
    "Unavailable",
    "Wallet",
    "Window",
    "add_asset",
    "assets",
    "autocommit",
    "booked",
    "claim_payment",
    "close_hour",
    "close_period",
    "convert",
    "count_after",
    "due_holds",
    "entries_of_owner",
    "feed_entry",
    "first_booked_hour",
    "fix_clock",
    "hold",
    "holders",
    "holds",
    "journal",
    "last_closed_hour",
    "lines_of",
    "local_day",
    "now",
    "post_batch",
    "post_within",
    "rate_of",
    "set_clock",
    "shift",
    "statement",
    "store_rate",
    "trial_balance",
    "usd_days",
    "usd_total",
    "wallet",
    "wallets",
    "wins_of_day",
    "won_on",
]
