"""What the API answers of conversions, imports and webhook endpoints."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


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
