"""A user's books as finance sees them: what there is now, day by day, and the entries of a day.

The figures are those of the user's own pages, read by the same reads.
"""

from dataclasses import dataclass
from datetime import date

from portal import ledger
from portal.runtime import runtime

NEWEST = 10
"""Entries that are shown beside the wallets."""
HOLDS = 100
"""At most listed."""


@dataclass(frozen=True, slots=True)
class Now:
    """What a user has and did last, of one moment."""

    today: ledger.Today
    holdings: list[tuple[ledger.AssetInfo, ledger.Wallet]]
    holds: list[ledger.OpenHold]
    newest: list[ledger.ListedEntry]


@dataclass(frozen=True, slots=True)
class Day:
    """A local day: what it came to, and its entries, newest first."""

    sums: ledger.DaySums
    entries: list[ledger.ListedEntry]


def now(user_id: int) -> Now:
    """How a user's books stand. Raises NotFound('unknown_user')."""
    with runtime().snapshot() as connection:
        holdings = ledger.holdings(connection, user_id)
        is_holding = any(wallet.held for _, wallet in holdings)
        return Now(
            ledger.today(connection, user_id),
            holdings,
            ledger.all_open_holds(connection, user_id, None, HOLDS) if is_holding else [],
            ledger.entries(connection, user_id, None, NEWEST),
        )


def holds(user_id: int, before: int | None, limit: int) -> list[ledger.OpenHold]:
    """The open holds of all wallets, newest first, from the entry `before` (exclusive) on."""
    with runtime().snapshot() as connection:
        return ledger.all_open_holds(connection, user_id, before, limit)


def days(user_id: int, before: date | None, limit: int) -> list[ledger.DaySums]:
    """The days on which tokens or USD moved, newest first, from the day `before` (exclusive) on."""
    with runtime().snapshot() as connection:
        return ledger.newest_days(connection, user_id, before, limit)


def day(user_id: int, which: date, before_seq: int | None, limit: int) -> Day:
    """A local day of a user's, its entries from `before_seq` (exclusive) on."""
    asked = ledger.DayOf(user_id, which, runtime().settings.win_max_ahead)
    with runtime().snapshot() as connection:
        sums = ledger.day_sums(connection, user_id, which, which)
        found = ledger.entries_of_day(connection, asked, before_seq, limit)
        return Day(sums[0] if sums else ledger.DaySums(which, 0, 0, 0), found)
