"""Rate limits: counted in a real Redis by all processes together, and by each alone while it is away."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis as Client

from local.redis import Redis
from portal import counts, create_app
from portal.api import rates
from portal.api.rates import SHARE, WINDOW_S
from portal.counts import TIMEOUT_S, Counts
from portal.services import clients
from tests.api.conftest import Api
from tests.concurrency.programs import eventually

BOOKS = "books"
QUICK_S = 8 * TIMEOUT_S
"""Were Redis waited for each time, it would take some times that, on the busiest machine too."""


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis of this module's own, which it may kill."""
    with Redis(tmp_path_factory.mktemp("rates") / "redis") as made:
        yield made


@pytest.fixture
def shared(embedded: Redis) -> Iterator[Redis]:
    """The same, empty and running."""
    embedded.start()
    with Client.from_url(embedded.url) as client:
        client.flushdb()
    yield embedded
    embedded.start()


class Limiter(rates.Limiter):
    """One with counts of its own, as a process has."""

    def __init__(self, redis_url: str, books: str) -> None:
        self.counts = Counts(redis_url, books)
        super().__init__(self.counts)

    def is_shared(self) -> bool:
        return self.counts.is_shared()


def spend(limiter: Limiter, number: int, limit: int) -> int:
    """How many of so many requests are let through."""
    return sum(limiter.spend(1, limit).is_allowed for _ in range(number))


def spend_elsewhere(url: str, number: int, limit: int) -> int:
    """For a process of its own."""
    return spend(Limiter(url, BOOKS), number, limit)


@pytest.mark.parametrize("limit", [1, 7, 50, 1000])
def test_exactly_the_limit_is_let_through(shared: Redis, limit: int) -> None:
    limiter = Limiter(shared.url, BOOKS)
    assert spend(limiter, 2 * limit, limit) == limit
    assert limiter.is_shared()


