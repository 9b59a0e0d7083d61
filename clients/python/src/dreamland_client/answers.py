"""What the API answers of users and wins, as frozen dataclasses: amounts are exact Decimals, times aware datetimes.

Text that a person's erasure removes (`game`, `reference`) may be None.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from dreamland_client.errors import Problem
from dreamland_client.reading import called


@dataclass(frozen=True)
class User:
    """A player. `region` is where the books are."""

    id: str
    external_id: str
    display_name: str
    time_zone: str
    region: str
    created_at: datetime
    email: str | None = None


@dataclass(frozen=True)
class ZoneChange:
    """A time zone that is to come, and when."""

    time_zone: str
    start: datetime = field(metadata=called("from"))


@dataclass(frozen=True)
class Profile:
    """A user, and the change of time zone that is to come, if any."""

    user: User
    time_zone_change: ZoneChange | None


@dataclass(frozen=True)
class Win:
    """A booked win. `day` is the user's local one."""

    entry_id: str
    user_id: str
    asset: str
    amount: Decimal
    occurred_at: datetime
    booked_at: datetime
    day: date
    game: str | None
    reference: str | None


@dataclass(frozen=True)
class DayWin(Win):
    """A win of the day, and whether its tokens were converted."""

    converted: bool


@dataclass(frozen=True)
class DayFigures:
    """What was won of a day, and what is left of it."""

    day: date
    won: Decimal
    limit: Decimal
    remaining: Decimal


@dataclass(frozen=True)
class BookedWin:
    """The answer to a win: the win itself, the same at each replay, and its day as it is now."""

    win: Win
    today: DayFigures
    is_replayed: bool = False
    idempotency_key: str = ""


@dataclass(frozen=True)
class Result:
    """What became of one win of a batch: `win` where it was posted or replayed, else `error`."""

    index: int
    status: str
    idempotency_key: str
    win: Win | None = None
    error: Problem | None = None


@dataclass(frozen=True)
class Today:
    """A page of the wins of a user's local day, newest first, and the day's figures."""

    as_of: datetime
    day: date
    time_zone: str
    total: Decimal
    limit: Decimal
    remaining: Decimal
    wins: tuple[DayWin, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class UsdDay:
    """What a local day's conversions brought."""

    day: date
    tokens: Decimal
    amount: Decimal
    conversions: int


@dataclass(frozen=True)
class UsdHistory:
    """A page of days, newest first; `total` is of the whole range."""

    days: tuple[UsdDay, ...]
    total: Decimal
    next_cursor: str | None


@dataclass(frozen=True)
class Stats:
    """A user's figures."""

    as_of: datetime
    day: date
    time_zone: str
    tokens_today: Decimal
    limit: Decimal
    remaining: Decimal
    usd_balance: Decimal
