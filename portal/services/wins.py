"""Wins: tokens that a user earned in a game, within the limit of the local day they occurred on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from portal import ledger
from portal.ledger import chart
from portal.ledger.idempotency import key_hash, microseconds, request_hash
from portal.ledger.reports import Win
from portal.runtime import runtime

KIND = "win"
LEDGER_ID = chart.FIXED_LEDGERS[0].id
LONGEST_DAY = timedelta(hours=52)
"""A date begins 26 hours earlier in the first time zone than in the last: who moves westward on that
day has it for 50 hours, and clock changes may add to it."""


@dataclass(slots=True)
class WinRequest:
    """A win to be booked: `amount` in base units of DREAM, `occurred_at` with an offset.

    Nothing changes one, as with an Entry.
    """

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
        """What may still be won on that day."""
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


def today(user_id: int, before_seq: int | None, limit: int) -> tuple[Today, list[Win]]:
    """The user's day and its wins, newest first, from `before_seq` (exclusive) on.

    Raises NotFound('unknown_user').
    """
    with runtime().snapshot() as connection:
        day = day_of(connection, user_id)
        since = day.as_of - LONGEST_DAY - runtime().settings.win_max_ahead
        wins = ledger.wins_of_day(connection, user_id, day.day, since, before_seq, limit)
        return day, wins


def day_of(connection: Connection, user_id: int) -> Today:
    """The user's day without its wins. Raises NotFound('unknown_user')."""
    now = ledger.now(connection)
    day, zone = ledger.local_day(connection, user_id, now)
    return Today(now, day, zone, ledger.won_on(connection, user_id, day))
