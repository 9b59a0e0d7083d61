"""Books what imports hold, chunk by chunk, in the order of the file.

A chunk's wins, its counts and its refused lines are committed together: a worker that is killed has
done a chunk or has not begun with it. Two workers never have the same import at once. A chunk that
can't be booked for a reason of its own is refused whole, so that what comes after it is booked.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DataError, IntegrityError

from portal import ledger
from portal.ledger.errors import LedgerError
from portal.logs import trace
from portal.runtime import runtime
from portal.services import clients, locks, wins
from portal.services.imports import lines
from portal.services.imports.lines import Line
from portal.services.models import ImportRefusal
from portal.services.win_items import DETAILS
from portal.services.wins import WinRequest

log = logging.getLogger(__name__)

SLICE_S = 2
"""After which a worker leaves an import to see what else is to be done."""
LONGEST_WAIT = "2s"
"""For users locked elsewhere, while those before them stay locked by the chunk."""
OWN_FAULTS = (
    ArithmeticError,
    AssertionError,
    LookupError,
    TypeError,
    ValueError,
    DataError,
    IntegrityError,
)
"""What would fail again. A database that is away or not up to date, or a job's time: try later."""

Taken = tuple[dict[str, int], list[dict[str, Any]]]
"""How many lines came to what, and those that were refused."""
Take = Callable[[Connection, Any], Taken]

# A client all of whose keys were revoked books nothing more: its imports wait for a new one.
DUE = """
SELECT i.id, (SELECT min(c.number) FROM import_chunks c WHERE c.import_id = i.id AND c.finished_at IS NULL)
FROM imports i
WHERE i.state <> 'done' AND EXISTS (
    SELECT FROM api_keys k WHERE k.client_id = i.client_id AND k.revoked_at IS NULL
    AND (k.expires_at IS NULL OR k.expires_at > ledger.clock()))
"""


def due() -> list[tuple[int, int]]:
    """Every import that is not done and whose client has a key that works, with the chunk that is next.

    Oldest first.
    """
    with runtime().engine.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(text(DUE + "ORDER BY i.id"))]


def work(import_id: int, number: int) -> int | None:
    """Book an import's chunks for SLICE_S seconds, from `number` on; the chunk that is next then.

    None when the import is not due, another worker has it, or `number` is not its next chunk: whoever
    came before carries on, so that jobs of one import never multiply. Raises Unavailable.
    """
    with _alone(import_id) as alone:
        if not alone or _due(import_id) != number:
            return None
        until = time.monotonic() + SLICE_S
        following = _book(import_id, number)
        while following is not None and time.monotonic() < until:
            following = _book(import_id, following)
        return following


@contextmanager
def _alone(import_id: int) -> Iterator[bool]:
    """Whether nobody else has the import; the lock ends with the process, whatever becomes of it."""
    with runtime().engine.begin() as connection:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        statement = f"SELECT pg_try_advisory_xact_lock({locks.IMPORT}, :number)"
        yield bool(connection.scalar(text(statement), {"number": import_id % 2**31}))


def _due(import_id: int) -> int | None:
    with runtime().engine.connect() as connection:
        row = connection.execute(text(DUE + "AND i.id = :id"), {"id": import_id}).first()
        return row[1] if row else None


BEGIN = """
UPDATE imports SET state = 'running', started_at = ledger.clock() WHERE id = :id AND state = 'queued'
"""
CHUNK = """
SELECT c.first_line, c.content, i.client_id, i.format FROM import_chunks c JOIN imports i ON i.id = c.import_id
WHERE c.import_id = :id AND c.number = :number
"""
FINISH = """
UPDATE import_chunks SET content = NULL, finished_at = ledger.clock(),
       posted = :posted, replayed = :replayed, rejected = :rejected
WHERE import_id = :id AND number = :number
"""
NEXT = "SELECT min(number) FROM import_chunks WHERE import_id = :id AND finished_at IS NULL"
END = """
UPDATE imports SET state = 'done', finished_at = ledger.clock() WHERE id = :id
"""


def _book(import_id: int, number: int) -> int | None:
    """Book a chunk in one transaction; the number of the next, None for the last."""
    try:
        return _done(import_id, number, _posted)
    except OWN_FAULTS as error:
        log.error("chunk %d of import %d is refused\n%s", number, import_id, trace(error))  # noqa: TRY400 - a traceback of its own would quote lines
        return _done(import_id, number, _given_up)


def _done(import_id: int, number: int, take: Take) -> int | None:
    this = {"id": import_id, "number": number}
    with runtime().engine.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{LONGEST_WAIT}'"))
        connection.execute(text(BEGIN), this)
        chunk = connection.execute(text(CHUNK), this).one()
        counts, refused = take(connection, chunk)
        if refused:
            rows = [{"import_id": import_id, **each} for each in refused]
            connection.execute(insert(ImportRefusal), rows)
        connection.execute(text(FINISH), this | counts)
        following: int | None = connection.scalar(text(NEXT), this)
        if following is None:
            connection.execute(text(END), this)
    return following


def _posted(connection: Connection, chunk: Any) -> Taken:
    limits = clients.limits_of(chunk.client_id)  # those of now, whatever they were when it was sent

    def check(win: WinRequest) -> None:
        limits.check(win.user_id, win.game)

    read = list(lines.read(chunk.format, chunk.first_line, chunk.content, check))
    return _post(connection, chunk.client_id, read)


def _given_up(_: Connection, chunk: Any) -> Taken:
    why = {"code": "internal_error", "detail": DETAILS["internal_error"], "param": None}
    refused = [
        {"line": number, "content": content, **why}
        for number, content in lines.texts(chunk.format, chunk.first_line, chunk.content)
    ]
    return {"posted": 0, "replayed": 0, "rejected": len(refused)}, refused


def _post(connection: Connection, client_id: int, read: Sequence[Line]) -> Taken:
    """Post the lines that are wins: how many came to what, and those that were refused."""
    entries = [wins.entry(client_id, line.win) for line in read if isinstance(line.win, WinRequest)]
    window = runtime().import_window
    outcomes = iter(ledger.post_within(connection, entries, window) if entries else ())
    counts = {"posted": 0, "replayed": 0, "rejected": 0}
    refused = []
    for line in read:
        outcome = next(outcomes) if isinstance(line.win, WinRequest) else None
        counts[outcome.status if outcome else "rejected"] += 1
        if outcome is None or outcome.status == "rejected":
            refused.append(_refusal(line, outcome))
    return counts, refused


def _refusal(line: Line, outcome: ledger.Outcome | None) -> dict[str, Any]:
    row: dict[str, Any] = {"line": line.number, "param": None, "content": line.text}
    if isinstance(line.win, LedgerError):
        param, detail = line.win.figures.get("param"), line.win.detail or DETAILS[line.win.code]
        return row | {"code": line.win.code, "detail": detail, "param": param}
    assert outcome is not None
    assert outcome.code is not None
    return row | {"code": outcome.code, "detail": DETAILS.get(outcome.code, outcome.code)}
