"""What the API answers, as frozen dataclasses: amounts are exact Decimals, times aware datetimes.

Text that a person's erasure removes (`game`, `reference`, `description`) may be None.
"""

from collections.abc import Mapping
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


@dataclass(frozen=True)
class Asset:
    """A unit of value; `scale` is how many decimals it has."""

    code: str
    name: str
    scale: int
    kind: str


@dataclass(frozen=True)
class Wallet:
    """`balance` is all, `held` what holds set aside of it, `available` what may be spent."""

    asset: str
    balance: Decimal
    held: Decimal
    available: Decimal
    at: datetime | None = None


@dataclass(frozen=True)
class Line:
    """What moved a wallet: `amount` changed the balance, `held_change` what is held."""

    entry_id: str
    kind: str
    amount: Decimal
    held_change: Decimal
    balance_after: Decimal
    occurred_at: datetime
    booked_at: datetime
    reference: str | None


@dataclass(frozen=True)
class Transaction:
    """What a call booked, the same at each replay."""

    entry_id: str
    kind: str
    asset: str
    amount: Decimal
    booked_at: datetime
    reference: str | None


@dataclass(frozen=True)
class Hold:
    """Credits set aside. `state` is open, captured, released or expired."""

    hold_id: str
    asset: str
    state: str
    amount: Decimal
    captured: Decimal | None
    booked_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    reference: str | None
    description: str | None


@dataclass(frozen=True)
class Moved:
    """The answer to a call that moves credits: what it booked, and the wallet as it is now."""

    transaction: Transaction
    balance: Decimal
    held: Decimal
    available: Decimal
    hold: Hold | None = None
    is_replayed: bool = False
    idempotency_key: str = ""


@dataclass(frozen=True)
class Conversion:
    """An hourly run. `state`: due, running, done, waiting_for_rate or failed."""

    hour: datetime
    state: str
    rate: Decimal | None
    rate_source: str | None
    users: int
    tokens: Decimal
    usd: Decimal
    fees: Decimal
    residue: Decimal
    started_at: datetime | None
    finished_at: datetime | None
    progress: Mapping[str, int]


@dataclass(frozen=True)
class Import:
    """A file of wins being booked. `state` is queued, running or done."""

    id: str
    format: str
    state: str
    lines: int
    processed: int
    posted: int
    replayed: int
    rejected: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_done(self) -> bool:
        """Whether every line was seen to."""
        return self.state == "done"


@dataclass(frozen=True)
class WebhookEndpoint:
    """Where events are sent to. `delivered_until` is how far it got.

    `attempts` failed in a row since `failing_since`; `disabled_reason` says why it was given up.
    """

    endpoint_id: str
    url: str
    description: str | None
    events: tuple[str, ...] | None
    state: str
    created_at: datetime
    disabled_reason: str | None = None
    delivered_until: datetime | None = None
    attempts: int = 0
    failing_since: datetime | None = None
    next_attempt_at: datetime | None = None
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    last_failure: str | None = None
    old_secret_until: datetime | None = None


@dataclass(frozen=True)
class NewEndpoint:
    """An endpoint with its secret, which is shown this once."""

    endpoint: WebhookEndpoint
    secret: str


@dataclass(frozen=True)
class Stall:
    """A user whose next event an endpoint did not take, while it took those of others."""

    user_id: str
    event_id: str
    attempts: int
    since: datetime
    next_attempt_at: datetime
    last_failure: str
