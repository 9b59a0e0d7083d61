"""The one way into the books from Python: entries in, outcomes out, through `ledger.post` in SQL.

Knows the function's parameters and the driver, and nothing of requests, people or retries.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import psycopg2
from psycopg2.errors import LockNotAvailable

from portal.ledger import chart
from portal.ledger.errors import first_line

log = logging.getLogger(__name__)

MAX_BATCH = 1000
KIND_IDS = {kind.code: kind.id for kind in chart.KINDS}

Status = Literal["posted", "replayed", "rejected", "busy"]


@dataclass(slots=True)
class Entry:
    """One business event to be booked. Nothing changes one; freezing it would take 2 us of a win's 130.

    `amount` is in base units of the ledger's asset (None for a reversal and a release, whose amounts
    follow from what they name, and for a capture of the whole hold); `occurred_at` has an offset, or
    is None for "when booked"; `key_hash` and `request_hash` come from `idempotency`. `reverses_seq`
    and `hold_seq` name the entry that is reversed, or the hold that ends; `expires_at` is a new
    hold's; `provider` is who took the payment of a top-up.
    """

    owner_id: int
    kind: str
    ledger_id: int
    client_id: int
    key_hash: str
    request_hash: bytes
    amount: int | None
    occurred_at: datetime | None = None
    reverses_seq: int | None = None
    hold_seq: int | None = None
    expires_at: datetime | None = None
    game: str | None = None
    reference: str | None = None
    description: str | None = None
    reason: str | None = None
    provider: str | None = None


@dataclass(slots=True)
class Outcome:
    """What became of an entry. Nothing changes one, as with an Entry.

    'posted' and 'replayed' carry the entry's `seq`, `booked_at` and `day`; 'rejected' carries
    `code`. `day_limit` and `used` (of the entry's day), `balance` (of the user's wallet) and `held`
    (the part of it that is set aside) are base units, where the kind has them. 'busy' means that the
    owner is locked elsewhere.
    """

    status: Status
    code: str | None
    seq: int | None
    booked_at: datetime | None
    day: date | None
    day_limit: int | None
    used: int | None
    balance: int | None
    held: int | None


@dataclass(frozen=True, slots=True)
class Window:
    """How far before and after the ledger clock an `occurred_at` may lie. None: no bound."""

    max_age: timedelta | None = None
    max_ahead: timedelta | None = None


UNBOUNDED = Window()
CULPRIT = Outcome("rejected", "internal_error", None, None, None, None, None, None, None)
BUSY = Outcome("busy", None, None, None, None, None, None, None, None)
AWAY = (psycopg2.OperationalError, psycopg2.InterfaceError)
"""Lost connections, refused ones, timeouts and lack of resources."""


def is_away(error: BaseException | None) -> bool:
    """Whether the driver's error is of AWAY, or that of a connection that broke midway.

    That one has no class of its own, and no code.
    """
    broke = type(error) is psycopg2.DatabaseError and error.pgcode is None
    return broke or isinstance(error, AWAY)


CALL = """
SELECT * FROM ledger.post(
    %s::bigint[], %s::smallint[], %s::smallint[], %s::bigint[], %s::uuid[], %s::bytea[],
    %s::numeric[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::timestamptz[],
    %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s, %s, %s)
"""


def post(cursor: Any, entries: Sequence[Entry], window: Window, *, wait: bool) -> list[Outcome]:
    """Book 1 to 1,000 entries in one round trip; the outcomes come in the same order.

    `cursor` is a psycopg2 cursor; in autocommit the call is a transaction of its own. With `wait`
    false, entries of owners that are locked elsewhere come back 'busy'. Raises psycopg2.Error,
    and then nothing was written.
    """
    if not 1 <= len(entries) <= MAX_BATCH:
        raise ValueError(f"a batch has 1 to {MAX_BATCH} entries, not {len(entries)}")
    try:
        cursor.execute(CALL, (*_columns(entries), wait, window.max_age, window.max_ahead))
        return [_outcome(row) for row in cursor.fetchall()]
    except psycopg2.DatabaseError as error:
        if is_away(error) and not isinstance(error, AWAY):  # it may be committed
            raise psycopg2.OperationalError(first_line(error)) from error
        raise


def post_in_savepoint(
    cursor: Any, entries: Sequence[Entry], window: Window, *, wait: bool
) -> list[Outcome]:
    """`post` within a transaction, which goes on where the call fails."""
    cursor.execute("SAVEPOINT posting")
    try:
        outcomes = post(cursor, entries, window, wait=wait)
    except AWAY as error:
        if isinstance(error, LockNotAvailable):
            cursor.execute("ROLLBACK TO SAVEPOINT posting")
        raise
    except psycopg2.Error:
        cursor.execute("ROLLBACK TO SAVEPOINT posting")
        raise
    cursor.execute("RELEASE SAVEPOINT posting")
    return outcomes


def post_isolating(
    cursor: Any,
    entries: Sequence[Entry],
    window: Window,
    *,
    wait: bool,
    post: Callable[..., list[Outcome]] = post,
) -> list[Outcome]:
    """Like `post`, but an entry that breaks its batch is found by halving and alone fails.

    It is 'rejected' with `internal_error`. What waited too long for a lock is 'busy'. Raises one of AWAY when the database is away or too
    slow; then nothing of the part that was under way was written, and every key may be sent again.
    """
    try:
        return post(cursor, entries, window, wait=wait)
    except LockNotAvailable:
        return [BUSY] * len(entries)
    except AWAY:
        raise
    except Exception as error:  # noqa: BLE001  (whatever it is, it must not reach the neighbours)
        if len(entries) == 1:
            log.error(  # noqa: TRY400  (a trace would quote the client's text)
                "an entry of owner %d can't be booked: %s", entries[0].owner_id, first_line(error)
            )
            return [CULPRIT]
        log.warning("halving a batch of %d entries: %s", len(entries), first_line(error))
        middle = len(entries) // 2
        halves = (entries[:middle], entries[middle:])
        first, second = (
            post_isolating(cursor, half, window, wait=wait, post=post) for half in halves
        )
        return first + second


def _columns(entries: Sequence[Entry]) -> tuple[str | None, ...]:
    """One array literal a parameter: far cheaper to parse than a row constructor an entry."""
    return (
        _array(str(e.owner_id) for e in entries),
        _array(str(KIND_IDS[e.kind]) for e in entries),
        _array(str(e.ledger_id) for e in entries),
        _array(str(e.client_id) for e in entries),
        _array(e.key_hash for e in entries),
        _array(f'"\\\\x{e.request_hash.hex()}"' for e in entries),
        _optional([e.amount for e in entries], str),
        _optional([e.occurred_at for e in entries], _time),
        _optional([e.reverses_seq for e in entries], str),
        _optional([e.hold_seq for e in entries], str),
        _optional([e.expires_at for e in entries], _time),
        _optional([e.game for e in entries], _quoted),
        _optional([e.reference for e in entries], _quoted),
        _optional([e.description for e in entries], _quoted),
        _optional([e.reason for e in entries], _quoted),
        _optional([e.provider for e in entries], _quoted),
    )


def _array(values: Iterable[str]) -> str:
    return "{" + ",".join(values) + "}"


def _optional(values: Sequence[Any], write: Callable[[Any], str]) -> str | None:
    if all(value is None for value in values):
        return None
    return _array("NULL" if value is None else write(value) for value in values)


def _time(at: datetime) -> str:
    return f'"{at.isoformat()}"'


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _outcome(row: tuple[Any, ...]) -> Outcome:
    status, code, seq, booked_at, day, day_limit, used, balance, held = row
    return Outcome(
        status,
        code,
        seq,
        booked_at,
        day,
        None if day_limit is None else int(day_limit),
        None if used is None else int(used),
        None if balance is None else int(balance),
        None if held is None else int(held),
    )
