"""pages: how long the server takes for each page of a user with a year behind, in a book of two million postings.

One kept-alive connection asks for all pages in turns, signed in; compressed, as a browser does. The
reference is a page without a database, the sign-in page, asked for in the same turns by a stranger.
"""

import http.client
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from string import Formatter

import pyotp

from bench import busy, processes, stage, weight
from bench.figures import Figure, failed, say
from bench.machine import watched
from gallery import ledgers
from gallery.pages import PAGES
from gallery.shown import Shown
from local.redis import Redis
from portal.runtime import runtime
from portal.services.accounts import passwords, second_factor, sign_ins

REFERENCE = "/sign-in"
OK = 200


@dataclass(frozen=True, slots=True)
class Size:
    """A win of others has two postings. `requests` of each page are measured, after `warm_up`."""

    others: int = 100_000
    entries: int = 1_000_000
    own: int = 10_000
    today: int = 200
    days: int = 365
    requests: int = 250
    warm_up: int = 20


@dataclass(slots=True)
class Page:
    """One page and what was found of it."""

    name: str
    address: str
    headers: Mapping[str, str]
    times_ms: list[float] = field(default_factory=list)
    statements: int = 0
    first_visit: int = 0
    fragment: int | None = None

    def p(self, share: float) -> float:
        """What that share of the requests took at most."""
        ordered = sorted(self.times_ms)
        return ordered[min(len(ordered) - 1, math.floor(share * len(ordered)))]


class Connection:
    """A browser's, kept open."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._connection = http.client.HTTPConnection(*address, timeout=60)
        self.others = 0
        """Answers that were not 200."""

    def get(self, address: str, headers: Mapping[str, str]) -> bytes:
        """The body as it came."""
        self._connection.request("GET", address, headers=dict(headers))
        answer = self._connection.getresponse()
        self.others += answer.status != OK
        return answer.read()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def timed(self, page: Page) -> float:
        """Milliseconds from the request to the last byte of the answer."""
        began = time.perf_counter()
        self.get(page.address, page.headers)
        return (time.perf_counter() - began) * 1000


def run(size: Size) -> Iterator[Figure]:
    """A figure for each page, and at last the slowest one's."""
    with (
        stage.server() as server,
        Redis(server.var / "redis") as redis,
        stage.books(server, REDIS_URL=redis.url) as books,
    ):
        who = busy.write(books, _books_of(size))
        postings = books.ask("SELECT count(*) FROM ledger.postings")
        own = books.ask("SELECT last_seq FROM ledger.owners WHERE owner_id = %s", who.user_id)
        say(f"{postings:,} postings, {own:,} entries of the user")
        pages = _pages(books, who)
        _count_statements(books, pages)
        with processes.web(books, 1, "wsgi:app") as address:
            connection = Connection(address)
            with closing(connection):
                others = _ask(connection, pages, size)
                _weigh(connection, pages)
    yield from _figures(pages, {"other_answers": connection.others}, others)


def _books_of(size: Size) -> busy.Size:
    return busy.Size(size.others, size.entries, size.own, size.today, size.days)


def _pages(books: stage.Books, who: busy.Busy) -> list[Page]:
    """The reference first, then what the user may look at, then what staff may, once each."""
    facts = {**who.facts, **ledgers.facts(books, who.user_id)}
    found = [Page("sign-in", REFERENCE, weight.AS_BROWSERS)]
    for visitor, sign_in_id in (("ida", who.sign_in_id), ("admin", _admin(books))):
        signed_in = {**weight.AS_BROWSERS, "Cookie": busy.signed_in(books, sign_in_id)}
        found += [
            Page(each.name, each.address.format(**facts), signed_in)
            for each in _looked_at(visitor, facts)
        ]
    return found


def _looked_at(visitor: str, facts: Mapping[str, str]) -> list[Shown]:
    """A page of the gallery for each endpoint, of what these books have."""
    found: dict[str, Shown] = {}
    for shown in PAGES:
        needed = {name for _, name, _, _ in Formatter().parse(shown.address) if name}
        if shown.who == visitor and shown.status == OK and needed <= set(facts):
            found.setdefault(shown.endpoint, shown)
    return list(found.values())


def _admin(books: stage.Books) -> int:
    """A member of staff, with the second factor that one must have."""
    with books.app.app_context():
        with runtime().engine.begin() as connection:
            hashed = passwords.hash_of(busy.PASSWORD)
            made = sign_ins.add(connection, "grace@dreamland.example", hashed, role="admin")
        second_factor.begin(made, busy.PASSWORD)
        begun = second_factor.begun(made)
        assert begun
        second_factor.confirm(made, 0, pyotp.TOTP(begun.secret).now())
    return made


def _count_statements(books: stage.Books, pages: list[Page]) -> None:
    """In this process, where they can be seen; the second time, when what is read once was read."""
    client = books.app.test_client(use_cookies=False)
    for page in pages:
        for _ in range(2):
            with weight.statements(books.runtime.engine) as sent:
                client.get(page.address, headers=dict(page.headers))
        page.statements = len(sent)


def _ask(connection: Connection, pages: list[Page], size: Size) -> float:
    """All pages in turns; the part of the machine that others had meanwhile."""
    for _ in range(size.warm_up):
        for page in pages:
            connection.timed(page)
    say(f"{size.requests} times {len(pages)} pages")
    with watched() as share:
        for _ in range(size.requests):
            for page in pages:
                page.times_ms.append(connection.timed(page))
    return share.others


def _weigh(connection: Connection, pages: list[Page]) -> None:
    for page in pages:
        cookie = {name: value for name, value in page.headers.items() if name == "Cookie"}

        def get(
            address: str, headers: Mapping[str, str], cookie: Mapping[str, str] = cookie
        ) -> bytes:
            return connection.get(address, {**headers, **cookie})

        page.first_visit = weight.first_visit(get, page.address)
        page.fragment = weight.fragment(get, page.address)


def _figures(pages: list[Page], checked: dict[str, object], others: float) -> Iterator[Figure]:
    reference, *measured = pages
    say(f"{'page':<20} {'p50 ms':>8} {'p95 ms':>8} {'SQL':>4} {'first visit':>12} {'fragment':>9}")
    for page in pages:
        piece = "" if page.fragment is None else f"{page.fragment:,}"
        say(
            f"{page.name:<20} {page.p(0.5):>8.2f} {page.p(0.95):>8.2f} {page.statements:>4}"
            f" {page.first_visit:>12,} {piece:>9}"
        )
    for page in measured:
        found = {"statements": page.statements, "first_visit_bytes": page.first_visit}
        yield Figure(f"pages-{page.name}", page.p(0.95), "ms, p95", checked=found)
    slowest = max(measured, key=lambda page: page.p(0.95))
    shown = {
        **checked,
        "slowest": slowest.name,
        "most_statements": max(page.statements for page in measured),
        "heaviest_first_visit": max(page.first_visit for page in measured),
        "heaviest_fragment": max(page.fragment or 0 for page in measured),
    }
    yield Figure(
        "pages", slowest.p(0.95), "ms, p95", reference.p(0.95), shown, others, failed(checked)
    )
