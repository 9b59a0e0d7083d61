"""What is of all users: conversions, the feed of events, and whether the server is ready."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime

from dreamland_client.calls.base import Calls, path
from dreamland_client.errors import BadAnswer, DreamlandError
from dreamland_client.events import Event, EventPage, event
from dreamland_client.operations import Conversion
from dreamland_client.reading import member, read
from dreamland_client.retries import NEVER
from dreamland_client.transport import Request
from dreamland_client.values import time_text


class BooksCalls(Calls):
    """Calls about everybody's books."""

    def conversions(self, *, page_size: int = 200) -> Iterator[Conversion]:
        """Every hourly run, newest first."""
        return self._listed(Conversion, path("conversions"), "conversions", page_size)

    def convert(self, hour: datetime) -> Conversion:
        """Ask for an hour that is over and the next in order. Raises HourNotNext."""
        answer = self._send(
            "POST", path("conversions"), {"hour": time_text(hour)}, is_repeatable=True
        )
        return read(Conversion, member(answer.json, "conversion"))

    def event_page(
        self,
        *,
        after: str | None = None,
        since: datetime | None = None,
        types: Sequence[str] = (),
        limit: int = 200,
    ) -> EventPage:
        """Events after a cursor, or since a time, oldest first."""
        query = {
            "after": after,
            "since": time_text(since) if since else None,
            "types": ",".join(types) or None,
            "limit": str(limit),
        }
        told = self._get(path("events"), query)
        cursor, items = member(told, "next_cursor"), member(told, "events")
        if not isinstance(items, list) or not isinstance(cursor, str):
            raise BadAnswer("the feed's answer has no events, or no cursor")
        # Only the last of a page may say where the next one begins: those before it would else
        # be taken for dealt with by a program that stops among them.
        cursors = [after] * (len(items) - 1) + [cursor] * bool(items)
        found = tuple(event(*pair) for pair in zip(items, cursors, strict=True))
        return EventPage(found, cursor, bool(member(told, "has_more")))

    def events(
        self,
        *,
        after: str | None = None,
        since: datetime | None = None,
        types: Sequence[str] = (),
        follow: bool = False,
        poll_s: float = 1.0,
    ) -> Iterator[Event]:
        """Every event after a cursor or since a time; with `follow` also those to come, for ever.

        Keep each event's `cursor` when you have dealt with it, and begin there after a restart:
        every event is seen at least once, and `Event.id` tells whether it was before.
        """
        while True:
            page = self.event_page(after=after, since=since, types=types)
            yield from page.events
            after, since = page.next_cursor, None
            if page.has_more:
                continue
            if not follow:
                return
            time.sleep(poll_s)

    def is_ready(self) -> bool:
        """Whether the server takes calls now; it is asked once."""
        try:
            self._transport.call(Request("GET", "/readyz", wants_json=False), NEVER)
        except DreamlandError:
            return False
        return True
