"""Wins: tokens that a user earned in a game, within the limit of the local day they occurred on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from portal import ledger
from portal.ledger import chart
from portal.ledger.days import Today
from portal.ledger.idempotency import key_hash, microseconds, request_hash
from portal.ledger.reports import Win
from portal.runtime import runtime

KIND = "win"
LEDGER_ID = chart.FIXED_LEDGERS[0].id
LONGEST_DAY = timedelta(hours=52)
"""A date begins 26 hours earlier in the first time zone than in the last: who moves westward on that
day has it for 50 hours, and clock changes may add to it."""

GAMES = 200
"""At most to choose from."""


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
class DayPage:
    """The user's day, some of its wins (newest first) and the games that were won in on it."""

    today: Today
    wins: list[ledger.DayWin]
    games: list[ledger.DayGame]


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
        day = ledger.today(connection, user_id)
        since = day.as_of - LONGEST_DAY - runtime().settings.win_max_ahead
        wins = ledger.wins_of_day(connection, user_id, day.day, since, before_seq, limit)
        return day, wins


def day_page(user_id: int, game: str | None, before_seq: int | None, limit: int) -> DayPage:
    """The same with running totals, and with what it takes to choose a game.

    Raises NotFound('unknown_user').
    """
    with runtime().snapshot() as connection:
        day = ledger.today(connection, user_id)
        asked = ledger.DayOf(user_id, day.day, runtime().settings.win_max_ahead)
        listed = ledger.day_wins(connection, asked, game, before_seq, limit)
        return DayPage(day, listed, ledger.day_games(connection, asked, GAMES))


def wins_of(
    user_id: int, day: date, game: str | None, before_seq: int | None, limit: int
) -> list[ledger.DayWin]:
    """Wins of a day alone, newest first: for whoever reads all of them, page after page."""
    with runtime().snapshot() as connection:
        asked = ledger.DayOf(user_id, day, runtime().settings.win_max_ahead)
        return ledger.day_wins(connection, asked, game, before_seq, limit)
