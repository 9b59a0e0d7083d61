"""Delivers: one courier an endpoint, who alone holds its lock, reads the feed on from its cursor.

Killed at any moment, it has lost nothing: the lock ends with its connection, and the next one starts at
the cursor, so that the events of the last page may come twice, never in another order for a user.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context

from sqlalchemy import text
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from portal import ledger
from portal.logs import trace
from portal.runtime import runtime
from portal.services import events
from portal.services.webhooks import endpoints, progress
from portal.services.webhooks.addresses import rules
from portal.services.webhooks.claims import Claims
from portal.services.webhooks.endpoints import Endpoint, Stall
from portal.services.webhooks.senders import DOWN, SENDERS, Outcome, Senders, UserEvents
from portal.services.webhooks.sending import Sender

log = logging.getLogger(__name__)

PAGE, SMALLEST = 200, 8
PAGE_S = 30
"""After that a page is cut, and the next one is smaller: with a slow receiver the cursor must move too."""
POLL_S = 0.5
COURIERS = 16
"""How many endpoints are delivered to at a time."""

ShouldStop = Callable[[], bool]


def _never() -> bool:
    return False


def deliver(
    should_stop: ShouldStop, must_stop: ShouldStop = _never, step: Callable[[], bool] = _never
) -> None:
    """Deliver to every enabled endpoint as events come, until told to stop, or until there is none.

    `should_stop` is asked between pages; `must_stop` before each message: what was sent of its page then
    comes again. `step` does what else there is to do, every POLL_S, and says whether there will be more.
    """
    couriers: dict[int, Courier] = {}
    busy: dict[int, Future[None]] = {}

    def is_awaited() -> bool:
        return any(not each.running() and not each.done() for each in list(busy.values()))

    with (
        Claims() as claims,
        ThreadPoolExecutor(COURIERS, thread_name_prefix="courier") as threads,
    ):
        try:
            while not should_stop() and not must_stop():
                has_more, enabled = step(), _enabled()
                if not enabled and not has_more:
                    break
                for number in enabled:
                    if number not in busy or busy[number].done():
                        courier = couriers.setdefault(
                            number, Courier(number, claims, should_stop, must_stop, is_awaited)
                        )
                        busy[number] = threads.submit(copy_context().run, courier.work)
                time.sleep(POLL_S)
        finally:
            for number, courier in couriers.items():
                busy[number].result()
                courier.close()


def _enabled() -> list[int]:
    # In any order: of more than a turn gets round to, each must have its chance in the next one.
    query = "SELECT id FROM webhook_endpoints WHERE state = 'enabled' ORDER BY random()"
    with runtime().engine.connect() as connection:
        return list(connection.execute(text(query)).scalars())


def send_again(endpoint_id: int, owner_id: int, seq: int) -> str | None:
    """Send one event once more, whatever the endpoint wants and its state; why it was not taken."""
    with runtime().engine.connect() as connection:
        endpoint = endpoints.find(connection, endpoint_id)
        entry = ledger.feed_entry(connection, owner_id, seq)
    if endpoint is None or entry is None:
        return "there is no such endpoint, or no such entry"
    senders = _senders(endpoint)
    try:
        answer = senders.one(events.events_of([entry])[owner_id, seq])
        progress.of_one(endpoint, answer)
        return answer.failure
    finally:
        senders.close()


def _senders(endpoint: Endpoint) -> Senders:
    settings = runtime().settings
    sender = Sender(endpoint.url, rules(settings), settings.webhook_timeout_s)
    return Senders(sender, endpoint.secrets())


class Courier:
    """Delivers to one endpoint. Has its claim from the first work on until closed."""

    def __init__(
        self,
        endpoint_id: int,
        claims: Claims,
        should_stop: ShouldStop = _never,
        must_stop: ShouldStop = _never,
        is_awaited: Callable[[], bool] = _never,
    ) -> None:
        self._id, self._claims = endpoint_id, claims
        self._should_stop = should_stop
        self._must_stop = must_stop
        self._is_awaited = is_awaited
        self._size = PAGE
        self._senders: Senders | None = None
        self._url = ""

    def work(self) -> None:
        """Deliver what is there, a page at least; then others that wait for a thread come first.

        The next work goes on, whatever became of this one.
        """
        try:
            while self._may_go_on() and self._claims.take(self._id) and self._page():
                if self._is_awaited():
                    return
        except Exception as error:  # noqa: BLE001 - one endpoint's trouble is not another's
            log.error("webhook endpoint %d is left for a while\n%s", self._id, trace(error))  # noqa: TRY400
            self._leave_alone(error)

    def _leave_alone(self, error: Exception) -> None:
        """What went wrong once, and nobody foresaw, may do so at once again: wait as after a failure."""
        is_ours = isinstance(error, OperationalError | InterfaceError | PoolTimeout)
        try:
            if not is_ours:
                progress.of_error(self._id)
        except SQLAlchemyError as another:
            log.warning("that was not noted: %s", type(another).__name__)
        finally:
            self.close()

    def _may_go_on(self) -> bool:
        return not self._should_stop() and not self._must_stop()

    def close(self) -> None:
        """Let another have the endpoint."""
        self._claims.give(self._id)
        if self._senders is not None:
            self._senders.close()
            self._senders = None

    def _page(self) -> bool:
        """Deliver what waited and is due, then a page of what is new; whether there may be more."""
        endpoint = self._read()
        has_more_due = False
        if endpoint and (due := _due(endpoint)):
            has_more_due = self._retry(endpoint, self._prepared(endpoint), due)
            endpoint = self._read()
        if endpoint is None:
            return False
        return self._deliver(endpoint, self._prepared(endpoint)) or has_more_due

    def _read(self) -> Endpoint | None:
        """The endpoint as it is now; None while nothing is to be sent to it."""
        with runtime().engine.connect() as connection:
            endpoint = endpoints.find(connection, self._id)
        if endpoint is None or endpoint.state != "enabled":
            self.close()
            return None
        is_resting = endpoint.next_at is not None and endpoint.now < endpoint.next_at
        return None if is_resting else endpoint

    def _prepared(self, endpoint: Endpoint) -> Senders:
        if self._senders is None or self._url != endpoint.url:
            if self._senders is not None:
                self._senders.close()
            self._senders, self._url = _senders(endpoint), endpoint.url
        self._senders.keys = endpoint.secrets()
        return self._senders

    def _deliver(self, endpoint: Endpoint, senders: Senders) -> bool:
        began = time.monotonic()
        told, page = events.told(endpoint.position, endpoint.interest, self._size)
        if page.next == endpoint.position:
            return False
        by_user: dict[int, UserEvents] = {}
        entries = {events.id_of(entry): entry for entry in page.entries}
        for event in told:
            entry = entries[event["id"]]
            by_user.setdefault(entry.owner_id, UserEvents(entry.owner_id, [])).events.append(
                (entry, event)
            )
        stalled, waiting = _stalled(endpoint, list(by_user))
        free = [user for owner, user in by_user.items() if owner not in stalled]
        outcome = senders.send(free, self._until(began + PAGE_S)) if free else Outcome([])
        self._resize(time.monotonic() - began)
        return progress.of_page(endpoint, outcome, page.next, waiting) and page.has_more

    def _until(self, end: float) -> ShouldStop:
        return lambda: self._must_stop() or time.monotonic() > end

    def _resize(self, took_s: float) -> None:
        if took_s > PAGE_S:
            self._size = max(SMALLEST, self._size // 4)
        elif took_s * 4 < PAGE_S:
            self._size = min(PAGE, self._size * 2)

    def _retry(self, endpoint: Endpoint, senders: Senders, stalls: list[Stall]) -> bool:
        """Send waiting users' events from the first that was not taken, up to the cursor, a page each.

        True where a user has more, and all so far were taken.
        """
        users, reached = [], {}
        for stall in stalls:
            with runtime().engine.connect() as connection:
                entries = ledger.entries_of_owner(
                    connection, stall.owner_id, stall.seq, endpoint.position, PAGE
                )
            wanted = [entry for entry in entries if endpoint.interest.wants(entry)]
            made = events.events_of(wanted)
            pairs = [(e, made[e.owner_id, e.seq]) for e in wanted if (e.owner_id, e.seq) in made]
            reached[stall.owner_id] = entries[-1].seq + 1 if len(entries) == PAGE else None
            if pairs:
                users.append(UserEvents(stall.owner_id, pairs))
        until = self._until(time.monotonic() + PAGE_S)
        outcome = senders.send(users, until) if users else Outcome([])
        progress.of_stalls(endpoint, stalls, outcome, reached)
        return any(user.is_done and reached[user.owner_id] for user in users)


DUE = """
SELECT owner_id, seq, attempts, since, next_at, last_failure FROM webhook_stalls
WHERE endpoint_id = :id AND next_at <= :now ORDER BY next_at, owner_id LIMIT :limit
"""
STALLED = """
SELECT owner_id FROM webhook_stalls WHERE endpoint_id = :id AND owner_id = ANY (CAST(:owners AS bigint[]))
"""
SILENT = """
SELECT count(*) FROM (SELECT FROM webhook_stalls WHERE endpoint_id = :id AND since > :success LIMIT :limit) s
"""


def _due(endpoint: Endpoint) -> list[Stall]:
    known = {"id": endpoint.id, "now": endpoint.now, "limit": SENDERS}
    with runtime().engine.connect() as connection:
        return [Stall(*row) for row in connection.execute(text(DUE), known)]


def _stalled(endpoint: Endpoint, owners: list[int]) -> tuple[set[int], int]:
    """Which of these users must wait, and how many do since something was taken last."""
    success = endpoint.last_success_at or endpoint.created_at
    known = {"id": endpoint.id, "owners": owners, "success": success, "limit": DOWN}
    with runtime().engine.connect() as connection:
        stalled = set(connection.execute(text(STALLED), known).scalars())
        return stalled, int(connection.execute(text(SILENT), known).scalar_one())
