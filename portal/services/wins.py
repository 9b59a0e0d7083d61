"""Wins: tokens that a user earned in a game, within the limit of the local day they occurred on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from portal import ledger
from portal.ledger import chart
from portal.ledger.idempotency import key_hash, microseconds, request_hash
from portal.ledger.reports import Win
from portal.runtime import runtime

KIND = "win"
LEDGER_ID = chart.FIXED_LEDGERS[0].id


@dataclass(frozen=True, slots=True)
class WinRequest:
    """A win to be booked: `amount` in base units of DREAM, `occurred_at` with an offset."""

    user_id: int
    key: str
    amount: int
    occurred_at: datetime
    game: str
    reference: str


@dataclass(frozen=True, slots=True)
class Today:
    """A user's local day so far. Amounts are base units of DREAM."""

    as_of: datetime
    day: date
    time_zone: str
    won: int
    limit: int = chart.DAY_LIMIT

    @property
    def remaining(self) -> int:
        return self.limit - self.won


def book(client_id: int, win: WinRequest) -> ledger.Outcome:
    """Book one win. Raises Unavailable; every other refusal is in the outcome."""
    return runtime().poster.post(entry(client_id, win))


def book_batch(client_id: int, wins: Sequence[WinRequest]) -> list[ledger.Outcome]:
    """Book 1 to 1,000 wins as if one by one, in order. Raises Unavailable."""
    entries = [entry(client_id, win) for win in wins]
    return ledger.post_batch(runtime().engine, entries, runtime().window)


def entry(client_id: int, win: WinRequest) -> ledger.Entry:
    """The entry of a win; its request hash covers every field but the key."""
    at = microseconds(win.occurred_at)
    return ledger.Entry(
        owner_id=win.user_id,
        kind=KIND,
        ledger_id=LEDGER_ID,
        client_id=client_id,
        key_hash=key_hash(client_id, win.key),
        request_hash=request_hash(KIND, win.user_id, win.amount, at, win.game, win.reference),
        amount=win.amount,
        occurred_at=win.occurred_at,
        game=win.game,
        reference=win.reference,
    )


def today(user_id: int) -> Today:
    """Raises NotFound('unknown_user')."""
    with runtime().engine.connect() as connection:
        now = ledger.now(connection)
        day, zone = ledger.local_day(connection, user_id, now)
        return Today(now, day, zone, ledger.won_on(connection, user_id, day))


def of_day(user_id: int, today: Today, before_seq: int | None, limit: int) -> list[Win]:
    """The wins of the day that `today` is, newest first, from `before_seq` (exclusive) on."""
    # A local day is at most 26 hours long by the clock, and a win may be a little ahead.
    since = today.as_of - timedelta(hours=27) - runtime().settings.win_max_ahead
    with runtime().engine.connect() as connection:
        return ledger.wins_of_day(connection, user_id, today.day, since, before_seq, limit)
