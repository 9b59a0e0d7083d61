"""What the pictures show: a few people and seven weeks of their books, the same to the microsecond.

Booked by the services, on a clock that stands still between any two events and, at last, for good.
"""

import random
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import pyotp

from bench.stage import Books
from portal import ledger
from portal.ledger import amounts
from portal.ledger.errors import Refused
from portal.services import assets, audit, clients, conversions, credits, holds, users, wins
from portal.services.accounts import (
    deletion,
    invitations,
    links,
    passwords,
    profile,
    second_factor,
    sessions,
    sign_ins,
    signing_in,
)
from portal.services.demo import convert_now

NOW = datetime(2026, 11, 21, 14, 26, 12, 480_517, tzinfo=UTC)
DAYS = 52
PASSWORD = "correct horse battery"  # noqa: S105 - of a demo that is gone a minute later
GAMES = ("maze", "gem-rush", "sky-race")
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36"
CLOCK = """
CREATE OR REPLACE FUNCTION ledger.clock() RETURNS timestamptz
LANGUAGE sql VOLATILE SET search_path = ledger, pg_temp AS $$ SELECT timestamptz '{at}' $$
"""


@dataclass(frozen=True)
class Scene:
    """Who is in the pictures, and what there is to look at."""

    people: dict[str, int]
    """Sign-ins by who they are in the table of pages; nobody has none."""
    facts: dict[str, str]
    """Entries of Ida's by kind, a day, a month, addresses of links."""

    def address(self, template: str) -> str:
        """An address of the table of pages, filled in."""
        return template.format(**self.facts)


def make(books: Books, days: int = DAYS) -> Scene:
    """Fill empty books with some weeks. Needs an app context."""
    return _Making(books, days).scene()


