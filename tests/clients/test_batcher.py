"""The batcher: in order for each user, back-pressure, and nothing dropped without a word."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from dreamland_client import (
    Batcher,
    BatcherFailed,
    DailyLimitExceeded,
    Dreamland,
    Forbidden,
    NewWin,
    NoAnswer,
    Result,
)
from tests.clients.conftest import KEY, Live
from tests.clients.scripted import Asked, Scripted, Step, closes, cuts, hangs, refuses, says
from tests.concurrency.programs import eventually

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def win(number: int, user: str = "1", at: datetime = AT, game: str = "maze") -> NewWin:
    return NewWin(user, "0.001", at, game, f"r{number}", f"k{number}")


def booked(asked: Asked) -> dict[str, Any]:
    """What a server says that posts all it is sent."""
    items = asked.json()["wins"]
    results = [
        {
            "index": index,
            "status": "posted",
            "win": {
                "entry_id": f"1-{index}",
                "user_id": item["user_id"],
                "asset": "DREAM",
                "amount": item["amount"],
                "occurred_at": item["occurred_at"],
                "booked_at": item["occurred_at"],
                "day": "2026-03-02",
                "game": item["game"],
                "reference": item["reference"],
            },
        }
        for index, item in enumerate(items)
    ]
    return {"results": results, "posted": len(items), "replayed": 0, "rejected": 0}


def books(server: Scripted, connection: Any, asked: Asked) -> bool:
    """Post all."""
    return says(200, booked(asked))(server, connection, asked)


class Held:
    """A step that waits until the test lets it go."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, server: Scripted, connection: Any, asked: Asked) -> bool:
        self.begun.set()
        self.go.wait(30)
        return books(server, connection, asked)


class Seen:
    """What a callback was told."""

    def __init__(self) -> None:
        self.results: list[tuple[NewWin, Result]] = []

    def __call__(self, win: NewWin, result: Result) -> None:
        self.results.append((win, result))

    def keys(self) -> list[str]:
        return [win.idempotency_key for win, _ in self.results]


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def patient(scripted: Scripted) -> Iterator[Dreamland]:
    with Dreamland(scripted.base, KEY, timeout=0.5) as made:
        yield made


def keys_of(scripted: Scripted) -> list[list[str]]:
    return [[each["idempotency_key"] for each in a.json()["wins"]] for a in scripted.asked]


@pytest.mark.usefixtures("at_noon")
def test_wins_are_booked_and_each_result_is_told(live: Live, seen: Seen) -> None:
    with Dreamland(live.base, live.key) as client:
        users = [live.user(client) for _ in range(7)]
        now = live.books.now()
        with client.batcher(seen, max_items=100) as batcher:
            for number in range(1000):
                batcher.add(win(number, users[number % 7], now))
            batcher.win(
                user_id=users[0],
                amount=5,
                occurred_at=now,
                game="maze",
                reference="too much",
                idempotency_key="over",
            )
        assert seen.keys() == [*(f"k{n}" for n in range(1000)), "over"]
        assert {result.status for _, result in seen.results[:-1]} == {"posted"}
        assert isinstance(seen.results[-1][1].error, DailyLimitExceeded)
        references = [each.reference for each in client.wins_today(users[3])]
        assert references == [f"r{n}" for n in range(1000) if n % 7 == 3][::-1]


@pytest.mark.usefixtures("at_noon")
def test_several_senders_keep_the_order_of_each_user(live: Live, seen: Seen) -> None:
    with Dreamland(live.base, live.key) as client:
        users = [live.user(client) for _ in range(20)]
        now = live.books.now()
        with client.batcher(seen, max_items=20, senders=4) as batcher:
            for number in range(1000):
                batcher.add(win(number, users[number % 20], now))
        assert len(seen.results) == 1000
        for place, user in enumerate(users):
            mine = [f"r{n}" for n in range(1000) if n % 20 == place]
            assert [each.reference for each in client.wins_today(user)] == mine[::-1]


