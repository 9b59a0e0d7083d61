"""The books of the pictures: seven weeks of Ida's wins and credits, the same to the microsecond.

Booked by the services, on a clock that stands still between any two events.
"""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

from bench.stage import Books
from portal import ledger
from portal.ledger import amounts
from portal.ledger.conversion import Rate, anything_held
from portal.runtime import runtime
from portal.services import assets, clients, conversions, credits, holds, users, wins
from portal.services.demo import convert_now

NOW = datetime(2026, 11, 21, 14, 26, 12, 480_517, tzinfo=UTC)
LAST_HOUR = datetime(2026, 11, 21, 13, tzinfo=UTC)
"""The last one that is over: nobody converts it here."""
SOURCE = "https://rates.example/dream"
GAMES = ("maze", "gem-rush", "sky-race")
CLOCK = """
CREATE OR REPLACE FUNCTION ledger.clock() RETURNS timestamptz
LANGUAGE sql VOLATILE SET search_path = ledger, pg_temp AS $$ SELECT timestamptz '{at}' $$
"""


def _rate(hour: datetime) -> Rate:
    """What a token is worth in an hour: some cents that wander."""
    number = int(hour.timestamp()) // 3600
    slow, fast = abs(number % 400 - 200), abs(number * 7 % 60 - 30)
    value = Decimal(1_350 + slow + 2 * fast).scaleb(-4)
    told = f'{{"rate": "{value}"}}'.encode()
    return Rate(value, SOURCE, hour + ledger.HOUR, sha256(told).digest())


class Weeks:
    """A clock moved by hand, random numbers that are always the same, and what was booked so far."""

    def __init__(self, books: Books, days: int) -> None:
        self._books, self._days = books, days
        self.random = random.Random(5)
        self._count = 0
        self._at = NOW - timedelta(days=days)
        self.entries: dict[str, str] = {}

    def live(self) -> None:
        """Book all of it."""
        self.set(self._at)
        clients.create_key("arcade", clients.SCOPES)
        self._client = clients.named("arcade")
        ida = ("player-1", "Ida Falk", "Europe/Berlin", "ida@players.example")
        self.ida = users.create(*ida)[0].id
        others = [
            users.create(f"player-{n}", f"Player {n}", "UTC", f"player-{n}@players.example")[0].id
            for n in (2, 3)
        ]
        for day in range(self._days):
            self._day(self.ida, self._start_of(day), others)
        self._today()

    def _start_of(self, day: int) -> datetime:
        began = NOW - timedelta(days=self._days - day)
        return began.replace(hour=7, minute=0, second=0, microsecond=0)

    def set(self, at: datetime) -> None:
        """Have the clock say this from now on."""
        self._at = at
        with self._books.owner() as cursor:
            cursor.execute(CLOCK.format(at=at.isoformat()))

    def _go(self, at: datetime) -> None:
        """On to a time, converting what was won a few seconds after the end of its hour."""
        ended = self._at.replace(minute=0, second=0, microsecond=0) + ledger.HOUR
        if ended <= at:
            self.set(ended + timedelta(seconds=4, microseconds=self.random.randrange(10**6)))
            self._convert()
        self.set(at)
        self._convert()

    def _convert(self) -> None:
        """Every hour that is due, but for the last, each at a rate of its own."""
        while (hour := conversions.due_hour()) and hour < LAST_HOUR:
            with runtime().engine.connect() as connection:
                ledger.close_hour(connection, hour)
                if anything_held(connection, hour):
                    ledger.store_rate(connection, hour, _rate(hour))
                connection.commit()
            conversions.advance(hour, convert_now, wait=True)

    def _day(self, ida: int, start: datetime, others: list[int]) -> None:
        """Some wins in the morning and the evening; credits now and then."""
        if self.random.random() < 0.12:  # a day without games
            return
        for hour in sorted(self.random.sample(range(15), self.random.randrange(2, 6))):
            self._go(start + timedelta(hours=hour, minutes=self.random.randrange(40)))
            for _ in range(self.random.randrange(1, 4)):
                self._win(ida, self.random.randrange(10**15, 4 * 10**17))
            self._win(self.random.choice(others), self.random.randrange(10**15, 10**17))
        self._credits()

    def _credits(self) -> None:
        if self.random.random() < 0.3:
            self._post("top_up", "GOLD_COIN", "500", "card")
        if self.random.random() < 0.5:
            self._post("bonus", "LOYALTY_POINT", "12.5", "three days in a row")
        if self.random.random() < 0.4 and "top_up" in self.entries:
            self._post("spend", "GOLD_COIN", str(self.random.randrange(20, 180)), None)

    def _today(self) -> None:
        """A lively Saturday in Berlin, the last win two minutes ago."""
        start = self._start_of(self._days)
        for minute in (22, 31, 78, 84, 190, 203, 214, 266, 301, 330):
            self._go(start + timedelta(minutes=minute, seconds=self.random.randrange(50)))
            self._win(self.ida, self.random.randrange(10**16, 5 * 10**17))
        self._go(start + timedelta(minutes=340))
        self._post("top_up", "DIAMOND", "25", "card")
        self._post("top_up", "GOLD_COIN", "1000", "card")
        gold = assets.get("GOLD_COIN")
        held, _ = holds.hold(self._request("GOLD_COIN", "200", "tournament-9"), None)
        self.entries["hold"] = f"{self.ida}-{held.seq}"
        holds.hold(self._request("GOLD_COIN", "150", "tournament-8"), None)
        ended = holds.Ending(self._client, self._key(), self.ida, gold, held.seq)
        self._go(start + timedelta(minutes=380))
        paid, _ = holds.capture(ended, 150, "tournament-9", "Entry fee of the autumn tournament")
        self.entries["capture"] = f"{self.ida}-{paid.seq}"
        wrong = self._post("spend", "GOLD_COIN", "80", None)
        credits.reverse(self._client, self._key(), self.ida, wrong, "ordered twice")
        for minute in (402, 431, 444):
            self._go(start + timedelta(minutes=minute, seconds=self.random.randrange(50)))
            self._win(self.ida, self.random.randrange(10**16, 3 * 10**17))
        self._go(NOW)

    def _key(self) -> str:
        self._count += 1
        return f"gallery-{self._count}"

    def _win(self, user_id: int, units: int) -> None:
        self.set(self._at + timedelta(microseconds=self.random.randrange(2 * 10**6)))
        at = self._at - timedelta(seconds=self.random.randrange(1, 40))
        game = self.random.choice(GAMES)
        request = wins.WinRequest(
            user_id, self._key(), units, at, game, f"round-{4000 + self._count}"
        )
        outcome = wins.book(self._client, request)
        if user_id == self.ida and outcome.seq:
            self.entries["win"] = f"{user_id}-{outcome.seq}"

    def _request(self, code: str, amount: str, reference: str) -> credits.Request:
        asset = assets.get(code)
        units = amounts.parse(amount, asset.scale)
        return credits.Request(self._client, self._key(), self.ida, asset, units, reference)

    def _post(self, kind: str, code: str, amount: str, how: str | None) -> int:
        self.set(self._at + timedelta(seconds=self.random.randrange(5, 90)))
        request = self._request(code, amount, f"{kind.replace('_', '-')}-{7000 + self._count}")
        verb = {"top_up": credits.top_up, "bonus": credits.bonus}.get(kind)
        made = verb(request, how) if verb else credits.spend(request)
        self.entries[kind] = f"{self.ida}-{made.seq}"
        return made.seq
