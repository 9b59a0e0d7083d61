"""The ledger's tables. Written by the functions in sql/ alone; the app's role may only read them.

Every key of the books starts with `owner_id`, so that they can be spread over machines by owner. A
payment claim's does not: its payment counts once for all owners.
"""

from portal.ledger.models.books import (
    AccountBalance,
    DailyBalance,
    Entry,
    Owner,
    OwnerZone,
    Posting,
)
from portal.ledger.models.chart import Account, Asset, EntryKind, FeeRule, Flow, Ledger, Pair
from portal.ledger.models.hours import (
    ClockShift,
    ClosedHour,
    ClosedPeriod,
    ClosedTotal,
    FeeTotal,
    HourRate,
    LateTotal,
)
from portal.ledger.models.wallets import Hold, PaymentClaim

__all__ = [
    "Account",
    "AccountBalance",
    "Asset",
    "ClockShift",
    "ClosedHour",
    "ClosedPeriod",
    "ClosedTotal",
    "DailyBalance",
    "Entry",
    "EntryKind",
    "FeeRule",
    "FeeTotal",
    "Flow",
    "Hold",
    "HourRate",
    "LateTotal",
    "Ledger",
    "Owner",
    "OwnerZone",
    "Pair",
    "PaymentClaim",
    "Posting",
]