def test_processes_share_a_limit_to_within_what_they_have_leased(shared: Redis) -> None:
    limit, processes = 2000, 2
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        asked = [(shared.url, 2 * limit, limit)] * processes
        let_through = pool.starmap(spend_elsewhere, asked, chunksize=1)
    assert limit - processes * (limit // SHARE) <= sum(let_through) <= limit


def test_what_a_slow_client_sends_is_counted_one_by_one(shared: Redis) -> None:
    first, second = (Limiter(shared.url, BOOKS) for _ in range(2))
    assert first.spend(1, 10).remaining == 9
    assert second.spend(1, 10).remaining == 8
    assert first.spend(1, 10).remaining == 7


def test_a_fast_client_asks_redis_once_for_many_requests(shared: Redis) -> None:
    limiter = Limiter(shared.url, BOOKS)
    with Client.from_url(shared.url) as client:
        before = client.info("stats")["total_commands_processed"]
        spend(limiter, 5000, 60_000)
        asked = client.info("stats")["total_commands_processed"] - before
    assert asked < 200


def test_clients_and_books_have_counts_of_their_own(shared: Redis) -> None:
    limiter = Limiter(shared.url, BOOKS)
    assert spend(limiter, 5, 3) == 3
    assert limiter.spend(2, 3).is_allowed
    assert Limiter(shared.url, "other books").spend(1, 3).is_allowed


def test_the_minute_is_told_and_ends(shared: Redis) -> None:
    limiter = Limiter(shared.url, BOOKS)
    spend(limiter, 5, 3)
    standing = limiter.spend(1, 3)
    assert (standing.limit, standing.remaining, standing.is_allowed) == (3, 0, False)
    assert WINDOW_S - 2 <= standing.reset_s <= WINDOW_S
    with Client.from_url(shared.url) as client:
        [key] = client.scan_iter()
        client.pexpire(key, 1)
    eventually("Redis forgets", lambda: Limiter(shared.url, BOOKS).spend(1, 3).is_allowed)
    assert Limiter(shared.url, BOOKS).spend(1, 3).is_allowed


def test_without_redis_a_process_counts_by_itself_and_no_call_waits(shared: Redis) -> None:
    limiter = Limiter(shared.url, BOOKS)
    assert spend(limiter, 3, 10) == 3
    shared.kill()
    began = time.monotonic()
    assert 5 <= spend(limiter, 100, 10) <= 10
    assert time.monotonic() - began < QUICK_S
    assert not limiter.is_shared()
    began = time.monotonic()
    for client in range(2, 200):
        assert limiter.spend(client, 10).is_allowed
    assert time.monotonic() - began < QUICK_S
    shared.start()
    eventually("Redis counts again", limiter.is_shared)
    assert limiter.spend(1000, 10).remaining == 9
    with Client.from_url(shared.url) as client:
        assert list(client.scan_iter("*:1000:*"))


def test_a_redis_that_hangs_is_waited_for_once(shared: Redis) -> None:
    limiter = Limiter(shared.url, BOOKS)
    assert shared.pid
    os.kill(shared.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert spend(limiter, 20, 10) == 10
        assert limiter.spend(2, 10).is_allowed
        assert time.monotonic() - began < QUICK_S
    finally:
        os.kill(shared.pid, signal.SIGCONT)
    eventually("Redis counts again", limiter.is_shared)


def test_a_redis_that_answers_and_takes_no_writes_is_away_until_it_takes_them(
    shared: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(counts, "LOOK_S", 0.05)
    limiter = Limiter(shared.url, BOOKS)
    with Client.from_url(shared.url) as client:
        client.replicaof("127.0.0.1", "1")
        try:
            assert client.ping()
            assert spend(limiter, 20, 10) == 10
            until = time.monotonic() + 10 * counts.LOOK_S
            while time.monotonic() < until:
                assert not limiter.is_shared()
                limiter.spend(2, 10**6)
            assert len(caplog.records) == 1
        finally:
            client.replicaof("NO", "ONE")
    eventually("Redis counts again", limiter.is_shared)
    assert len(caplog.records) == 2


# --- Over HTTP


@pytest.fixture
def limiting(api: Api, shared: Redis) -> Iterator[Api]:
    """The API with a limit of five requests a minute."""
    settings = api.app.extensions["dreamland"].settings
    app = create_app(replace(settings, redis_url=shared.url, rate_limit_per_minute=5))
    yield replace(api, app=app)
    app.extensions["dreamland"].engine.dispose()


def key(api: Api, limit: int | None = None) -> str:
    """A key of a client of its own."""
    name = f"limited-{next(api.numbers)}"
    token = api.key_with("read", "wins:write", client=name)
    with api.app.app_context():
        clients.limit(name, limit)
    return token


def test_every_answer_tells_what_is_left_and_the_one_too_many_is_429(limiting: Api) -> None:
    token = key(limiting)
    answers = [limiting.get("/assets", token=token) for _ in range(3)]
    answers.append(limiting.get("/nowhere", token=token))  # no key is looked at: not counted
    answers.append(limiting.get("/users/999999/stats", token=token))
    answers.append(limiting.post("/users", {}, token=token))
    told = [answer.headers.get("RateLimit", "").partition(";t=")[0] for answer in answers]
    assert told == [
        '"default";r=4',
        '"default";r=3',
        '"default";r=2',
        "",
        '"default";r=1',
        '"default";r=0',
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 404, 404, 403]
    assert answers[0].headers["RateLimit-Policy"] == '"default";q=5;w=60'
    before = limiting.rows()
    refused = limiting.post("/users/1/wins", limiting.win(), key="k", token=token)
    assert (refused.status_code, refused.json["code"]) == (429, "rate_limited")
    assert (refused.json["limit"], refused.json["remaining"]) == ("5", "0")
    assert 0 < int(refused.headers["Retry-After"]) <= WINDOW_S
    assert refused.headers["RateLimit"] == f'"default";r=0;t={refused.headers["Retry-After"]}'
    assert limiting.rows() == before


def test_a_client_may_have_a_limit_of_its_own_or_none(limiting: Api) -> None:
    own, none = key(limiting, 1), key(limiting, 0)
    assert [limiting.get("/assets", token=own).status_code for _ in range(2)] == [200, 429]
    free = [limiting.get("/assets", token=none) for _ in range(20)]
    assert {answer.status_code for answer in free} == {200}
    assert not any("RateLimit" in answer.headers for answer in free)


def test_the_rate_of_one_client_is_no_other_ones(limiting: Api) -> None:
    busy, quiet = key(limiting, 1), key(limiting, 1)
    for _ in range(3):
        limiting.get("/assets", token=busy)
    assert limiting.get("/assets", token=quiet).status_code == 200


def test_two_keys_of_a_client_share_its_rate(limiting: Api) -> None:
    tokens = [limiting.key_with("read", client="two-keys") for _ in range(2)]
    with limiting.app.app_context():
        clients.limit("two-keys", 2)
    statuses: list[Any] = [limiting.get("/assets", token=token).status_code for token in tokens * 2]
    assert statuses == [200, 200, 429, 429]


def test_a_call_without_a_key_or_from_elsewhere_spends_nothing(limiting: Api) -> None:
    token = key(limiting, 1)
    for _ in range(3):
        assert limiting.get("/assets", token="dream_wrong").status_code == 401
    assert limiting.get("/assets", token=token).status_code == 200


def test_the_end_of_a_minute_spends_nothing_in_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last half second is asked for one at a time, however large the leases had become."""
    monkeypatch.setattr(rates, "WINDOW_S", 2)
    limiter = Limiter("redis://127.0.0.1:1/0", "nobody")
    until, asked = time.monotonic() + 5, 0
    while time.monotonic() < until:
        assert limiter.spend(1, 10**8).is_allowed
        asked += 1
    assert asked > 1000
