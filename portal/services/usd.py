"""What a user earned in USD, for the pages: the days of a range, the hours of a day, a month's statement.

Days are the user's local ones. Totals come from the sums by day and tie to the balance, exactly.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from portal import ledger
from portal.ledger import chart
from portal.ledger.reports import UsdDay
from portal.runtime import runtime

USD = "USD"
EVERY_DAY = 36_600
"""At most read at once: a century."""


@dataclass(frozen=True, slots=True)
class UsdRange:
    """The days of a range on which USD was earned, newest first; `figures` tie them to the balance."""

    today: ledger.Today
    first: date
    last: date
    figures: ledger.Movement
    days: list[UsdDay]


@dataclass(frozen=True, slots=True)
class DayInHours:
    """A day's conversions, newest hour first; `other` is what came or went by anything else."""

    sums: UsdDay
    hours: list[ledger.DayHour]

    @property
    def other(self) -> int:
        """The day's USD less those of all conversions."""
        return self.sums.amount - sum(hour.usd for hour in self.hours)


@dataclass(frozen=True, slots=True)
class Statement:
    """A month: by day, and what moved in each wallet. `is_running` while the month is not over."""

    today: ledger.Today
    first: date
    last: date
    days: list[ledger.DaySums]
    wallets: list[ledger.Movement]

    @property
    def is_running(self) -> bool:
        """Whether more may come."""
        return self.today.day <= self.last

    @property
    def usd(self) -> ledger.Movement:
        """The wallet of USD; empty where none ever came."""
        return next((w for w in self.wallets if w.asset == USD), NOTHING)


NOTHING = ledger.Movement(USD, "US dollar", "currency", chart.USD_SCALE, 0, 0, 0, 0, 0, 0)


def of_range(user_id: int, first: date | None, last: date | None) -> UsdRange:
    """The USD of some days, of the user's running month where none are named.

    Raises NotFound('unknown_user').
    """
    with runtime().snapshot() as connection:
        today = ledger.today(connection, user_id)
        last = last or today.day
        first = first or last.replace(day=1)
        moved = ledger.movements(connection, user_id, first, last, USD)
        days = list(ledger.usd_days(connection, user_id, first, last, EVERY_DAY))
        return UsdRange(today, first, last, moved[0] if moved else NOTHING, days)


def of_day(user_id: int, day: date) -> DayInHours:
    """The USD of a day, hour by hour."""
    with runtime().snapshot() as connection:
        found = ledger.usd_days(connection, user_id, day, day, 1)
        sums = found[0] if found else UsdDay(day, 0, 0, 0)
        return DayInHours(sums, ledger.day_hours(connection, user_id, day))


def months(user_id: int) -> list[ledger.MonthSums]:
    """The months of which there is a statement, newest first."""
    with runtime().snapshot() as connection:
        return ledger.month_sums(connection, user_id)


def statement(user_id: int, month: date) -> Statement | None:
    """The statement of a month, named by its first day; None for one that has not begun.

    Raises NotFound('unknown_user').
    """
    last = month.replace(day=monthrange(month.year, month.month)[1])
    with runtime().snapshot() as connection:
        today = ledger.today(connection, user_id)
        if month > today.day:
            return None
        return Statement(
            today,
            month,
            last,
            ledger.day_sums(connection, user_id, month, last),
            ledger.movements(connection, user_id, month, last),
        )
