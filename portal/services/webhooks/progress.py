"""Writes down how far an endpoint got: its cursor, its failures, the users whose events must wait.

Each is one transaction, and holds only if nobody moved the cursor meanwhile (a replay, or another
deliverer whose lock was lost): then nothing is written, and what was sent is sent again.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from portal.ledger.events import Position
from portal.runtime import runtime
from portal.services.webhooks.backoff import pause
from portal.services.webhooks.endpoints import Endpoint, Stall
from portal.services.webhooks.senders import DOWN, Outcome, UserEvents
from portal.services.webhooks.sending import Answer

log = logging.getLogger(__name__)

GONE = "the receiver answered 410"
RECOVERED_AFTER = timedelta(minutes=1)
"""A failure for longer than that was one of the receiver: once it takes something, all that waits is due."""

MOVE = """
UPDATE webhook_endpoints SET read_at = :read_at, read_owner = :read_owner, read_seq = :read_seq
WHERE id = :id AND state = 'enabled' AND url = :url AND (read_at, read_owner, read_seq) = (:old_at, :old_owner, :old_seq)
"""
STALL = """
INSERT INTO webhook_stalls (endpoint_id, owner_id, seq, attempts, since, next_at, last_failure)
VALUES (:endpoint, :owner, :seq, 1, ledger.clock(), ledger.clock() + :pause, :failure)
ON CONFLICT (endpoint_id, owner_id) DO NOTHING
"""


def of_page(endpoint: Endpoint, outcome: Outcome, end: Position, waiting: int) -> bool:
    """Note what became of a page that ends at a position; whether to go on.

    `waiting` is how many users wait already. Where the receiver is down, the cursor stays before the
    first event that was not taken; where it only refuses some users', those wait and it moves on.
    """
    is_silent = not outcome.has_success and bool(outcome.failed)
    is_down = outcome.is_pointless or (is_silent and len(outcome.failed) + waiting >= DOWN)
    stalled = [] if is_down else outcome.failed
    left = [u for u in outcome.users if not u.is_done and (is_down or not u.failed)]
    reached = _before_first(endpoint, outcome, left) if left else end
    with runtime().engine.begin() as connection:
        if not _move(connection, endpoint, reached):
            return False
        for user in stalled:
            assert user.failed is not None
            connection.execute(text(STALL), _stall(endpoint, user, user.failed))
        _note(connection, endpoint, outcome, is_down=is_down)
    return not is_down and not left


def _before_first(endpoint: Endpoint, outcome: Outcome, left: Sequence[UserEvents]) -> Position:
    """The place of the last event before the first that is left: what was taken behind it comes twice."""
    first = min(user.first_left.position for user in left)
    places = (entry.position for user in outcome.users for entry, _ in user.events)
    return max((place for place in places if place < first), default=endpoint.position)


def _move(connection: Connection, endpoint: Endpoint, reached: Position) -> bool:
    old = endpoint.position
    known = {
        "id": endpoint.id,
        "url": endpoint.url,
        "read_at": reached.booked_at,
        "read_owner": reached.owner_id,
        "read_seq": reached.seq,
        "old_at": old.booked_at,
        "old_owner": old.owner_id,
        "old_seq": old.seq,
    }
    return bool(connection.execute(text(MOVE), known).rowcount)


def _stall(endpoint: Endpoint, user: UserEvents, failed: Answer) -> Mapping[str, Any]:
    return {
        "endpoint": endpoint.id,
        "owner": user.owner_id,
        "seq": user.first_left.seq,
        "pause": pause(1, failed.retry_after),
        "failure": failed.failure,
    }


SUCCESS = """
UPDATE webhook_endpoints SET attempts = 0, failing_since = NULL, next_at = NULL, last_success_at = ledger.clock()
WHERE id = :id
"""
ALL_DUE = "UPDATE webhook_stalls SET next_at = ledger.clock() WHERE endpoint_id = :id"
FAILURE = """
UPDATE webhook_endpoints SET last_failure = :failure, last_failure_at = ledger.clock()
WHERE id = :id
"""
SILENT = """
UPDATE webhook_endpoints SET failing_since = coalesce(failing_since, ledger.clock()) WHERE id = :id
"""
BACK_OFF = """
UPDATE webhook_endpoints SET attempts = attempts + 1, next_at = ledger.clock() + :pause WHERE id = :id
"""


def _note(
    connection: Connection, endpoint: Endpoint, outcome: Outcome, *, is_down: bool = False
) -> None:
    """What failed and what did not, and what follows for the endpoint as a whole."""
    known: dict[str, Any] = {"id": endpoint.id}
    failures = [user.failed for user in outcome.failed if user.failed]
    if outcome.has_success:
        connection.execute(text(SUCCESS), known)
        since = endpoint.failing_since
        if since is not None and endpoint.now - since > RECOVERED_AFTER:
            connection.execute(text(ALL_DUE), known)
    if failures:
        connection.execute(text(FAILURE), known | {"failure": failures[-1].failure})
    if failures and (is_down or not outcome.has_success):
        connection.execute(text(SILENT), known)
    if is_down:
        asked = max((each.retry_after for each in failures if each.retry_after), default=None)
        attempts = 1 if outcome.has_success else endpoint.attempts + 1
        connection.execute(text(BACK_OFF), known | {"pause": pause(attempts, asked)})
    if outcome.is_gone:
        disable(connection, endpoint, GONE)
    elif failures and not outcome.has_success:
        _give_up(connection, endpoint, endpoint.failing_since)


def of_one(endpoint: Endpoint, answer: Answer) -> None:
    """Note that an event that was sent once more was not taken; nothing else follows from it."""
    if answer.failure:
        with runtime().engine.begin() as connection:
            connection.execute(text(FAILURE), {"id": endpoint.id, "failure": answer.failure})


INTERNAL = "internal error"
ATTEMPTS = "SELECT attempts FROM webhook_endpoints WHERE id = :id FOR UPDATE"


def of_error(endpoint_id: int) -> None:
    """Note that delivery itself failed: it is tried again as after a failure, and never disabled for that."""
    known: dict[str, Any] = {"id": endpoint_id}
    with runtime().engine.begin() as connection:
        attempts = connection.scalar(text(ATTEMPTS), known)
        if attempts is not None:
            connection.execute(text(FAILURE), known | {"failure": INTERNAL})
            connection.execute(text(BACK_OFF), known | {"pause": pause(attempts + 1)})


def _give_up(connection: Connection, endpoint: Endpoint, since: datetime | None) -> None:
    """Disable an endpoint that has failed for too long."""
    patience = runtime().settings.webhook_patience
    if since is not None and endpoint.now - since > patience:
        disable(connection, endpoint, f"nothing was taken for {patience.days} days")


DISABLE = """
UPDATE webhook_endpoints SET state = 'disabled', disabled_reason = :reason
WHERE id = :id AND state = 'enabled' AND url = :url
"""


def disable(connection: Connection, endpoint: Endpoint, reason: str) -> None:
    """Send nothing more until somebody enables it again; then it goes on where it was."""
    known = {"id": endpoint.id, "url": endpoint.url, "reason": reason}
    if connection.execute(text(DISABLE), known).rowcount:
        log.warning("webhook endpoint %d is disabled: %s", endpoint.id, reason)


CAUGHT_UP = """
DELETE FROM webhook_stalls WHERE endpoint_id = :endpoint AND owner_id = :owner AND seq = :old
"""
RETRIED = """
UPDATE webhook_stalls
SET seq = :seq, attempts = :attempts, since = :since, next_at = ledger.clock() + :pause, last_failure = :failure
WHERE endpoint_id = :endpoint AND owner_id = :owner AND seq = :old
"""


def of_stalls(
    endpoint: Endpoint, stalls: Sequence[Stall], outcome: Outcome, reached: Mapping[int, int | None]
) -> None:
    """Note what became of users that had to wait.

    `reached` has, by user, the number from which to go on where all was taken: None where the user
    has caught up with the endpoint's cursor.
    """
    by_user = {user.owner_id: user for user in outcome.users}
    with runtime().engine.begin() as connection:
        for stall in stalls:
            user = by_user.get(stall.owner_id)
            _retried(connection, endpoint, stall, user, reached[stall.owner_id])
        _note(connection, endpoint, outcome)


def _retried(
    connection: Connection,
    endpoint: Endpoint,
    stall: Stall,
    user: UserEvents | None,
    go_on: int | None,
) -> None:
    row = {"endpoint": endpoint.id, "owner": stall.owner_id, "old": stall.seq}
    if user is None or user.is_done:
        if go_on is None:
            connection.execute(text(CAUGHT_UP), row)
            return
        more = {"seq": go_on, "attempts": 0, "since": endpoint.now, "pause": timedelta(0)}
        connection.execute(text(RETRIED), row | more | {"failure": stall.last_failure})
        return
    attempts, since = (0, endpoint.now) if user.taken else (stall.attempts, stall.since)
    failed = user.failed
    attempts += failed is not None
    wait = pause(attempts, failed.retry_after) if failed else timedelta(0)
    more = {"seq": user.first_left.seq, "attempts": attempts, "since": since, "pause": wait}
    failure = failed.failure if failed else stall.last_failure
    connection.execute(text(RETRIED), row | more | {"failure": failure})
    if failed:
        _give_up_on_user(connection, endpoint, since)


def _give_up_on_user(connection: Connection, endpoint: Endpoint, since: datetime) -> None:
    patience = runtime().settings.webhook_patience
    if endpoint.now - since > patience:
        disable(connection, endpoint, f"a user's event was not taken for {patience.days} days")
