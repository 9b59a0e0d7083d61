"""Counts: in a real Redis for all processes, in this one's memory while that is away."""

import time
from collections.abc import Iterator

import pytest
from redis import Redis as Client

from local.redis import Redis
from portal import counts
from portal.counts import Counts
from tests.concurrency.programs import eventually

BOOKS = "books"


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis of this module's own, which it may kill."""
    with Redis(tmp_path_factory.mktemp("counts") / "redis") as made:
        yield made


@pytest.fixture
def shared(embedded: Redis) -> Iterator[Redis]:
    """The same, empty and running."""
    embedded.start()
    with Client.from_url(embedded.url) as client:
        client.flushdb()
    yield embedded
    embedded.start()


def test_a_count_is_that_of_all_who_count(shared: Redis) -> None:
    first, second = Counts(shared.url, BOOKS), Counts(shared.url, BOOKS)
    assert first.add("tries", 1, 60) == (1, 60)
    assert second.add("tries", 2, 60)[0] == 3
    first.take_back("tries", 60)
    assert second.add("tries", 1, 60)[0] == 3
    second.clear("tries")
    assert first.add("tries", 1, 60)[0] == 1


def test_other_names_and_other_books_are_counted_apart(shared: Redis) -> None:
    first, second = Counts(shared.url, BOOKS), Counts(shared.url, "others")
    first.add("tries", 5, 60)
    assert first.add("mails", 1, 60)[0] == 1
    assert second.add("tries", 1, 60)[0] == 1


def test_what_is_taken_back_of_a_count_begun_anew_leaves_none(shared: Redis) -> None:
    found = Counts(shared.url, BOOKS)
    found.add("tries", 1, 60)
    found.clear("tries")
    for _ in range(3):
        found.take_back("tries", 60)
    assert found.add("tries", 1, 60) == (1, 60)


def test_a_count_ends_when_its_window_does_counted_from_the_first(shared: Redis) -> None:
    found = Counts(shared.url, BOOKS)
    found.add("tries", 1, 60)
    with Client.from_url(shared.url) as client:
        [key] = client.scan_iter("*tries*")
        client.expire(key, 7)
        assert found.add("tries", 1, 60) == (2, 7)
        client.pexpire(key, 1)
        eventually("Redis forgets", lambda: not client.exists(key))
    assert found.add("tries", 1, 60) == (1, 60)


def test_while_redis_is_away_a_process_counts_by_itself(
    shared: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "LOOK_S", 0.05)
    found = Counts(shared.url, BOOKS)
    found.add("tries", 3, 60)
    shared.kill()
    began = time.monotonic()
    assert [found.add("tries", 1, 60)[0] for _ in range(100)][-1] == 100
    assert time.monotonic() - began < 8 * counts.TIMEOUT_S
    assert not found.is_shared()
    found.clear("tries")
    assert found.add("tries", 1, 60)[0] == 1
    shared.start()
    eventually("Redis counts again", found.is_shared)
    found.add("again", 1, 60)
    with Client.from_url(shared.url) as client:
        assert list(client.scan_iter("*again*"))
