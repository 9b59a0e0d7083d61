"""The feed of events by the client: nothing is missed, whatever page and event a program stops at."""

import json
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dreamland_client import BadAnswer, Dreamland, Event
from tests.clients.scripted import Asked, Scripted, refuses, says

PAGE = 3
EVENTS = 10
AT = "2026-03-02T10:00:00Z"


def told(number: int) -> dict[str, Any]:
    return {"id": f"1-{number}", "type": "of.tomorrow", "timestamp": AT, "data": {"n": number}}


def feed(server: Scripted, connection: Any, asked: Asked) -> bool:
    """Ten events by three; the cursor is how many were told. The first page is an empty one."""
    [after] = parse_qs(urlsplit(asked.path).query).get("after", ["none"])
    first = 0 if after in ("none", "empty") else int(after)
    events = [] if after == "none" else [told(n) for n in range(first, EVENTS)][:PAGE]
    cursor = "empty" if after == "none" else str(first + len(events))
    more = after == "none" or first + len(events) < EVENTS
    body = {"events": events, "next_cursor": cursor, "has_more": more}
    return says(200, body)(server, connection, asked)


def numbers(events: Any) -> list[Any]:
    return [event.data["n"] for event in events]


def test_every_event_comes_once_though_a_page_was_empty(
    scripted: Scripted, caller: Dreamland
) -> None:
    scripted.will(feed)
    assert numbers(caller.events()) == list(range(EVENTS))


@pytest.mark.parametrize("stop", range(1, EVENTS + 1))
def test_a_program_that_stops_anywhere_goes_on_from_the_cursor_it_kept(
    scripted: Scripted, caller: Dreamland, stop: int
) -> None:
    scripted.will(feed)
    seen: list[Event] = list(islice(caller.events(), stop))
    again = numbers(caller.events(after=seen[-1].cursor))
    assert sorted({*numbers(seen), *again}) == list(range(EVENTS)), "none is missing"
    assert len(again) <= EVENTS - stop + PAGE - 1, "and no more than a page comes twice"


def test_following_it_waits_for_events_to_come(scripted: Scripted, caller: Dreamland) -> None:
    nothing = {"events": [], "next_cursor": "a", "has_more": False}
    one = {"events": [told(7)], "next_cursor": "b", "has_more": False}
    scripted.will(
        says(200, nothing), refuses(503, "unavailable"), says(200, nothing), says(200, one)
    )
    since = datetime(2026, 3, 2, 10, tzinfo=UTC)
    [event] = islice(caller.events(since=since, types=["win.booked"], follow=True, poll_s=0.01), 1)
    assert event.cursor == "b"
    queries = [parse_qs(urlsplit(asked.path).query) for asked in scripted.asked]
    assert queries[0]["since"] == ["2026-03-02T10:00:00Z"]
    assert queries[0]["types"] == ["win.booked"]
    assert "since" not in queries[3]
    assert queries[3]["after"] == ["a"]


@pytest.mark.parametrize(
    "wrong", [{"events": []}, {"next_cursor": None}, {"events": [{"id": 1}]}, {"events": {}}]
)
def test_a_feed_of_another_shape_is_told(
    scripted: Scripted, caller: Dreamland, wrong: dict[str, Any]
) -> None:
    body = {"events": [told(1)], "next_cursor": "a", "has_more": False} | wrong
    if wrong == {"events": []}:
        del body["next_cursor"]
    scripted.will(says(200, json.dumps(body).encode()))
    with pytest.raises(BadAnswer):
        list(caller.events())