def test_a_few_wins_wait_for_more_no_longer_than_said(
    scripted: Scripted, patient: Dreamland, seen: Seen
) -> None:
    scripted.will(books)
    with patient.batcher(seen, max_wait_s=0.2) as batcher:
        began = time.monotonic()
        for number in range(3):
            batcher.add(win(number))
        eventually("they are told", lambda: len(seen.results) == 3)
        assert 0.15 < time.monotonic() - began < 5
    assert keys_of(scripted) == [["k0", "k1", "k2"]]


def test_flush_waits_for_all_so_far_and_no_longer_than_it_must(
    scripted: Scripted, patient: Dreamland, seen: Seen
) -> None:
    scripted.will(books)
    with patient.batcher(seen, max_wait_s=60) as batcher:
        for number in range(3):
            batcher.add(win(number))
        batcher.flush()
        assert seen.keys() == ["k0", "k1", "k2"]
        batcher.add(win(3))
    assert seen.keys()[3:] == ["k3"]


UNSURE: dict[str, Step] = {
    "hangs": hangs,
    "closes": closes,
    "cuts": cuts,
    "is unavailable": refuses(503, "unavailable"),
    "limits": refuses(429, "rate_limited"),
    "has a fault": refuses(500, "internal_error"),
}


@pytest.mark.parametrize("name", UNSURE)
def test_a_batch_without_an_answer_is_sent_again_with_its_keys(
    scripted: Scripted, patient: Dreamland, seen: Seen, name: str
) -> None:
    scripted.will(UNSURE[name], UNSURE[name], books)
    with patient.batcher(seen, max_items=2) as batcher:
        for number in range(4):
            batcher.add(win(number))
    assert keys_of(scripted) == [["k0", "k1"]] * 3 + [["k2", "k3"]]
    assert seen.keys() == ["k0", "k1", "k2", "k3"]


def test_a_caller_that_is_faster_than_the_server_waits(scripted: Scripted, seen: Seen) -> None:
    held = Held()
    scripted.will(held)
    added: list[int] = []

    with Dreamland(scripted.base, KEY, timeout=30) as client:
        batcher = client.batcher(seen, max_items=5, capacity=10)

        def add() -> None:
            for number in range(30):
                batcher.add(win(number))
                added.append(number)

        adding = threading.Thread(target=add)
        adding.start()
        assert held.begun.wait(10)
        eventually("there is no more room", lambda: len(added) == 10)
        assert not seen.results
        held.go.set()
        adding.join(30)
        batcher.close()
    assert seen.keys() == [f"k{n}" for n in range(30)]


def test_a_batch_is_never_longer_than_the_server_takes(
    scripted: Scripted, patient: Dreamland, seen: Seen
) -> None:
    scripted.will(books)
    with patient.batcher(seen, max_items=1000) as batcher:
        for number in range(900):
            batcher.add(win(number, game="ж" * 200))
    assert len(seen.results) == 900
    assert len(scripted.asked) > 1
    assert max(len(asked.body) for asked in scripted.asked) <= 1024 * 1024


def test_a_permanent_refusal_reaches_the_caller_with_every_win_that_is_left(
    scripted: Scripted, patient: Dreamland, seen: Seen
) -> None:
    scripted.will(books, refuses(403, "forbidden"))
    batcher = patient.batcher(seen, max_items=2)
    batcher.add(win(0))
    batcher.add(win(1))
    batcher.flush()
    batcher.add(win(2))
    with pytest.raises(BatcherFailed) as raised:
        batcher.flush()
    assert isinstance(raised.value.__cause__, Forbidden)
    assert [each.idempotency_key for each in raised.value.unfinished] == ["k2"]
    with pytest.raises(BatcherFailed, match="forbidden"):
        batcher.add(win(3))
    with pytest.raises(BatcherFailed):
        batcher.close()
    assert seen.keys() == ["k0", "k1"]


def test_an_answer_that_is_not_of_this_batch_stops_it(
    scripted: Scripted, patient: Dreamland, seen: Seen
) -> None:
    scripted.will(says(200, {"results": []}))
    batcher = patient.batcher(seen)
    batcher.add(win(0))
    with pytest.raises(BatcherFailed, match="one result a win") as raised:
        batcher.close()
    assert len(raised.value.unfinished) == 1
    assert not seen.results


