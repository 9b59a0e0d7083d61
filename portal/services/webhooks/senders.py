"""Sends events of several users side by side, those of one user one after the other."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from json import dumps

from portal.ledger.events import FeedEntry
from portal.services.events import Event
from portal.services.webhooks import signing
from portal.services.webhooks.sending import Answer, Sender

SENDERS = 8
DOWN = 8
"""After so many failures of different users, with nothing taken in between, the receiver is down."""


@dataclass(slots=True)
class UserEvents:
    """A user's events in order, and how many of them were taken."""

    owner_id: int
    events: list[tuple[FeedEntry, Event]]
    taken: int = 0
    failed: Answer | None = None

    @property
    def is_done(self) -> bool:
        """Whether all of them were."""
        return self.taken == len(self.events)

    @property
    def first_left(self) -> FeedEntry:
        """The entry of the first that was not."""
        return self.events[self.taken][0]


@dataclass(slots=True)
class Outcome:
    """What became of a set, and of the receiver meanwhile."""

    users: Sequence[UserEvents]
    failed_in_row: int = 0
    is_gone: bool = False
    under_way: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def has_success(self) -> bool:
        """Whether any event was taken."""
        return any(user.taken for user in self.users)

    @property
    def failed(self) -> list[UserEvents]:
        """The users with an event that was not taken."""
        return [user for user in self.users if user.failed]

    @property
    def is_pointless(self) -> bool:
        """Whether to go on would only be more of the same."""
        return self.is_gone or self.failed_in_row >= DOWN

    def begin(self) -> bool:
        """Wait until one more may be sent; False where that would be pointless.

        While one after the other fails, no more are under way than it takes to know.
        """
        with self._changed:
            while self.failed_in_row and self.failed_in_row + self.under_way >= DOWN:
                if self.is_pointless or not self.under_way:
                    break
                self._changed.wait()
            self.under_way += not self.is_pointless
            return not self.is_pointless

    def end(self, answer: Answer) -> None:
        """Count an answer."""
        with self._changed:
            self.under_way -= 1
            self.failed_in_row = self.failed_in_row + 1 if answer.failure else 0
            self.is_gone = self.is_gone or answer.is_gone
            self._changed.notify_all()


class Senders:
    """The threads that send to one receiver."""

    def __init__(self, sender: Sender, keys: Sequence[bytes]) -> None:
        self.sender = sender
        self.keys = list(keys)
        self._pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="webhook")

    def send(self, users: Sequence[UserEvents], should_stop: Callable[[], bool]) -> Outcome:
        """Send every user's events until one fails; what was not sent when told to stop has no failure."""
        outcome = Outcome(users)
        # In any order: users that fail for good next to each other must not look like a receiver that is down.
        shuffled = random.sample(users, len(users))
        if len(shuffled) == 1:
            self._send(shuffled[0], outcome, should_stop)
        else:
            for done in [self._pool.submit(self._send, u, outcome, should_stop) for u in shuffled]:
                done.result()
        return outcome

    def _send(self, user: UserEvents, outcome: Outcome, should_stop: Callable[[], bool]) -> None:
        for _, event in user.events:
            if should_stop() or not outcome.begin():
                return
            answer = Answer("internal error")
            try:
                answer = self.one(event)
            finally:
                outcome.end(answer)  # the others wait to hear of it
            if answer.failure:
                user.failed = answer
                return
            user.taken += 1

    def one(self, event: Event) -> Answer:
        """Send one event, signed as of now: the machine's time, which receivers hold it against."""
        body = dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        headers = signing.headers(event["id"], int(time.time()), body, self.keys)
        headers |= {"content-type": "application/json", "user-agent": "Dreamland-Webhooks/1"}
        return self.sender.post(body, headers)

    def close(self) -> None:
        """End the threads and hang up."""
        self._pool.shutdown()
        self.sender.close()
