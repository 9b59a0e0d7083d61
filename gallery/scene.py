"""What the pictures show: a few people, their books of seven weeks, and what happened to their accounts.

All of it is made by the services, and the same in every run; at last the clock stands still for good.
"""

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pyotp
from redis import Redis

from bench.stage import Books
from gallery import finance, ledgers, office
from gallery.weeks import NOW, Weeks
from portal import ledger
from portal.ledger.errors import Refused
from portal.pages import rules
from portal.runtime import runtime
from portal.services import audit, clients, fees, users
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
    """Entries of Ida's by kind, a day, a month, what links end with, what finance looks at."""

    def address(self, template: str) -> str:
        """An address of the table of pages, filled in."""
        return template.format(**self.facts)


def make(books: Books, days: int = DAYS) -> Scene:
    """Fill empty books with some weeks. Needs an app context."""
    weeks = Weeks(books, days)
    weeks.live()
    people, theo = _people(weeks)
    facts = {**weeks.entries, **_mailed(people["ida"]), **_times(books, weeks.ida, days)}
    facts |= ledgers.facts(books, weeks.ida)
    _office(weeks, people)
    facts |= office.make(weeks, passwords.hash_of(PASSWORD), LAPTOP, _switch_on)
    with closing(Redis.from_url(runtime().settings.redis_url)) as redis:
        redis.flushdb()
        office.jobs(redis)
    _secured(books, weeks, people, theo)
    facts |= finance.make(books, weeks)
    weeks.set(NOW)
    return Scene(people, facts)


def cookie(books: Books, sign_in_id: int, browser: str = LAPTOP) -> dict[str, str]:
    """The cookie of a browser that somebody is signed in with."""
    app = books.app
    with audit.acting(_actor(sign_in_id, browser)), runtime().engine.begin() as connection:
        secret = sessions.start(connection, sign_in_id, second_factor=True)
    serializer = app.session_interface.get_signing_serializer(app)
    value = serializer.dumps({"_user_id": secret, "_fresh": True, "_permanent": True})
    return {"name": app.config["SESSION_COOKIE_NAME"], "value": value}


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
