"""Imports as they are kept: made once a key, read by their client, forgotten in part after a while."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from portal import ledger
from portal.ledger.errors import NotFound, Refused
from portal.ledger.idempotency import key_hash
from portal.runtime import runtime
from portal.services.imports.files import Chunk, File
from portal.services.models import Import, ImportChunk
from portal.services.users import ID, MAX_ID

ROWS = 20
"""Chunks stored in one statement: a megabyte or two."""
PAGE = 1000
"""Refusals read, or forgotten, at a time."""
SLOWEST = "60s"
"""For a statement that stores chunks, on a database that is busy."""


@dataclass(frozen=True, slots=True)
class Progress:
    """An import and how far it is. `report_until` is when its refused lines are forgotten."""

    id: int
    format: str
    state: str
    lines: int
    posted: int
    replayed: int
    rejected: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def processed(self) -> int:
        """Lines that are done with, whatever came of them."""
        return self.posted + self.replayed + self.rejected

    @property
    def report_until(self) -> datetime | None:
        """None until it is done: the time runs from then."""
        keep = runtime().settings.import_keep
        return None if self.finished_at is None else self.finished_at + keep


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was not booked, as it was sent, and why."""

    line: int
    code: str
    detail: str
    param: str | None
    content: str


def create(client_id: int, key: str, file: File) -> tuple[Progress, bool]:
    """Keep a file to be booked; the same key and file again find the import and answer False.

    All of it is stored, or nothing. Raises Refused('idempotency_key_reused') for another file, and
    Refused('rate_limited') while as many of its imports as it may have are not done.
    """
    with runtime().engine.begin() as connection:
        connection.execute(text(f"SET LOCAL statement_timeout = '{SLOWEST}'"))
        made = insert(Import).values(
            client_id=client_id,
            key_hash=key_hash(client_id, key),
            request_hash=file.digest,
            format=file.format,
            state="queued",
            lines=file.lines,
            created_at=ledger.now(connection),
        )
        new = made.on_conflict_do_nothing(index_elements=["client_id", "key_hash"])
        number = connection.execute(new.returning(Import.id)).scalar()
        if number is not None:
            _check_unfinished(connection, client_id)
            _store(connection, number, file.chunks)
        found = _existing(connection, client_id, key, file) if number is None else number
    return get(client_id, str(found)), number is not None


UNFINISHED = "SELECT count(*) FROM imports WHERE client_id = :client AND state <> 'done'"


def _check_unfinished(connection: Connection, client_id: int) -> None:
    most = runtime().settings.import_max_unfinished
    if connection.execute(text(UNFINISHED), {"client": client_id}).scalar_one() > most:
        detail = f"{most} imports of yours are not done: send the file when one is"
        raise Refused("rate_limited", detail, limit=str(most), remaining="0")


def _existing(connection: Connection, client_id: int, key: str, file: File) -> int:
    query = select(Import.id, Import.request_hash)
    this = query.where(Import.client_id == client_id, Import.key_hash == key_hash(client_id, key))
    found = connection.execute(this).one()
    if bytes(found.request_hash) != file.digest:
        raise Refused("idempotency_key_reused", "this key was used for another file")
    return int(found.id)


def _store(connection: Connection, number: int, chunks: list[Chunk]) -> None:
    for first in range(0, len(chunks), ROWS):
        rows = [
            {
                "import_id": number,
                "number": chunk.number,
                "first_line": chunk.first_line,
                "lines": chunk.lines,
                "content": chunk.content,
            }
            for chunk in chunks[first : first + ROWS]
        ]
        connection.execute(insert(ImportChunk), rows)


IMPORTS = """
SELECT i.id, i.format, i.state, i.lines, c.posted, c.replayed, c.rejected,
       i.created_at, i.started_at, i.finished_at
FROM imports i
CROSS JOIN LATERAL (SELECT coalesce(sum(posted), 0) AS posted, coalesce(sum(replayed), 0) AS replayed,
                           coalesce(sum(rejected), 0) AS rejected
                    FROM import_chunks WHERE import_id = i.id) c
WHERE i.client_id = :client AND (CAST(:before AS bigint) IS NULL OR i.id < :before)
ORDER BY i.id DESC LIMIT :limit
"""


def every(client_id: int, before: int | None, limit: int) -> list[Progress]:
    """A client's imports, newest first, from `before` (exclusive) on."""
    values = {"client": client_id, "before": before, "limit": limit}
    with runtime().engine.connect() as connection:
        rows = connection.execute(text(IMPORTS), values).mappings()
        return [Progress(**row) for row in rows]


def get(client_id: int, import_id: str) -> Progress:
    """An import of a client. Raises NotFound('unknown_import')."""
    number = int(import_id) if ID.fullmatch(import_id) else MAX_ID
    found = every(client_id, number + 1, 1) if number < MAX_ID else []
    if not found or found[0].id != number:
        raise NotFound("unknown_import", "there is no such import")
    return found[0]


REFUSALS = """
SELECT line, code, detail, param, content FROM import_refusals
WHERE import_id = :id AND line > :after ORDER BY line LIMIT :limit
"""


def refusals(import_id: int) -> Iterator[list[Refusal]]:
    """The refused lines so far, in the order of the file, page by page; the last may be empty."""
    after = 0
    while True:
        with runtime().engine.connect() as connection:
            rows = connection.execute(
                text(REFUSALS), {"id": import_id, "after": after, "limit": PAGE}
            )
            page = [Refusal(*row) for row in rows]
        yield page
        if len(page) < PAGE:
            return
        after = page[-1].line


def is_forgotten(progress: Progress) -> bool:
    """Whether the import's refused lines are past the time for which they are kept."""
    until = progress.report_until
    with runtime().engine.connect() as connection:
        return until is not None and until <= ledger.now(connection)


FORGET = """
DELETE FROM import_refusals r USING (
    SELECT f.import_id, f.line FROM imports i JOIN import_refusals f ON f.import_id = i.id
    WHERE i.finished_at <= :before LIMIT :limit) old
WHERE r.import_id = old.import_id AND r.line = old.line
"""


def forget_due() -> int:
    """Delete the refused lines of imports that were done long enough ago; how many. Safe to repeat."""
    forgotten = 0
    while True:
        with runtime().engine.begin() as connection:
            before = ledger.now(connection) - runtime().settings.import_keep
            values: dict[str, Any] = {"before": before, "limit": PAGE}
            deleted = connection.execute(text(FORGET), values).rowcount
        forgotten += deleted
        if deleted < PAGE:
            return forgotten
