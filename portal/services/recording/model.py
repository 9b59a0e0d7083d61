"""The rules for wins and conversions told a second time, in plain Python and without the books.

A replay holds each outcome and, at its end, each balance against it. Nothing here may ask the
ledger what it would do.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from portal.services.wins import WinRequest

DAY_LIMIT = 5 * 10**18

Content = tuple[int, datetime, str, str]


@dataclass(frozen=True, slots=True)
class Expected:
    """What must become of a win: a status or a code, and where they count, the day's figures."""

    verdict: str
    day: date | None = None
    used: int | None = None


@dataclass
class Model:
    """What the books must hold for some users, by their ids. Amounts are base units."""

    zones: Mapping[int, ZoneInfo]
    max_age: timedelta
    max_ahead: timedelta
    used: Counter[tuple[int, date]] = field(default_factory=Counter)
    tokens: Counter[int] = field(default_factory=Counter)
    """Held, of hours that were converted."""
    usd: Counter[int] = field(default_factory=Counter)
    won: defaultdict[datetime, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """By hour booked, until that is converted."""
    _keys: dict[tuple[int, str], Content] = field(default_factory=dict)

    def expect(self, win: WinRequest, now: datetime) -> Expected:
        """What becomes of a win that is sent at `now`; a posted one is noted."""
        known = self._keys.get((win.user_id, win.key))
        if known is not None:
            return Expected("replayed" if known == content(win) else "idempotency_key_reused")
        if not now - self.max_age <= win.occurred_at <= now + self.max_ahead:
            return Expected("occurred_at_out_of_range")
        day = self.day(win)
        used = self.used[win.user_id, day]
        if used + win.amount > DAY_LIMIT:
            return Expected("daily_limit_exceeded", day, used)
        self.note(win)
        return Expected("posted", day, used + win.amount)

    def note(self, win: WinRequest) -> None:
        """A win is in the books."""
        self._keys[win.user_id, win.key] = content(win)
        self.used[win.user_id, self.day(win)] += win.amount

    def day(self, win: WinRequest) -> date:
        """The local date that a win counts against."""
        return win.occurred_at.astimezone(self.zones[win.user_id]).date()

    def booked(self, win: WinRequest, at: datetime) -> None:
        """A posted win was booked at that time, which decides the hour it converts with."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        self.won[hour][win.user_id] += win.amount

    def convert(self, hour: datetime, rate: Fraction) -> None:
        """All tokens held become USD, rounded down; what is worth none stays as tokens."""
        self.tokens.update(self.won.pop(hour, {}))
        for user_id, tokens in list(self.tokens.items()):
            usd = int(tokens * rate)
            if usd:
                self.usd[user_id] += usd
                del self.tokens[user_id]

    def held(self, user_id: int) -> int:
        """DREAM that a user has, converted hours or not."""
        return self.tokens[user_id] + sum(won[user_id] for won in self.won.values())


def content(win: WinRequest) -> Content:
    """What makes a request under the same key the same request."""
    return win.amount, win.occurred_at, win.game, win.reference
