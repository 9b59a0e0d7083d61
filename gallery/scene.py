"""What the pictures show: a few people and seven weeks of their books, the same to the microsecond.

Booked by the services, on a clock that stands still between any two events and, at last, for good.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from bench.stage import Books
from portal import ledger
from portal.ledger import amounts
from portal.pages import rules
from portal.runtime import runtime
from portal.services import assets, audit, clients, conversions, credits, fees, holds, users, wins
from portal.services.accounts import links, passwords, sessions, sign_ins
from portal.services.demo import convert_now
from portal.services.models import SignIn

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
    """Who is in the pictures, and which of their entries."""

    ida: int
    """Sign-in of a user with a long history."""
    newcomer: int
    """Sign-in of a user with nothing yet."""
    admin: int
    """Sign-in of a member of staff who may do everything."""
    entries: dict[str, str]
    """Ids of entries of Ida's, by kind."""

    def people(self) -> dict[str, int]:
        """Sign-ins by who they are in the table of pages; nobody has none."""
        return {"nobody": 0, "ida": self.ida, "newcomer": self.newcomer, "admin": self.admin}

    def address(self, template: str) -> str:
        """An address of the table of pages, filled in."""
        return template.format(**self.entries)


def make(books: Books) -> Scene:
    """Fill empty books. Needs an app context."""
    return _Making(books).scene()


class _Making:
    """The making of a scene: a clock moved by hand, and random numbers that are always the same."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._random = random.Random(5)
        self._count = 0
        self._at = NOW - timedelta(days=DAYS)
        self._entries: dict[str, str] = {}

    def scene(self) -> Scene:
        self._set(self._at)
        self._client = clients.create_key("arcade", clients.SCOPES) and clients.named("arcade")
        self._ida = users.create("player-1", "Ida Falk", "Europe/Berlin", "ida@players.example")[
            0
        ].id
        others = [
            users.create(f"player-{n}", f"Player {n}", "UTC", f"player-{n}@players.example")[0].id
            for n in (2, 3)
        ]
        for day in range(DAYS):
            self._day(self._ida, self._start_of(day), others)
        self._today()
        return self._people()

    def _start_of(self, day: int) -> datetime:
        began = NOW - timedelta(days=DAYS - day)
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
        start = self._start_of(DAYS)
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
        holds.capture(ended, 150, "tournament-9", "Entry fee of the autumn tournament")
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
        """Their sign-ins."""
        hashed = passwords.hash_of(PASSWORD)
        new = users.create("player-4", "Noor Haddad", "Asia/Amman")[0].id
        with self._books.runtime.engine.begin() as connection:
            ida = sign_ins.add(connection, "ida@players.example", hashed, user_id=self._ida)
            noor = sign_ins.add(connection, "noor@players.example", hashed, user_id=new)
            admin = sign_ins.add(
                connection, "grace@dreamland.example", hashed, role="admin", name="Grace Adeyemi"
            )
            given = (
                update(SignIn).where(SignIn.id == admin).values(totp_since=ledger.now(connection))
            )
            connection.execute(given)  # staff who may change anything have a second factor
        self._entries |= _mailed(ida)
        self._office(admin, ida)
        return Scene(ida, noor, admin, self._entries)

    def _office(self, admin: int, ida: int) -> None:
        """What a member of staff did today, and what else the audit log keeps."""
        grace, player = _actor(admin, LAPTOP, "admin"), _actor(ida, PHONE, "user")
        root = audit.Actor("command_line", name="deploy@portal-1")
        cheaper = fees.FeeRule("conversion", NOW + 10 * ledger.HOUR, "exchange", 0, 90)
        doings: tuple[tuple[audit.Actor, Callable[[], object]], ...] = (
            (root, lambda: clients.create_key("studio", ["read", "wins:write"])),
            (root, lambda: fees.add_rule(cheaper)),
            (grace, lambda: clients.set_limits("studio", games=["maze"], rate_limit=6000)),
            (player, lambda: rules.tell_refusal("pages.audit", "GET")),
            (grace, lambda: clients.set_limits("studio", games=["maze", "sky-race"])),
            (root, lambda: clients.revoke_all("studio")),
        )
        for minutes, (actor, do) in zip((221, 219, 154, 97, 40, 12), doings, strict=True):
            self._set(NOW - timedelta(minutes=minutes, seconds=self._random.randrange(50)))
            with audit.acting(actor):
                do()
        self._set(NOW)


def _mailed(ida: int) -> dict[str, str]:
    """What the addresses end with that were sent by mail, a link of each kind."""
    to_staff = {"role": "accountant", "name": "Sam Okafor"}
    with runtime().engine.begin() as connection:
        made = {
            "link_sign_up": links.make(connection, "sign_up", "mira@players.example"),
            "link_known": links.make(connection, "sign_up", "player-2@players.example"),
            "link_invitation": links.make(
                connection, "invitation", "sam@dreamland.example", **to_staff
            ),
            "link_reset": links.make(connection, "reset", "ida@players.example", sign_in_id=ida),
            "link_email": links.make(
                connection, "email_change", "ida.falk@players.example", sign_in_id=ida
            ),
        }
    return {name: links.address(link).rpartition("/")[2] for name, link in made.items()}


def cookie(books: Books, sign_in_id: int) -> dict[str, str]:
    """The cookie of a browser that somebody is signed in with."""
    app = books.app
    with audit.acting(_actor(sign_in_id, LAPTOP)), books.runtime.engine.begin() as connection:
        secret = sessions.start(connection, sign_in_id, second_factor=True)
    serializer = app.session_interface.get_signing_serializer(app)
    value = serializer.dumps({"_user_id": secret, "_fresh": True, "_permanent": True})
    return {"name": app.config["SESSION_COOKIE_NAME"], "value": value}


def _actor(sign_in_id: int, browser: str, role: str | None = None) -> audit.Actor:
    address = "203.0.113.27" if browser == PHONE else "198.51.100.4"
    return audit.Actor("person", sign_in_id, role=role, address=address, browser=browser)
