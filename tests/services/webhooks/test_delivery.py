"""Delivery: every event at least once, each user's in order, whatever the receiver does."""

import time
from contextvars import copy_context
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from portal.ledger.events import START
from portal.services import clients, events, locks
from portal.services.webhooks import delivery, endpoints, signing
from portal.services.webhooks.backoff import STEPS, pause
from portal.services.webhooks.claims import Claims
from portal.services.webhooks.senders import DOWN
from tests.concurrency.programs import eventually
from tests.factories import Books
from tests.receiver import Message, Receiver
from tests.services.webhooks.conftest import Hook, bonuses

pytestmark = pytest.mark.usefixtures("context")
HOUR = timedelta(hours=1)
END_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND classid = :class AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

BREAK = """
INSERT INTO webhook_stalls (endpoint_id, owner_id, seq, attempts, since, next_at, last_failure)
VALUES (:id, 1, 1, 1, '20000-01-01', '2000-01-01', '')
"""
MEND = "DELETE FROM webhook_stalls WHERE endpoint_id = :id"


def test_a_message_is_the_feeds_event_and_says_so_in_standard_headers(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    owner = books.owner()
    books.win(owner, "0.5")
    hook.deliver()
    [message] = receiver.taken
    told, _ = events.told(START, events.Interest(), 50)
    assert [message.event] == told
    assert message.id == message.headers["webhook-id"] == f"{owner}-1"
    assert message.headers["content-type"] == "application/json"
    assert message.handler.path == "/hooks?of=dreamland"
    assert message.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_events_of_many_users_arrive_once_each_users_in_order(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    owners = [books.owner() for _ in range(5)]
    for _ in range(45):
        books.post(*(books.entry("bonus", owner, "1", asset="GOLD_COIN") for owner in owners))
    hook.deliver()
    assert len(receiver.taken) == 225
    for owner in owners:
        assert [m.seq for m in receiver.taken if m.user == owner] == list(range(1, 46))
    assert endpoints.behind(hook.now()) == 0
    assert receiver.connections <= 9


def test_events_booked_before_an_endpoint_was_made_are_not_sent(
    books: Books, receiver: Receiver
) -> None:
    owner = books.owner()
    bonuses(books, owner, 2)
    hook = Hook(books, receiver)
    bonuses(books, owner)
    hook.deliver()
    assert receiver.seqs(owner) == [3]


def test_an_endpoint_is_sent_the_types_it_wants(books: Books, receiver: Receiver) -> None:
    hook = Hook(books, receiver, ["win.booked"])
    owner = books.owner()
    bonuses(books, owner, 3)
    books.win(owner, "0.1")
    hook.deliver()
    assert [message.event["type"] for message in receiver.taken] == ["win.booked"]
    assert endpoints.behind(hook.now()) == 0


def test_a_user_whose_event_is_refused_waits_and_the_others_do_not(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    bad, good = books.owner(), books.owner()
    receiver.answer = lambda m: 500 if m.user == bad and m.seq == 2 else 200
    bonuses(books, bad, 3)
    bonuses(books, good, 3)
    hook.deliver()
    assert (receiver.seqs(bad), receiver.seqs(good)) == ([1], [1, 2, 3])
    [stall] = hook.stalls()
    assert (stall.owner_id, stall.seq, stall.attempts) == (bad, 2, 1)
    assert stall.last_failure == "answered 500"

    bonuses(books, bad)
    bonuses(books, good)
    hook.deliver()
    assert (receiver.seqs(bad), receiver.seqs(good)) == ([1], [1, 2, 3, 4])

    hook.pass_by(timedelta(seconds=6))
    assert hook.stalls()[0].attempts == 2
    receiver.answer = lambda _: 200
    hook.pass_by(timedelta(seconds=40))
    assert receiver.seqs(bad) == [1, 2, 3, 4]
    assert hook.stalls() == []


def test_a_user_with_more_waiting_than_a_page_catches_up_in_order(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    bad, good = books.owner(), books.owner()
    receiver.answer = lambda m: 500 if m.user == bad else 200
    bonuses(books, bad)
    bonuses(books, good)
    hook.deliver()
    for _ in range(3):
        books.post(*(books.entry("bonus", bad, "1", asset="GOLD_COIN") for _ in range(150)))
    hook.deliver()
    receiver.answer = lambda _: 200
    hook.pass_by(timedelta(seconds=10))
    hook.deliver()
    assert receiver.seqs(bad) == list(range(1, 452))
    assert hook.stalls() == []


def test_a_receiver_that_is_down_for_hours_is_asked_less_and_less_and_gets_all_when_it_is_back(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    owners = [books.owner() for _ in range(12)]
    for owner in owners:
        bonuses(books, owner, 3)
    receiver.is_down = True
    hook.deliver()
    for n, step in enumerate(STEPS[:7], start=1):
        assert hook.now().attempts == n
        waits = (hook.now().next_at or hook.now().now) - hook.now().now
        assert step * 0.8 <= waits <= step * 1.1
        hook.pass_by(waits - timedelta(seconds=1))
        assert hook.now().attempts == n
        bonuses(books, owners[0])
        hook.pass_by(timedelta(seconds=2))
    assert receiver.taken == []
    receiver.is_down = False
    hook.pass_by(5 * HOUR)
    assert receiver.seqs(owners[0]) == list(range(1, 11))
    assert all(receiver.seqs(owner) == [1, 2, 3] for owner in owners[1:])


def test_users_that_waited_are_tried_again_as_soon_as_a_receiver_is_back(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    """Few users: each waits for itself, and after a day it would be twelve hours."""
    early, late = books.owner(), books.owner()
    bonuses(books, early)
    receiver.is_down = True
    hook.deliver()
    for _ in range(9):
        hook.pass_by(13 * HOUR // 2)
    assert hook.stalls()[0].attempts > 6
    receiver.is_down = False
    bonuses(books, late)
    hook.deliver()
    hook.deliver()
    assert receiver.seqs(late) == receiver.seqs(early) == [1]
    assert hook.stalls() == []


def test_an_answer_of_410_disables_at_once_and_enabled_again_it_goes_on_where_it_was(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    owners = [books.owner() for _ in range(3)]
    for owner in owners:
        bonuses(books, owner, 2)
    receiver.answer = lambda m: 410 if m.user == owners[1] else 200
    hook.deliver()
    assert (hook.now().state, hook.now().disabled_reason) == (
        "disabled",
        "the receiver answered 410",
    )
    seen = len(receiver.seen)
    bonuses(books, owners[0])
    hook.pass_by(HOUR)
    assert len(receiver.seen) == seen
    receiver.answer = lambda _: 200
    hook.enable()
    hook.deliver()
    assert [receiver.seqs(owner) for owner in owners] == [[1, 2, 3], [1, 2], [1, 2]]


def test_a_receiver_that_takes_nothing_for_three_days_is_disabled_and_loses_nothing(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    owners = [books.owner() for _ in range(DOWN + 1)]
    for owner in owners:
        bonuses(books, owner)
    receiver.answer = lambda _: 503
    hook.deliver()
    hook.pass_by(71 * HOUR)
    assert hook.now().state == "enabled"
    hook.pass_by(13 * HOUR)
    assert hook.now().state == "disabled"
    assert hook.now().disabled_reason == "nothing was taken for 3 days"
    receiver.answer = lambda _: 200
    hook.enable()
    hook.deliver()
    assert all(receiver.seqs(owner) == [1] for owner in owners)


def test_one_user_refused_for_three_days_disables_too(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    bad, good = books.owner(), books.owner()
    receiver.answer = lambda m: 400 if m.user == bad else 200
    bonuses(books, bad)
    bonuses(books, good)
    for _ in range(8):
        hook.deliver()
        bonuses(books, good)
        hook.pass_by(12 * HOUR)
    assert hook.now().state == "disabled"
    assert hook.now().disabled_reason == "a user's event was not taken for 3 days"
    hook.enable()
    hook.deliver()
    assert hook.now().state == "enabled"
    assert hook.stalls()[0].attempts == 1


def test_a_receiver_is_left_alone_for_as_long_as_it_asks_up_to_an_hour(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    def busy(message: Message) -> None:
        message.handler.send_response(429)
        message.handler.send_header("Retry-After", "900")
        message.handler.send_header("Content-Length", "0")
        message.handler.end_headers()

    receiver.answer = busy
    bonuses(books, books.owner())
    hook.deliver()
    [stall] = hook.stalls()
    assert 900 <= (stall.next_at - stall.since).total_seconds() < 901
    assert pause(1, timedelta(days=2)) == HOUR


def test_after_so_many_failures_each_wait_is_longer_than_the_last() -> None:
    waits = [pause(n) for n in range(1, 14)]
    assert all(earlier < later for earlier, later in pairwise(waits[:10]))
    assert all(timedelta(hours=10) < wait < timedelta(hours=14) for wait in waits[9:])


def test_many_users_refused_among_others_do_not_make_a_receiver_look_down(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    owners = [books.owner() for _ in range(60)]
    bad = set(owners[:12])
    receiver.answer = lambda m: 500 if m.user in bad else 200
    books.post(*(books.entry("bonus", owner, "1", asset="GOLD_COIN") for owner in owners))
    for _ in range(4):
        hook.pass_by(timedelta(seconds=10))
    assert all(receiver.seqs(owner) == [1] for owner in owners if owner not in bad)
    assert {stall.owner_id for stall in hook.stalls()} == bad


def test_an_error_that_nobody_foresaw_is_noted_and_not_met_again_at_once(
    hook: Hook, books: Books, receiver: Receiver, owner_engine: Engine
) -> None:
    """A year that Python does not know, where nobody would look for one."""
    owner = books.owner()
    bonuses(books, owner)
    with owner_engine.begin() as connection:
        connection.execute(text(BREAK), {"id": hook.id})
    hook.deliver()
    broken = hook.now()
    assert (broken.attempts, broken.last_failure) == (1, "internal error")
    assert broken.next_at is not None
    hook.deliver()
    assert (hook.now().attempts, hook.now().next_at) == (1, broken.next_at)
    hook.pass_by(timedelta(seconds=10))
    assert hook.now().attempts == 2
    with owner_engine.begin() as connection:
        connection.execute(text(MEND), {"id": hook.id})
    hook.pass_by(timedelta(minutes=1))
    assert receiver.seqs(owner) == [1]
    assert hook.now().attempts == 0


def test_only_one_delivers_to_an_endpoint_at_a_time(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    with hook.courier() as first:
        first.work()
        bonuses(books, books.owner())
        hook.deliver()
        assert receiver.seen == []
    hook.deliver()
    assert len(receiver.seen) == 1


def test_a_claim_ends_with_its_connection_and_is_taken_anew(
    hook: Hook, owner_engine: Engine
) -> None:
    with Claims() as first, Claims() as second:
        assert first.take(hook.id)
        assert first.take(hook.id)
        assert not second.take(hook.id)
        with owner_engine.connect() as owner:
            owner.execute(text(END_SESSIONS), {"class": locks.ENDPOINT})
        with pytest.raises(DBAPIError):
            first.take(hook.id)
        assert second.take(hook.id)
        assert not first.take(hook.id)
        second.give(hook.id)
        assert first.take(hook.id)


@pytest.mark.usefixtures("context", "hook")
def test_more_endpoints_than_a_process_has_connections_are_all_delivered_to(
    books: Books, receiver: Receiver
) -> None:
    made = [
        endpoints.make(clients.named(f"games-{n // 10}"), f"{receiver.url}&n={n}", None, None, None)
        for n in range(60)
    ]
    receiver.secrets += [signing.shown(each.secrets()[0]) for each in made]
    bonuses(books, books.owner())
    delivery.deliver(lambda: len(receiver.seen) == 61)
    assert len(receiver.seen) == 61
    assert [endpoints.behind(endpoints.get(each.client_id, each.id)) for each in made] == [0] * 60


@pytest.mark.usefixtures("context", "hook")
def test_endpoints_with_more_to_send_than_a_turn_has_time_for_take_turns_by_page(
    books: Books, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "COURIERS", 1)
    monkeypatch.setattr(delivery, "PAGE", 10)
    other = endpoints.make(clients.named("others"), f"{receiver.url}&n=2", None, None, None)
    receiver.secrets.append(signing.shown(other.secrets()[0]))
    owner = books.owner()
    books.post(*(books.entry("bonus", owner, "1", asset="GOLD_COIN") for _ in range(100)))
    delivery.deliver(lambda: len(receiver.seen) == 200)
    paths = [message.handler.path for message in receiver.seen]
    last_of_one = min(len(paths) - 1 - paths[::-1].index(path) for path in set(paths))
    first_of_other = max(paths.index(path) for path in set(paths))
    assert first_of_other < last_of_one


def test_told_to_stop_in_the_middle_of_a_page_it_stops_and_the_next_one_goes_on(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    owner, other = books.owner(), books.owner()
    bonuses(books, owner, 10)
    bonuses(books, other, 10)
    with hook.courier(lambda: len(receiver.seen) >= 5) as courier:
        courier.work()
    assert 5 <= len(receiver.seen) <= 7
    assert hook.stalls() == []
    hook.deliver()
    assert receiver.seqs(owner) == receiver.seqs(other) == list(range(1, 11))


def test_with_a_slow_receiver_pages_get_smaller_and_the_cursor_moves_on(
    hook: Hook, books: Books, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages that are cut would else begin at the same place for ever."""
    monkeypatch.setattr(delivery, "PAGE_S", 1)
    owners = [books.owner() for _ in range(100)]
    books.post(*(books.entry("bonus", owner, "1", asset="GOLD_COIN") for owner in owners))

    def slow(_: Message) -> int:
        time.sleep(0.25)
        return 200

    receiver.answer = slow
    with hook.courier() as courier:

        def is_done() -> bool:
            courier.work()
            return endpoints.behind(hook.now()) == 0

        eventually("all was delivered", is_done, seconds=60)
    assert all(receiver.seqs(owner) == [1] for owner in owners)


def test_a_replay_sends_all_since_a_time_again_in_order(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    owner = books.owner()
    bonuses(books, owner, 4)
    hook.deliver()
    since = receiver.taken[1].event["timestamp"]
    endpoints.replay_since(hook.client, hook.id, datetime.fromisoformat(since))
    hook.deliver()
    assert [message.seq for message in receiver.taken] == [1, 2, 3, 4, 2, 3, 4]


def test_a_replay_during_a_page_is_not_undone_by_the_end_of_the_page(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    owner = books.owner()
    start = books.now()
    bonuses(books, owner, 3)

    def replay(message: Message) -> int:
        if message.seq == 2 and message.number == 1:
            endpoints_app.run(endpoints.replay_since, hook.client, hook.id, start)
        return 200

    endpoints_app = copy_context()
    hook.deliver()
    before = len(receiver.taken)
    assert before == 3
    bonuses(books, owner)
    receiver.answer = replay
    endpoints.replay_since(hook.client, hook.id, start)
    receiver._numbers.clear()
    hook.deliver()
    hook.deliver()
    assert [message.seq for message in receiver.taken[before:]] == [1, 2, 3, 4, 1, 2, 3, 4]


def test_a_user_that_waits_is_read_again_by_a_replay_and_not_twice_out_of_order(
    hook: Hook, books: Books, receiver: Receiver
) -> None:
    start = books.now()
    bad = books.owner()
    receiver.answer = lambda m: 500 if m.seq == 2 else 200
    bonuses(books, bad, 3)
    hook.deliver()
    assert hook.stalls()[0].seq == 2
    receiver.answer = lambda _: 200
    endpoints.replay_since(hook.client, hook.id, start)
    assert hook.stalls() == []
    hook.deliver()
    assert [message.seq for message in receiver.taken] == [1, 1, 2, 3]
