"""The client against servers that fail: what may be sent again is, with its key, and nothing else is."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dreamland_client import (
    BadAnswer,
    DailyLimitExceeded,
    Dreamland,
    Forbidden,
    InsufficientFunds,
    InternalError,
    NoAnswer,
    NotFound,
    Problem,
    RateLimited,
    Retries,
    Unauthorized,
    Unavailable,
)
from dreamland_client.retries import NEVER
from tests.clients.conftest import KEY
from tests.clients.scripted import (
    Scripted,
    Step,
    closes,
    cuts,
    drips,
    hangs,
    refuses,
    says,
)

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
WIN = {
    "entry_id": "1-1",
    "user_id": "1",
    "asset": "DREAM",
    "amount": "0.25",
    "occurred_at": "2026-03-02T10:00:00Z",
    "booked_at": "2026-03-02T10:00:00.000001Z",
    "day": "2026-03-02",
    "game": "maze",
    "reference": "r1",
}
TODAY = {"day": "2026-03-02", "won": "0.25", "limit": "5", "remaining": "4.75"}
BOOKED = {"win": WIN, "today": TODAY, "a field of tomorrow": [1]}
NONE = ("tokens_today", "limit", "remaining", "usd_balance")
STATS = {"as_of": "2026-03-02T10:00:00Z", "day": "2026-03-02", "time_zone": "UTC"} | dict.fromkeys(
    NONE, "0"
)

UNSURE: dict[str, tuple[Step, type[Exception]]] = {
    "hangs": (hangs, NoAnswer),
    "closes": (closes, NoAnswer),
    "cuts its answer": (cuts, NoAnswer),
    "drips": (drips, NoAnswer),
    "is unavailable": (refuses(503, "unavailable"), Unavailable),
    "limits": (refuses(429, "rate_limited"), RateLimited),
    "has a fault": (refuses(500, "internal_error"), InternalError),
    "is a proxy without a server": (says(502, b"<html>bad gateway</html>"), Unavailable),
    "talks nonsense": (says(200, b"\x80not json"), BadAnswer),
    "says something else": (says(200, b"[1, 2]"), BadAnswer),
}
REFUSED: dict[str, tuple[Step, type[Exception]]] = {
    "a full day": (refuses(422, "daily_limit_exceeded", remaining="0.5"), DailyLimitExceeded),
    "an empty wallet": (refuses(422, "insufficient_funds", available="3"), InsufficientFunds),
    "an unknown key": (refuses(401, "unauthorized"), Unauthorized),
    "a scope": (refuses(403, "forbidden"), Forbidden),
    "a user": (refuses(404, "unknown_user"), NotFound),
    "a code of tomorrow": (refuses(422, "moon_is_full", phase="waxing"), Problem),
    "a proxy's own page": (says(413, b"<html>too large</html>"), Problem),
    "a redirect": (says(302, b"", Location="http://127.0.0.1:9/api/v1"), Problem),
    "an answer of another shape": (says(201, {"win": WIN | {"amount": 0.25}}), BadAnswer),
}


def book(client: Dreamland, **more: Any) -> Any:
    return client.book_win("1", amount="0.25", occurred_at=AT, game="maze", reference="r1", **more)


@pytest.mark.parametrize("name", UNSURE)
def test_a_win_is_sent_again_with_the_same_key_until_it_is_answered(
    scripted: Scripted, caller: Dreamland, name: str
) -> None:
    step, _ = UNSURE[name]
    scripted.will(step, step, says(200, BOOKED, Idempotent_Replayed="true"))
    booked = book(caller)
    assert booked.is_replayed
    assert booked.win.entry_id == "1-1"
    keys = [asked.headers["idempotency-key"] for asked in scripted.asked]
    assert keys == [booked.idempotency_key] * 3
    assert len({asked.body for asked in scripted.asked}) == 1


@pytest.mark.parametrize("name", UNSURE)
def test_one_that_is_never_answered_raises_with_the_key_to_go_on_with(
    scripted: Scripted, caller: Dreamland, name: str
) -> None:
    step, kind = UNSURE[name]
    scripted.will(step)
    with pytest.raises(kind) as raised:
        book(caller)
    error: Any = raised.value
    assert error.attempts == len(scripted.asked) == 5
    assert {asked.headers["idempotency-key"] for asked in scripted.asked} == {error.idempotency_key}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_not_sent_again(scripted: Scripted, caller: Dreamland, name: str) -> None:
    step, kind = REFUSED[name]
    scripted.will(step)
    with pytest.raises(kind) as raised:
        book(caller, idempotency_key="mine")
    assert type(raised.value) is kind
    assert getattr(raised.value, "idempotency_key") == "mine"  # noqa: B009 - of any kind
    assert len(scripted.asked) == 1


@pytest.mark.parametrize("name", UNSURE)
def test_what_has_no_key_and_is_no_read_is_sent_once(
    scripted: Scripted, caller: Dreamland, name: str
) -> None:
    step, kind = UNSURE[name]
    scripted.will(step)
    with pytest.raises(kind):
        caller.change_user("1", time_zone="Asia/Tokyo")
    assert len(scripted.asked) == 1


def test_a_read_is_sent_again(scripted: Scripted, caller: Dreamland) -> None:
    scripted.will(closes, refuses(503, "unavailable"), says(200, STATS))
    assert caller.stats("1").time_zone == "UTC"
    assert len(scripted.asked) == 3


def test_a_refusal_says_what_the_server_said(scripted: Scripted, caller: Dreamland) -> None:
    figures = {"limit": "5", "used": "4.5", "remaining": "0.5"}
    scripted.will(refuses(422, "daily_limit_exceeded", param="amount", **figures))
    with pytest.raises(DailyLimitExceeded) as raised:
        book(caller)
    error = raised.value
    assert (error.status, error.code, error.param) == (422, "daily_limit_exceeded", "amount")
    assert (error.request_id, error.detail) == ("r1", "no")
    assert str(error.remaining) == "0.5"
    assert error.figures == figures
    assert KEY not in f"{error!r} {error} {vars(error)}"


def test_an_unknown_code_is_told_as_it_is(scripted: Scripted, caller: Dreamland) -> None:
    scripted.will(refuses(422, "moon_is_full", phase="waxing"))
    with pytest.raises(Problem, match="moon_is_full: no") as raised:
        book(caller)
    assert raised.value.figures == {"phase": "waxing"}


def test_it_waits_as_long_as_it_is_asked_to(scripted: Scripted, caller: Dreamland) -> None:
    scripted.will(refuses(429, "rate_limited", {"Retry_After": "1"}), says(201, BOOKED))
    began = time.monotonic()
    book(caller)
    assert 1 <= time.monotonic() - began < 5


def test_it_does_not_wait_longer_than_its_deadline(scripted: Scripted) -> None:
    scripted.will(refuses(503, "unavailable", {"Retry_After": "3600"}))
    began = time.monotonic()
    with Dreamland(scripted.base, KEY) as client, pytest.raises(Unavailable) as raised:
        book(client)
    assert time.monotonic() - began < 5
    assert raised.value.retry_after == 3600
    assert len(scripted.asked) == 1


def test_a_server_that_hangs_for_ever_ends_with_the_deadline(scripted: Scripted) -> None:
    scripted.will(hangs)
    rule = Retries(attempts=1000, deadline_s=1.0, first_s=0.001)
    began = time.monotonic()
    with (
        Dreamland(scripted.base, KEY, timeout=0.3, retries=rule) as client,
        pytest.raises(NoAnswer),
    ):
        book(client)
    assert 0.9 < time.monotonic() - began < 3
    assert len(scripted.asked) >= 3


def test_nobody_listens(scripted: Scripted, caller: Dreamland) -> None:
    scripted.close()
    with pytest.raises(NoAnswer) as raised:
        book(caller)
    assert raised.value.attempts == 5


def test_pauses_grow_differ_and_end() -> None:
    rule = Retries(first_s=0.1, longest_s=2.0)
    for attempt, ceiling in ((1, 0.1), (2, 0.2), (3, 0.4), (10, 2.0), (10_000, 2.0)):
        pauses = [rule.pause(attempt, None) for _ in range(200)]
        assert 0 <= min(pauses) < ceiling * 0.2
        assert ceiling * 0.8 < max(pauses) <= ceiling
    assert 7 <= rule.pause(1, 7.0) <= 7.1
    assert NEVER.attempts == 1


def test_whole_numbers_are_retries_after_the_first_attempt(scripted: Scripted) -> None:
    scripted.will(refuses(500, "internal_error"))
    with Dreamland(scripted.base, KEY, retries=2) as client, pytest.raises(InternalError):
        book(client)
    assert len(scripted.asked) == 3


def test_a_connection_serves_one_call_after_the_other(
    scripted: Scripted, caller: Dreamland
) -> None:
    scripted.will(says(201, BOOKED))
    for _ in range(20):
        book(caller)
    assert scripted.connections == 1


def test_threads_share_a_client(scripted: Scripted, caller: Dreamland) -> None:
    scripted.will(says(201, BOOKED))
    threads = [threading.Thread(target=lambda: [book(caller) for _ in range(20)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(scripted.asked) == 160
    assert len({asked.headers["idempotency-key"] for asked in scripted.asked}) == 160
    assert scripted.connections <= 8


def test_an_answer_that_did_not_change_is_not_sent_again(scripted: Scripted) -> None:
    def tagged(server: Scripted, connection: Any, asked: Any) -> bool:
        if asked.headers.get("if-none-match") == '"v1"':
            return says(304, b"")(server, connection, asked)
        return says(200, STATS, ETag='"v1"')(server, connection, asked)

    scripted.will(tagged)
    with Dreamland(scripted.base, KEY, remember=1) as client:
        first = client.stats("1")
        assert client.stats("1") == first
        client.stats("2")
        client.stats("1")
    tags = [asked.headers.get("if-none-match") for asked in scripted.asked]
    assert tags == [None, '"v1"', None, None], "only the last answer is remembered"


def test_an_address_or_a_key_that_can_not_be_is_refused_at_once() -> None:
    for address in ("dreamland.example", "ftp://x", "https://", "https://me:pw@x"):
        with pytest.raises(ValueError, match="base_url"):
            Dreamland(address, KEY)
    for key in ("", "a b", "a\nb", "ä"):
        with pytest.raises(ValueError, match="api_key"):
            Dreamland("https://x", key)


def test_an_id_can_not_reach_another_address(scripted: Scripted, caller: Dreamland) -> None:
    scripted.will(says(200, STATS))
    caller.stats("1/../2?x=1#y")
    assert scripted.asked[0].path == "/api/v1/users/1%2F..%2F2%3Fx%3D1%23y/stats"
    for wrong in ("", "..", 1):
        with pytest.raises(ValueError, match="is no id"):
            caller.stats(wrong)  # type: ignore[arg-type]


def test_a_key_that_the_server_would_refuse_is_not_sent(
    scripted: Scripted, caller: Dreamland
) -> None:
    for wrong in ("", "a b", "ä", "k" * 256):
        with pytest.raises(ValueError, match="idempotency key"):
            book(caller, idempotency_key=wrong)
    assert not scripted.asked


@pytest.mark.parametrize(
    "wrong", [0.25, True, None, "0,25", "1e3", " 1", "+1", "1.", "", "0", "-1", "0.0"]
)
def test_an_amount_that_is_not_exact_is_not_sent(
    scripted: Scripted, caller: Dreamland, wrong: Any
) -> None:
    with pytest.raises((TypeError, ValueError), match="an amount is"):
        caller.book_win("1", amount=wrong, occurred_at=AT, game="maze", reference="r1")
    assert not scripted.asked


def test_a_time_without_a_zone_is_not_sent(scripted: Scripted, caller: Dreamland) -> None:
    naive = datetime.now() - timedelta(hours=1)  # noqa: DTZ005 - what is refused
    with pytest.raises(ValueError, match="a time needs a zone"):
        caller.book_win("1", amount="1", occurred_at=naive, game="maze", reference="r1")
    assert not scripted.asked