class _Making:
    """The making of a scene: a clock moved by hand, and random numbers that are always the same."""

    def __init__(self, books: Books, days: int) -> None:
        self._books, self._days = books, days
        self._random = random.Random(5)
        self._count = 0
        self._at = NOW - timedelta(days=days)
        self._entries: dict[str, str] = {}

    def scene(self) -> Scene:
        self._set(self._at)
        clients.create_key("arcade", clients.SCOPES)
        self._client = clients.named("arcade")
        self._ida = users.create("player-1", "Ida Falk", "Europe/Berlin", "ida@players.example")[
            0
        ].id
        others = [users.create(f"player-{n}", f"Player {n}", "UTC")[0].id for n in (2, 3)]
        for day in range(self._days):
            self._day(self._ida, self._start_of(day), others)
        self._today()
        return self._people()

    def _start_of(self, day: int) -> datetime:
        began = NOW - timedelta(days=self._days - day)
        return began.replace(hour=7, minute=0, second=0, microsecond=0)

    def _set(self, at: datetime) -> None:
        self._at = at
        with self._books.owner() as cursor:
            cursor.execute(CLOCK.format(at=at.isoformat()))

    def _go(self, at: datetime) -> None:
        """On to a time, converting what was won a few seconds after the end of its hour."""
        ended = self._at.replace(minute=0, second=0, microsecond=0) + ledger.HOUR
        if ended <= at:
            self._set(ended + timedelta(seconds=4, microseconds=self._random.randrange(10**6)))
            conversions.convert_due(convert_now, wait=True)
        self._set(at)
        conversions.convert_due(convert_now, wait=True)

    def _day(self, ida: int, start: datetime, others: list[int]) -> None:
        """Some wins in the morning and the evening; credits now and then."""
        if self._random.random() < 0.12:  # a day without games
            return
        for hour in sorted(self._random.sample(range(15), self._random.randrange(2, 6))):
            self._go(start + timedelta(hours=hour, minutes=self._random.randrange(40)))
            for _ in range(self._random.randrange(1, 4)):
                self._win(ida, self._random.randrange(10**15, 4 * 10**17))
            self._win(self._random.choice(others), self._random.randrange(10**15, 10**17))
        self._credits()

    def _credits(self) -> None:
        if self._random.random() < 0.3:
            self._post("top_up", "GOLD_COIN", "500", "card")
        if self._random.random() < 0.5:
            self._post("bonus", "LOYALTY_POINT", "12.5", "three days in a row")
        if self._random.random() < 0.4 and "top_up" in self._entries:
            self._post("spend", "GOLD_COIN", str(self._random.randrange(20, 180)), None)

    def _today(self) -> None:
        """A lively Saturday in Berlin, the last win two minutes ago."""
        start = self._start_of(self._days)
        for minute in (22, 31, 78, 84, 190, 203, 214, 266, 301, 330):
            self._go(start + timedelta(minutes=minute, seconds=self._random.randrange(50)))
            self._win(self._ida, self._random.randrange(10**16, 5 * 10**17))
        self._go(start + timedelta(minutes=340))
        self._post("top_up", "DIAMOND", "25", "card")
        self._post("top_up", "GOLD_COIN", "1000", "card")
        gold = assets.get("GOLD_COIN")
        held, _ = holds.hold(self._request("GOLD_COIN", "200", "tournament-9"), None)
        self._entries["hold"] = f"{self._ida}-{held.seq}"
        holds.hold(self._request("GOLD_COIN", "150", "tournament-8"), None)
        ended = holds.Ending(self._client, self._key(), self._ida, gold, held.seq)
        self._go(start + timedelta(minutes=380))
        paid, _ = holds.capture(ended, 150, "tournament-9", "Entry fee of the autumn tournament")
        self._entries["capture"] = f"{self._ida}-{paid.seq}"
        wrong = self._post("spend", "GOLD_COIN", "80", None)
        credits.reverse(self._client, self._key(), self._ida, wrong, "ordered twice")
        for minute in (402, 431, 444):
            self._go(start + timedelta(minutes=minute, seconds=self._random.randrange(50)))
            self._win(self._ida, self._random.randrange(10**16, 3 * 10**17))
        self._go(NOW)

    def _key(self) -> str:
        self._count += 1
        return f"gallery-{self._count}"

    def _win(self, user_id: int, units: int) -> None:
        self._set(self._at + timedelta(microseconds=self._random.randrange(2 * 10**6)))
        at = self._at - timedelta(seconds=self._random.randrange(1, 40))
        game = self._random.choice(GAMES)
        request = wins.WinRequest(
            user_id, self._key(), units, at, game, f"round-{4000 + self._count}"
        )
        outcome = wins.book(self._client, request)
        if user_id == self._ida and outcome.seq:
            self._entries["win"] = f"{user_id}-{outcome.seq}"

    def _request(self, code: str, amount: str, reference: str) -> credits.Request:
        asset = assets.get(code)
        units = amounts.parse(amount, asset.scale)
        return credits.Request(self._client, self._key(), self._ida, asset, units, reference)

    def _post(self, kind: str, code: str, amount: str, how: str | None) -> int:
        self._set(self._at + timedelta(seconds=self._random.randrange(5, 90)))
        request = self._request(code, amount, f"{kind.replace('_', '-')}-{7000 + self._count}")
        verb = {"top_up": credits.top_up, "bonus": credits.bonus}.get(kind)
        made = verb(request, how) if verb else credits.spend(request)
        self._entries[kind] = f"{self._ida}-{made.seq}"
        return made.seq

    def _people(self) -> Scene:
        """Their sign-ins, and what each has done with it; then the clock stands still for good."""
        hashed = passwords.hash_of(PASSWORD)
        noor = users.create("player-4", "Noor Haddad", "Asia/Amman")[0].id
        theo = users.create("player-5", "Theo Brandt", "America/New_York")[0].id
        with self._books.runtime.engine.begin() as connection:
            add = partial(sign_ins.add, connection)
            people = {
                "nobody": 0,
                "ida": add("ida@players.example", hashed, user_id=self._ida),
                "theo": add("theo@players.example", hashed, user_id=theo),
                "newcomer": add("noor@players.example", hashed, user_id=noor),
                "admin": add("grace@dreamland.example", hashed, role="admin", name="Grace Adeyemi"),
            }
        paths = self._links(people)
        self._security(people, theo)
        self._set(NOW)
        return Scene(people, {**self._entries, **paths, **self._times()})

    def _links(self, people: dict[str, int]) -> dict[str, str]:
        """A link of each kind, as the path that a mail names."""
        with audit.acting(_actor(people["admin"], "admin", LAPTOP)):
            invited = invitations.invite_staff("sam@dreamland.example", "accountant", "Sam Okoro")
        with self._books.runtime.engine.begin() as connection:
            noor = {"sign_in_id": people["newcomer"]}
            made = {
                "sign_up": links.make(connection, "sign_up", "mira@players.example"),
                "reset": links.make(connection, "reset", "noor@players.example", **noor),
                "email_change": links.make(connection, "email_change", "noor@mail.example", **noor),
            }
        found = {kind: urlsplit(links.address(link)).path for kind, link in made.items()}
        return {**found, "invitation": urlsplit(invited).path}

    def _security(self, people: dict[str, int], theo: int) -> None:
        """What the audit log has to tell, and what Theo looks after."""
        for who in ("ida", "admin"):
            second_factor.begin(people[who], PASSWORD)
        self._switch_on(people["admin"], "admin")
        with audit.acting(_actor(people["admin"], "admin", LAPTOP)):
            clients.create_key("tournaments", ["read", "wins:write"])
            clients.limit("tournaments", 1200)
        with audit.acting(_actor(None, None, PHONE)), suppress(Refused):
            signing_in.check("theo@players.example", "a guess of somebody's")
        with audit.acting(_actor(people["theo"], "user", PHONE)):
            second_factor.begin(people["theo"], PASSWORD)
            self._switch_on(people["theo"], "user")
            deletion.ask(people["theo"], PASSWORD)
            profile.change_zone(theo, "Europe/Lisbon")
            cookie(self._books, people["theo"], PHONE)

    def _switch_on(self, sign_in_id: int, role: str) -> None:
        begun = second_factor.begun(sign_in_id)
        assert begun
        with audit.acting(_actor(sign_in_id, role, LAPTOP)):
            second_factor.confirm(sign_in_id, 0, pyotp.TOTP(begun.secret).now())
        self._set(self._at + timedelta(minutes=1))

    def _times(self) -> dict[str, str]:
        """A day with conversions, and the month before."""
        with self._books.owner() as cursor:
            found = (
                "SELECT max(day), max(seq) FROM ledger.entries WHERE kind_id = 2 AND owner_id = %s"
            )
            cursor.execute(found, (self._ida,))
            day, seq = cursor.fetchone()
        month = NOW.replace(day=1) - timedelta(days=1 if self._days > NOW.day else -1)
        return {"day": f"{day}", "conversion": f"{self._ida}-{seq}", "month": f"{month:%Y-%m}"}


def cookie(books: Books, sign_in_id: int, browser: str = LAPTOP) -> dict[str, str]:
    """The cookie of a browser that somebody is signed in with."""
    app = books.app
    with (
        audit.acting(_actor(sign_in_id, "user", browser)),
        books.runtime.engine.begin() as connection,
    ):
        secret = sessions.start(connection, sign_in_id, second_factor=True)
    serializer = app.session_interface.get_signing_serializer(app)
    value = serializer.dumps({"_user_id": secret, "_fresh": True, "_permanent": True})
    return {"name": app.config["SESSION_COOKIE_NAME"], "value": value}


def _actor(sign_in_id: int | None, role: str | None, browser: str) -> audit.Actor:
    address = "203.0.113.27" if browser == PHONE else "198.51.100.4"
    return audit.Actor("person", sign_in_id, None, role, address, browser)