def test_a_callback_that_raises_stops_it_and_its_win_is_among_the_unfinished(
    scripted: Scripted, patient: Dreamland
) -> None:
    scripted.will(books)
    told: list[str] = []

    def callback(win: NewWin, _: Result) -> None:
        if win.idempotency_key == "k1":
            raise RuntimeError("the disk is full")
        told.append(win.idempotency_key)

    batcher = patient.batcher(callback)
    for number in range(4):
        batcher.add(win(number))
    with pytest.raises(BatcherFailed) as raised:
        batcher.close()
    assert isinstance(raised.value.__cause__, RuntimeError)
    assert told == ["k0"]
    assert [each.idempotency_key for each in raised.value.unfinished] == ["k1", "k2", "k3"]


def test_a_callback_may_add_a_win_though_there_is_no_room(
    scripted: Scripted, patient: Dreamland, seen: Seen
) -> None:
    scripted.will(books)
    made: list[Batcher] = []

    def callback(told: NewWin, result: Result) -> None:
        seen(told, result)
        if len(told.idempotency_key) < 4:
            made[0].add(win(int(told.idempotency_key[1:]) + 100))

    with patient.batcher(callback, max_items=2, capacity=2) as batcher:
        made.append(batcher)
        for number in range(10):
            batcher.add(win(number))
        batcher.flush()
    assert sorted(seen.keys()) == sorted(f"k{n}" for n in [*range(10), *range(100, 110)])


def test_a_server_away_for_longer_than_its_patience_stops_it(
    scripted: Scripted, patient: Dreamland, seen: Seen
) -> None:
    scripted.close()
    batcher = patient.batcher(seen, patience_s=0.5)
    batcher.add(win(0))
    with pytest.raises(BatcherFailed) as raised:
        batcher.close()
    assert isinstance(raised.value.__cause__, NoAnswer)
    assert [each.idempotency_key for each in raised.value.unfinished] == ["k0"]


def test_closing_in_a_given_time_tells_what_is_left(scripted: Scripted, seen: Seen) -> None:
    held = Held()
    scripted.will(held)
    with Dreamland(scripted.base, KEY, timeout=30) as client:
        batcher = client.batcher(seen)
        batcher.add(win(0))
        with pytest.raises(BatcherFailed, match="time ran out") as raised:
            batcher.close(timeout=0.2)
        assert [each.idempotency_key for each in raised.value.unfinished] == ["k0"]
        held.go.set()
        batcher.close()
    assert seen.keys() == ["k0"]


def test_a_block_that_raises_sends_what_it_was_given(
    scripted: Scripted, patient: Dreamland, seen: Seen
) -> None:
    scripted.will(books)

    def play() -> None:
        with patient.batcher(seen, max_wait_s=60) as batcher:
            batcher.add(win(0))
            raise KeyError

    with pytest.raises(KeyError):
        play()
    assert seen.keys() == ["k0"]


def test_a_closed_batcher_takes_no_more(patient: Dreamland, seen: Seen) -> None:
    batcher: Batcher = patient.batcher(seen)
    batcher.close()
    batcher.close()
    with pytest.raises(ValueError, match="closed"):
        batcher.add(win(0))


def test_a_win_that_can_not_be_sent_is_refused_where_it_is_made(
    scripted: Scripted, patient: Dreamland, seen: Seen
) -> None:
    with patient.batcher(seen) as batcher:
        with pytest.raises(TypeError, match="an amount is"):
            batcher.win(
                user_id="1",
                amount=0.5,  # type: ignore[arg-type]
                occurred_at=AT,
                game="maze",
                reference="r",
                idempotency_key="k",
            )
        with pytest.raises(TypeError, match="user_id"):
            NewWin(1, "1", AT, "maze", "r", "k")  # type: ignore[arg-type]
    assert not scripted.asked


@pytest.mark.parametrize("wrong", [{"max_items": 0}, {"max_items": 1001}, {"senders": 0}])
def test_limits_that_can_not_be_are_refused(patient: Dreamland, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="wins a batch"):
        patient.batcher(print, **wrong)
