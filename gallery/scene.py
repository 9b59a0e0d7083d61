"""What the pictures show: a few people, their books of seven weeks, and what happened to their accounts.

All of it is made by the services, and the same in every run; at last the clock stands still for good.
"""

<<<<<<< HEAD
from collections.abc import Callable
=======
import random
>>>>>>> main
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pyotp

from bench.stage import Books
from gallery.weeks import NOW, Weeks
from portal import ledger
<<<<<<< HEAD
from portal.ledger.errors import Refused
from portal.pages import rules
from portal.runtime import runtime
from portal.services import audit, clients, fees, users
=======
from portal.ledger import amounts
from portal.ledger.errors import Refused
from portal.services import assets, audit, clients, conversions, credits, holds, users, wins
>>>>>>> main
from portal.services.accounts import (
    deletion,
    links,
    passwords,
    profile,
    second_factor,
    sessions,
    sign_ins,
    signing_in,
)
<<<<<<< HEAD
=======
from portal.services.demo import convert_now
>>>>>>> main

DAYS = 52
PASSWORD = "correct horse battery"  # noqa: S105 - of a demo that is gone a minute later
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36"


@dataclass(frozen=True)
class Scene:
    """Who is in the pictures, and what there is to look at."""

    people: dict[str, int]
    """Sign-ins by who they are in the table of pages; nobody has none."""
    facts: dict[str, str]
    """Entries of Ida's by kind, a day, a month, what links end with."""

    def address(self, template: str) -> str:
        """An address of the table of pages, filled in."""
        return template.format(**self.facts)


def make(books: Books, days: int = DAYS) -> Scene:
    """Fill empty books with some weeks. Needs an app context."""
<<<<<<< HEAD
    weeks = Weeks(books, days)
    weeks.live()
    people, theo = _people(weeks)
    facts = {**weeks.entries, **_mailed(people["ida"]), **_times(books, weeks.ida, days)}
    _office(weeks, people)
    _secured(books, weeks, people, theo)
    weeks.set(NOW)
    return Scene(people, facts)
=======
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
>>>>>>> main


def cookie(books: Books, sign_in_id: int, browser: str = LAPTOP) -> dict[str, str]:
    """The cookie of a browser that somebody is signed in with."""
    app = books.app
    with audit.acting(_actor(sign_in_id, browser)), runtime().engine.begin() as connection:
        secret = sessions.start(connection, sign_in_id, second_factor=True)
    serializer = app.session_interface.get_signing_serializer(app)
    value = serializer.dumps({"_user_id": secret, "_fresh": True, "_permanent": True})
    return {"name": app.config["SESSION_COOKIE_NAME"], "value": value}


<<<<<<< HEAD
def _people(weeks: Weeks) -> tuple[dict[str, int], int]:
    """Sign-ins by who has them, and Theo's number as a user."""
    hashed = passwords.hash_of(PASSWORD)
    noor = users.create("player-4", "Noor Haddad", "Asia/Amman")[0].id
    theo = users.create("player-5", "Theo Brandt", "America/New_York")[0].id
    with runtime().engine.begin() as connection:
        add = partial(sign_ins.add, connection)
        return {
            "nobody": 0,
            "ida": add("ida@players.example", hashed, user_id=weeks.ida),
            "theo": add("theo@players.example", hashed, user_id=theo),
            "newcomer": add("noor@players.example", hashed, user_id=noor),
            "admin": add("grace@dreamland.example", hashed, role="admin", name="Grace Adeyemi"),
        }, theo


def _mailed(ida: int) -> dict[str, str]:
    """What the addresses end with that were sent by mail, a link of each kind."""
    to_staff = {"role": "accountant", "name": "Sam Okafor"}
    with runtime().engine.begin() as connection:
        make_link = partial(links.make, connection)
        made = {
            "link_sign_up": make_link("sign_up", "mira@players.example"),
            "link_known": make_link("sign_up", "player-2@players.example"),
            "link_invitation": make_link("invitation", "sam@dreamland.example", **to_staff),
            "link_reset": make_link("reset", "ida@players.example", sign_in_id=ida),
            "link_email": make_link("email_change", "ida.falk@players.example", sign_in_id=ida),
        }
    return {name: links.address(link).rpartition("/")[2] for name, link in made.items()}


def _times(books: Books, ida: int, days: int) -> dict[str, str]:
    """Ida's last conversion, its day, and the last whole month that has any."""
    with books.owner() as cursor:
        found = "SELECT max(day), max(seq) FROM ledger.entries WHERE kind_id = 2 AND owner_id = %s"
        cursor.execute(found, (ida,))
        day, seq = cursor.fetchone()
    month = NOW.replace(day=1) - timedelta(days=1) if days > NOW.day else NOW
    return {"day": f"{day}", "conversion": f"{ida}-{seq}", "month": f"{month:%Y-%m}"}


def _office(weeks: Weeks, people: dict[str, int]) -> None:
    """What a member of staff did today, and what else the audit log keeps."""
    grace = _actor(people["admin"], LAPTOP, "admin")
    player = _actor(people["ida"], PHONE, "user")
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
    for minutes, (actor, do) in zip((221, 219, 154, 97, 40, 32), doings, strict=True):
        weeks.set(NOW - timedelta(minutes=minutes, seconds=weeks.random.randrange(50)))
        with audit.acting(actor):
            do()


def _secured(books: Books, weeks: Weeks, people: dict[str, int], theo: int) -> None:
    """A second factor begun by Ida, in use by Grace and Theo, who wishes to leave and to move."""
    weeks.set(NOW - timedelta(minutes=25))
    second_factor.begin(people["ida"], PASSWORD)
    _switch_on(people["admin"], _actor(people["admin"], LAPTOP, "admin"))
    weeks.set(NOW - timedelta(minutes=21))
    with audit.acting(_actor(None, PHONE)), suppress(Refused):
        signing_in.check("theo@players.example", "a guess of somebody's")
    with audit.acting(_actor(people["theo"], PHONE, "user")):
        _switch_on(people["theo"], _actor(people["theo"], PHONE, "user"))
        weeks.set(NOW - timedelta(minutes=19))
        profile.change_zone(theo, "Europe/Lisbon")
        weeks.set(NOW - timedelta(minutes=18))
        deletion.ask(people["theo"], PASSWORD)
        cookie(books, people["theo"], PHONE)


def _switch_on(sign_in_id: int, actor: audit.Actor) -> None:
    with audit.acting(actor):
        second_factor.begin(sign_in_id, PASSWORD)
        begun = second_factor.begun(sign_in_id)
        assert begun
        second_factor.confirm(sign_in_id, 0, pyotp.TOTP(begun.secret).now())


def _actor(sign_in_id: int | None, browser: str, role: str | None = None) -> audit.Actor:
    address = "203.0.113.27" if browser == PHONE else "198.51.100.4"
    return audit.Actor("person", sign_in_id, role=role, address=address, browser=browser)
=======
def _actor(sign_in_id: int | None, role: str | None, browser: str) -> audit.Actor:
    address = "203.0.113.27" if browser == PHONE else "198.51.100.4"
    return audit.Actor("person", sign_in_id, None, role, address, browser)
>>>>>>> main
