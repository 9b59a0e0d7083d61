"""Books of many, and among them a user with a year behind: some ten thousand entries and a busy day today.

The user's entries are booked by the posting function, on a clock that goes through the year; those of
all others, between them, by bench/history.py. So each lies where it would: among the others' of its day.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bench import history, people
from bench.figures import say
from bench.stage import Books
from portal import ledger
from portal.ledger.conversion import Rate
from portal.runtime import runtime
from portal.services import assets, credits, holds, users, wins
from portal.services.accounts import passwords, second_factor, sessions, sign_ins

ZONE = "Europe/Berlin"
HOURS = (9, 14, 19)
"""Of an ordinary day, UTC: when the user plays."""
GAMES = ("maze", "gem-rush", "sky-race", "tower", "orchard")
RATE = Rate(Decimal("0.15"), "bench")
WIN = 10**16
"""A hundredth of a token: three hundred of them are within a day's limit."""
CLOSE = """
SELECT ledger.close_hour(h) FROM generate_series(%s::timestamptz, %s::timestamptz - interval '1 hour', '1 hour') h
"""
PASSWORD = "correct horse battery"  # noqa: S105 - of books that are dropped


@dataclass(frozen=True, slots=True)
class Busy:
    """The user, and what there is to look at."""

    user_id: int
    sign_in_id: int
    facts: dict[str, str]
    """What fills the addresses of pages."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is: wins of others, about so many entries of the user's own, wins today."""

    others: int
    entries: int
    own: int
    today: int
    days: int


def write(books: Books, size: Size) -> Busy:
    """Fill empty books."""
    people.settle(books, size.others)
    with books.app.app_context():
        return _Year(books, size).lived()


class _Year:
    """The year, day by day."""

    def __init__(self, books: Books, size: Size) -> None:
        self._books, self._size = books, size
        end = datetime.now(UTC).replace(hour=18, minute=30, second=0, microsecond=0)
        self._start = end - timedelta(days=size.days)
        self._set(self._start)
        self._known = history.parameters(books, size.others, size.entries, self._start, end)
        self._client = people.client_id(books)
        self._user = users.create("busy", "Ida", ZONE)[0].id
        self._next = self._start.replace(minute=0)
        self._count = 0
        self._last: dict[str, str] = {}

    def lived(self) -> Busy:
        """All of it, the sign-in too."""
        size = self._size
        times = size.days * len(HOURS)
        each = max(1, round((size.own - size.today) / times) - 1)  # each time a conversion, too
        for day in range(size.days):
            self._others_wins(day)
            start = (self._start + timedelta(days=day)).replace(hour=0, minute=0)
            for hour in HOURS if day else ():
                self._play(start + timedelta(hours=hour, minutes=10), each)
            if day % 10 == 1:
                self._credits()
            if day % 60 == 0:
                say(f"{day} days of {size.days}")
        self._today(size.today)
        history.finish(self._books, size.others)
        return Busy(self._user, self._sign_in(), self._facts())

    def _set(self, at: datetime) -> None:
        with runtime().engine.begin() as connection:
            ledger.set_clock(connection, at)

    def _others_wins(self, day: int) -> None:
        per_day = self._size.entries // self._size.days
        slice_ = {"first": day * per_day, "last": (day + 1) * per_day - 1}
        with self._books.owner() as cursor:
            cursor.execute(history.WINS, {**self._known, **slice_})

    def _play(self, at: datetime, count: int) -> None:
        """Some wins at a time, after all hours before were closed and the last one converted."""
        self._close(at)
        self._set(at)
        made = [self._win(at - timedelta(seconds=2 * n + 1)) for n in range(count)]
        outcomes = wins.book_batch(self._client, made)
        assert {outcome.status for outcome in outcomes} == {"posted"}, outcomes
        self._last["win"] = f"{self._user}-{outcomes[-1].seq}"

    def _win(self, at: datetime) -> wins.WinRequest:
        self._count += 1
        game = GAMES[self._count % len(GAMES)]
        key = f"busy:{self._count}"
        return wins.WinRequest(self._user, key, WIN, at, game, f"round-{self._count}")

    def _close(self, at: datetime) -> None:
        """Close every hour that is over at a time, and convert the user's tokens of the first of them."""
        over = at.replace(minute=0, second=0, microsecond=0)
        if over > self._next:
            self._set(self._next + ledger.HOUR + timedelta(seconds=3))
            self._convert(self._next)
            self._next += ledger.HOUR
        if over > self._next:
            self._set(over)
            with self._books.owner() as cursor:  # one call: a commit for each hour took a minute
                cursor.execute(CLOSE, (self._next, over))
            self._next = over

    def _convert(self, hour: datetime) -> None:
        with runtime().engine.connect() as connection:
            ledger.close_hour(connection, hour)
            ledger.store_rate(connection, hour, RATE)
            ledger.convert(connection, hour, self._user - 1, self._user)
            connection.commit()

    def _credits(self) -> None:
        """Each kind of entry of a credit."""
        for verb, how, code in (
            (credits.top_up, "card", "GOLD_COIN"),
            (credits.bonus, "level up", "LOYALTY_POINT"),
            (credits.top_up, "card", "DIAMOND"),
        ):
            verb(self._request(code, 100), how)
        credits.spend(self._request("GOLD_COIN", 30))
        hold, _ = holds.hold(self._request("GOLD_COIN", 20), None)
        self._last["hold"] = f"{self._user}-{hold.seq}"
        if self._count % 2:
            gold = assets.get("GOLD_COIN")
            holds.release(holds.Ending(self._client, self._key(), self._user, gold, hold.seq), None)

    def _request(self, code: str, amount: int) -> credits.Request:
        key = self._key()
        return credits.Request(
            self._client, key, self._user, assets.get(code), amount, f"ref-{key}"
        )

    def _key(self) -> str:
        self._count += 1
        return f"busy-{self._count}"

    def _today(self, count: int) -> None:
        """Wins in every hour since eight, the last of them in the hour that runs."""
        day = (self._start + timedelta(days=self._size.days)).replace(hour=0, minute=0)
        hours = range(8, 19)
        for n, hour in enumerate(hours):
            share = count // len(hours) + (n < count % len(hours))
            self._play(day + timedelta(hours=hour, minutes=20), share)

    def _sign_in(self) -> int:
        hashed = passwords.hash_of(PASSWORD)
        with runtime().engine.begin() as connection:
            made = sign_ins.add(connection, "ida@players.example", hashed, user_id=self._user)
        second_factor.begin(made, PASSWORD)  # one of the pages shows its secret
        return made

    def _facts(self) -> dict[str, str]:
        yesterday = self._start + timedelta(days=self._size.days - 1)
        month = (self._start + timedelta(days=self._size.days)).replace(day=1) - timedelta(days=1)
        return {**self._last, "day": f"{yesterday:%Y-%m-%d}", "month": f"{month:%Y-%m}"}


def signed_in(books: Books, sign_in_id: int) -> str:
    """The Cookie header of a browser that somebody is signed in with."""
    app = books.app
    with app.app_context(), runtime().engine.begin() as connection:
        secret = sessions.start(connection, sign_in_id, second_factor=False)
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    value = serializer.dumps({"_user_id": secret, "_fresh": True, "_permanent": True})
    return f"{app.config['SESSION_COOKIE_NAME']}={value}"
