"""What the Python client's tests share: a live server, a client of it, and a server that says what a test wants."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import pytest
from redis import Redis
from sqlalchemy import URL

from dreamland_client import Dreamland, Retries
from portal import create_app
from tests.clients.scripted import Scripted
from tests.concurrency.programs import Programs, programs_for
from tests.concurrency.web import Web
from tests.conftest import settings_for
from tests.factories import Books

QUICK = Retries(attempts=5, deadline_s=20, first_s=0.001, longest_s=0.01)
KEY = "dream_of-a-test"


@dataclass
class Live:
    """A server as in production, its books, and new users."""

    base: str
    key: str
    books: Books
    programs: Programs
    redis_url: str
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def user(self, client: Dreamland) -> str:
        """The id of a new user."""
        name = f"x{next(self.numbers)}"
        return client.create_user(external_id=name, display_name="Ida").id


@pytest.fixture(scope="module")
def live(shared_database: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    settings = settings_for(shared_database, tmp_path_factory.mktemp("clients"))
    app = create_app(settings)
    engine = app.extensions["dreamland"].engine
    with (
        programs_for(settings, tmp_path_factory.mktemp("programs")) as programs,
        closing(Web(programs, app)) as web,
    ):
        base = f"http://127.0.0.1:{web.port}"
        yield Live(base, web.key, Books(engine), programs, settings.redis_url)
    engine.dispose()


@pytest.fixture(scope="module")
def at_noon(live: Live) -> None:
    """It is noon tomorrow, so that no test meets a midnight."""
    today = live.books.now().replace(hour=12, minute=0, second=0, microsecond=0)
    live.books.set_clock(today + timedelta(days=1))


@pytest.fixture(scope="module")
def worker(live: Live) -> None:
    """A worker of the server's, which books its imports."""
    with Redis.from_url(live.redis_url) as redis:
        redis.flushdb()
    live.programs.start("-m", "jobs.worker")


@pytest.fixture
def client(live: Live) -> Iterator[Dreamland]:
    with Dreamland(live.base, live.key) as made:
        yield made


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """A server that does what it is told, request by request."""
    with closing(Scripted()) as made:
        yield made


@pytest.fixture
def caller(scripted: Scripted) -> Iterator[Dreamland]:
    """A client of that server, which waits half a second and tries again at once."""
    with Dreamland(scripted.base, KEY, timeout=0.5, retries=QUICK) as made:
        yield made
