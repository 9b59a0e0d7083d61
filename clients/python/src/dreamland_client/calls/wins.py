"""Wins: one, a batch, a stream of them, and the user's day."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from dreamland_client.answers import BookedWin, DayWin, Result, Stats, Today, Win
from dreamland_client.batcher import Batcher, Limits
from dreamland_client.calls.base import Calls, path
from dreamland_client.errors import BadAnswer, problem
from dreamland_client.new_win import NewWin
from dreamland_client.reading import member, read
from dreamland_client.retries import Retries
from dreamland_client.transport import Request
from dreamland_client.values import AmountLike, amount_text, time_text

MOST = 1000
"""Wins in a batch."""


class Wins(Calls):
    """Calls about wins."""

    def book_win(
        self,
        user_id: str,
        *,
        amount: AmountLike,
        occurred_at: datetime,
        game: str,
        reference: str,
        idempotency_key: str | None = None,
    ) -> BookedWin:
        """Book a win. Raises DailyLimitExceeded, OccurredAtOutOfRange, IdempotencyKeyReused, …"""
        body = {
            "amount": amount_text(amount),
            "occurred_at": time_text(occurred_at),
            "game": game,
            "reference": reference,
        }
        return self._booked(BookedWin, path("users", user_id, "wins"), body, idempotency_key)

    def book_wins(self, wins: Sequence[NewWin]) -> tuple[Result, ...]:
        """Book 1 to 1,000 wins in order, each for itself; what became of each, in that order."""
        if not 1 <= len(wins) <= MOST:
            raise ValueError(f"a batch has 1 to {MOST:,} wins, not {len(wins):,}")
        return self._book(wins, None)

    def batcher(self, on_result: Callable[[NewWin, Result], object], **limits: Any) -> Batcher:
        """A stream of wins, sent in batches from a thread: see Batcher; `limits` are those of Limits."""
        return Batcher(self._book, on_result, Limits(**limits))

    def _book(self, wins: Sequence[NewWin], retries: Retries | None) -> tuple[Result, ...]:
        body = b'{"wins":[' + b",".join(win.line for win in wins) + b"]}"
        request = Request("POST", path("wins", "batch"), body=body, is_repeatable=True)
        told = member(self._transport.call(request, retries).json, "results")
        if not isinstance(told, list) or len(told) != len(wins):
            raise BadAnswer("the answer to a batch has not one result a win")
        return tuple(_result(*pair, at) for at, pair in enumerate(zip(wins, told, strict=True)))

    def today(self, user_id: str, *, limit: int = 50, cursor: str | None = None) -> Today:
        """A page of the wins of the user's local day, newest first, and the day's figures."""
        query = {"limit": str(limit), "cursor": cursor}
        return read(Today, self._get(path("users", user_id, "tokens", "today"), query))

    def wins_today(self, user_id: str, *, page_size: int = 200) -> Iterator[DayWin]:
        """Every win of the user's local day, newest first."""
        return self._listed(DayWin, path("users", user_id, "tokens", "today"), "wins", page_size)

    def stats(self, user_id: str) -> Stats:
        """What was won today, what is left of the day, and the USD balance."""
        return read(Stats, self._get(path("users", user_id, "stats")))


def _result(win: NewWin, told: object, at: int) -> Result:
    index, status = member(told, "index"), member(told, "status")
    if index != at or status not in ("posted", "replayed", "rejected"):
        raise BadAnswer("the results of a batch are not in its order")
    key = win.idempotency_key
    if status == "rejected":
        return Result(index, status, key, error=problem(None, member(told, "error"), key))
    return Result(index, status, key, win=read(Win, member(told, "win")))
