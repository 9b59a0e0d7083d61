"""Postings of a ledger and of accounting dates, in the order they were booked, however many.

As rows, or as CSV that the database itself writes. All values are text as files have it: amounts as
decimals, times in UTC. One REPEATABLE READ connection sees one moment of the books.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, text

from portal.ledger.clock import HOUR
from portal.ledger.spans import DAY, midnight

AT_ONCE = 2_000
"""Rows that are fetched at a time."""
LONGEST = timedelta(minutes=30)
"""That a statement may take: among much else even the first rows of a ledger may be far to seek."""
NONE = -1
"""The code of no letter."""
NOWHERE = "$."
"""A pattern that nothing has."""


@dataclass(frozen=True, slots=True)
class Range:
    """Which postings: of a ledger (None: of all), with accounting dates from `first` to `last`."""

    ledger: str | None
    first: date
    last: date


class PostingRow(NamedTuple):
    """A posting with its entry. `reverses` and `hold` name other entries of the same user."""

    entry_id: str
    line: int
    kind: str
    booked_at: str
    occurred_at: str
    accounting_date: str
    day: str
    ledger: str
    debit: str
    credit: str
    amount: str
    asset: str
    user_id: int
    client_id: int
    provider: str | None
    game: str | None
    reference: str | None
    description: str | None
    reason: str | None
    reverses: str | None
    hold: str | None


class Writable(Protocol):
    """What CSV is written into, some rows at a time; it raises to end it."""

    def write(self, piece: bytes, /) -> object: ...  # noqa: D102


MOMENT = """to_char({}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
SAID = """CASE WHEN ascii({0}) = ANY (%(marked)s) THEN '''' ELSE '' END
       || CASE WHEN strpos({0}, ';') > 0 THEN regexp_replace({0}, %(inner)s, ';''\\1', 'g') ELSE {0} END AS {0}"""
"""What somebody said: an apostrophe before what begins, or is `inner`, with a letter that is `marked`, by its code."""
# Each part depends on the one before and is no join that the planner may turn round: so the order is that
# of the index, without sorting. Names are found by their number, in arrays.
FROM = """
FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) r (start_at, end_at)
CROSS JOIN LATERAL (
    SELECT * FROM ledger.entries
    WHERE booked_at >= r.start_at AND booked_at < r.end_at
      AND accounting_date BETWEEN %(first)s AND %(last)s
    ORDER BY booked_at, owner_id, seq OFFSET 0) e
CROSS JOIN LATERAL (
    SELECT * FROM ledger.postings
    WHERE owner_id = e.owner_id AND seq = e.seq
      AND (%(ledger)s IS NULL OR ledger_id = %(ledger)s)
    ORDER BY line OFFSET 0) p
"""
POSTINGS = f"""
SELECT e.owner_id || '-' || e.seq AS entry_id, p.line, (%(kinds)s)[e.kind_id] AS kind,
       {MOMENT.format("e.booked_at")} AS booked_at, {MOMENT.format("e.occurred_at")} AS occurred_at,
       e.accounting_date::text, e.day::text, (%(ledgers)s)[p.ledger_id] AS ledger,
       (%(accounts)s)[p.debit_account_id] AS debit, (%(accounts)s)[p.credit_account_id] AS credit,
       trim_scale(p.amount * (%(units)s)[p.ledger_id])::text AS amount,
       (%(assets)s)[p.ledger_id] AS asset, e.owner_id AS user_id, e.client_id,
       {", ".join(SAID.format(name) for name in ("provider", "game", "reference", "description", "reason"))},
       e.owner_id || '-' || e.reverses_seq AS reverses, e.owner_id || '-' || e.hold_seq AS hold
{FROM}
"""
COUNT = f"SELECT count(*) FROM (SELECT 1 {FROM} LIMIT %(most)s) counted"
COPY = f"COPY ({POSTINGS}) TO STDOUT (FORMAT csv, HEADER)"
NAMES = {
    "kinds": "SELECT id, code FROM ledger.entry_kinds",
    "accounts": "SELECT id, code FROM ledger.accounts",
    "ledgers": "SELECT id, code FROM ledger.ledgers",
    "assets": "SELECT id, asset FROM ledger.ledgers",
    "units": "SELECT l.id, ('1e-' || a.scale)::numeric FROM ledger.ledgers l JOIN ledger.assets a ON a.code = l.asset",
}
LATE = "SELECT DISTINCT hour FROM ledger.late(:first, :before) WHERE hour >= :end ORDER BY hour"


def count_postings(connection: Connection, wanted: Range, most: int) -> int:
    """How many there are, counted up to `most`."""
    with _driver(connection).cursor() as cursor:
        cursor.execute(COUNT, {**_known(connection, wanted, ()), "most": most})
        return int(cursor.fetchone()[0])


def posting_rows(connection: Connection, wanted: Range) -> Iterator[PostingRow]:
    """Them all, as they were said."""
    with _driver(connection).cursor("postings") as cursor:
        cursor.itersize = AT_ONCE
        cursor.execute(POSTINGS, _known(connection, wanted, ()))
        yield from map(PostingRow._make, cursor)


def copy_postings(
    connection: Connection, wanted: Range, marked: Sequence[str], into: Writable
) -> None:
    """Write them as CSV with a header.

    What somebody said gets an apostrophe before each of the characters `marked` that begins it, or stands
    behind a semicolon, where some spreadsheets begin a cell.
    """
    with _driver(connection).cursor() as cursor:
        cursor.copy_expert(cursor.mogrify(COPY, _known(connection, wanted, marked)), into)


def _known(connection: Connection, wanted: Range, marked: Sequence[str]) -> Mapping[str, Any]:
    """What the statements are told. From here on the transaction's may take their time."""
    connection.execute(
        text(f"SET LOCAL statement_timeout = {LONGEST // timedelta(milliseconds=1)}")
    )
    names = {name: _by_number(connection, query) for name, query in NAMES.items()}
    start, end = midnight(wanted.first), midnight(wanted.last) + DAY
    late = {"first": wanted.first, "before": wanted.last + DAY, "end": end}
    hours = connection.scalars(text(LATE), late).all()
    return {
        **names,
        "inner": f";([{re.escape(''.join(marked))}])" if marked else NOWHERE,
        "marked": [ord(letter) for letter in marked] or [NONE],
        "first": wanted.first,
        "last": wanted.last,
        "ledger": names["ledgers"].index(wanted.ledger) + 1 if wanted.ledger else None,
        "starts": [start, *hours],
        "ends": [end, *(hour + HOUR for hour in hours)],
    }


def _by_number(connection: Connection, query: str) -> list[Any]:
    """What each number from 1 on stands for."""
    found = {row[0]: row[1] for row in connection.execute(text(query))}
    return [found.get(number) for number in range(1, max(found) + 1)]


def _driver(connection: Connection) -> Any:
    """psycopg2's connection: cursors of the server and COPY are its own."""
    return connection.connection.driver_connection
