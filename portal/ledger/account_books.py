"""An account of the books from the top down: its days, a day's hours, an hour's users, a user's postings.

Each level adds up to the one above, of the same span. Days and hours are UTC, amounts base units. By
accounting date an hour is one of booking: what was booked late stands in the day it belongs to, under the
hour in which it was booked.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from portal.ledger.clock import HOUR
from portal.ledger.errors import NotFound
from portal.ledger.spans import DAY, INSTANT, Span, midnight

DAYS = 62
"""At most listed at once."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a UTC day moved in an account."""

    at: date
    debits: int
    credits: int


@dataclass(frozen=True, slots=True)
class MovedHour:
    """What an hour of booking moved; `late`: for an accounting date before its own."""

    at: datetime
    debits: int
    credits: int
    late: bool


@dataclass(frozen=True, slots=True)
class UserMoved:
    """What an hour moved for one owner, by how many entries."""

    owner_id: int
    debits: int
    credits: int
    entries: int


@dataclass(frozen=True, slots=True)
class AccountLine:
    """A posting as one of its accounts sees it: of `debit` and `credit` one is 0, `other` has the other side."""

    seq: int
    line: int
    kind: str
    booked_at: datetime
    occurred_at: datetime
    accounting_date: date
    other: str
    debit: int
    credit: int
    game: str | None
    reference: str | None


ACCOUNT = """
SELECT a.id FROM ledger.accounts a JOIN ledger.ledgers l ON l.id = a.ledger_id
WHERE l.code = :ledger AND a.code = :account
"""
NEWEST = """
SELECT greatest(
    (SELECT max(hour) FROM ledger.closed_totals WHERE account_id = :account AND hour < :before),
    (SELECT max(hour) FROM ledger.account_hours(CAST(:account AS smallint), least(ledger.closed_until(), CAST(:before AS timestamptz)),
                                                CAST(:before AS timestamptz))),
    (SELECT max(accounting_date)::timestamp AT TIME ZONE 'UTC'
     FROM ledger.late('-infinity', CAST(:last AS date)) WHERE account_id = :account AND :dated))
"""
HOURS = """
SELECT hour, debits, credits FROM ledger.account_hours(CAST(:account AS smallint), :start, :end) ORDER BY hour DESC
"""
LATE_IN = """
SELECT hour, accounting_date, debits, credits FROM ledger.late('-infinity', 'infinity')
WHERE account_id = :account
  AND (accounting_date >= :first AND accounting_date < :last OR hour >= :start AND hour < :end)
ORDER BY hour DESC
"""
OF_HOUR = """
FROM ledger.postings p
JOIN ledger.entries e ON e.owner_id = p.owner_id AND e.seq = p.seq
WHERE p.booked_at >= :from AND p.booked_at < :to AND :account IN (p.debit_account_id, p.credit_account_id)
  AND (NOT :dated OR e.accounting_date >= CAST(:first AS date) AND e.accounting_date < CAST(:last AS date))
"""
USERS = f"""
SELECT p.owner_id, coalesce(sum(p.amount) FILTER (WHERE p.debit_account_id = :account), 0) AS debits,
       coalesce(sum(p.amount) FILTER (WHERE p.credit_account_id = :account), 0) AS credits,
       count(DISTINCT p.seq) AS entries
{OF_HOUR} AND p.owner_id > :after
GROUP BY p.owner_id ORDER BY p.owner_id LIMIT :limit
"""
LINES = f"""
SELECT p.seq, p.line, k.code AS kind, e.booked_at, e.occurred_at, e.accounting_date, o.code AS other,
       CASE WHEN p.debit_account_id = :account THEN p.amount ELSE 0 END AS debit,
       CASE WHEN p.credit_account_id = :account THEN p.amount ELSE 0 END AS credit, e.game, e.reference
FROM (SELECT p.* {OF_HOUR} AND p.owner_id = :owner_id AND e.booked_at >= :from AND e.booked_at < :to
        AND (p.seq, p.line) > (:seq, :line) ORDER BY p.seq, p.line LIMIT :limit) p
JOIN ledger.entries e ON e.owner_id = p.owner_id AND e.seq = p.seq
JOIN ledger.entry_kinds k ON k.id = e.kind_id
JOIN ledger.accounts o ON o.id = p.debit_account_id + p.credit_account_id - :account
ORDER BY p.seq, p.line
"""
BEGINNING, END = "-infinity", "infinity"


def account_days(
    connection: Connection,
    ledger: str,
    account: str,
    span: Span,
    before: date | None = None,
    limit: int = DAYS,
) -> list[Moved]:
    """The days of a span in which an account moved, newest first: at most `limit` days, before one.

    Days in which nothing moved are left out, but count. Raises NotFound('unknown_account').
    """
    number = account_id(connection, ledger, account)
    until = min(midnight(before), span.end) if before else span.end
    newest = _newest(connection, number, span, until)
    if newest is None or (span.start and newest < midnight(span.start.astimezone(UTC).date())):
        return []
    last = midnight(newest.astimezone(UTC).date())
    part = span.within(last - (limit - 1) * DAY, min(last + DAY, until))
    hours = _hours(connection, number, part)
    days = sorted(hours, key=lambda hour: hour[0], reverse=True)
    return [_sum(day, same) for day, same in groupby(days, key=lambda hour: hour[0])]


def account_hours(
    connection: Connection, ledger: str, account: str, day: date, span: Span
) -> list[MovedHour]:
    """The hours of booking in which an account moved for a UTC day, newest first.

    Raises NotFound('unknown_account').
    """
    number = account_id(connection, ledger, account)
    part = span.within(midnight(day), midnight(day) + DAY)
    found = [
        MovedHour(hour, debits, credits, hour >= midnight(day) + DAY)
        for _, hour, debits, credits in _hours(connection, number, part)
    ]
    return sorted(found, key=lambda hour: hour.at, reverse=True)


def account_users(  # noqa: PLR0913, PLR0917 - which account, which hour, which page
    connection: Connection,
    ledger: str,
    account: str,
    hour: datetime,
    span: Span,
    after: int | None,
    limit: int,
) -> list[UserMoved]:
    """The owners for whom an account moved in an hour of booking, by their numbers from `after` (exclusive) on.

    By accounting date, what belongs to the dates of the span alone. Raises NotFound('unknown_account').
    """
    known = _of_hour(connection, ledger, account, hour, span)
    known |= {"after": -1 if after is None else after, "limit": limit}
    rows = connection.execute(text(USERS), known)
    return [UserMoved(r.owner_id, int(r.debits), int(r.credits), r.entries) for r in rows]


def account_lines(  # noqa: PLR0913, PLR0917 - which account, hour and owner, which page
    connection: Connection,
    ledger: str,
    account: str,
    hour: datetime,
    span: Span,
    owner_id: int,
    after: tuple[int, int] | None,
    limit: int,
) -> list[AccountLine]:
    """The postings of an owner that moved an account in an hour of booking, from a (seq, line) (exclusive) on.

    Raises NotFound('unknown_account').
    """
    seq, line = after or (0, 0)
    known = _of_hour(connection, ledger, account, hour, span)
    known |= {"owner_id": owner_id, "seq": seq, "line": line, "limit": limit}
    rows = connection.execute(text(LINES), known).mappings()
    return [
        AccountLine(**{**r, "debit": int(r["debit"]), "credit": int(r["credit"])}) for r in rows
    ]


def account_id(connection: Connection, ledger: str, account: str) -> int:
    """The number of an account, which never changes: a connection asks for each once.

    Raises NotFound('unknown_account').
    """
    numbers: dict[tuple[str, str], int] = connection.info.setdefault("accounts", {})
    if (ledger, account) not in numbers:
        known = {"ledger": ledger, "account": account}
        found: int | None = connection.scalar(text(ACCOUNT), known)
        if found is None:
            raise NotFound("unknown_account", f"there is no account {account} in a ledger {ledger}")
        numbers[ledger, account] = found
    return numbers[ledger, account]


def _newest(connection: Connection, account: int, span: Span, until: datetime) -> datetime | None:
    """An instant of the last day before `until` that has anything in it."""
    dated = span.clock == "accounting"
    last = (until - INSTANT).astimezone(UTC).date() + DAY
    known = {"account": account, "before": until, "last": last, "dated": dated}
    found: datetime | None = connection.scalar(text(NEWEST), known)
    return found


def _hours(
    connection: Connection, account: int, part: Span
) -> list[tuple[date, datetime, int, int]]:
    """What moved by day and hour of booking, in a span with both ends."""
    known = {"account": account, "start": part.start, "end": part.end}
    rows = connection.execute(text(HOURS), known)
    booked = {row.hour: (int(row.debits), int(row.credits)) for row in rows}
    found = []
    if part.clock == "accounting":
        assert part.start is not None
        dates = {"first": part.start.date(), "last": part.end.date()}
        for hour, day, debits, credits in connection.execute(text(LATE_IN), known | dates):
            if hour in booked:  # it is of another day
                own = booked[hour]
                booked[hour] = (own[0] - int(debits), own[1] - int(credits))
            if dates["first"] <= day < dates["last"]:
                found.append((day, hour, int(debits), int(credits)))
    own_days = [(hour.astimezone(UTC).date(), hour, *moved) for hour, moved in booked.items()]
    return [each for each in (*own_days, *found) if any(each[2:])]


def _sum(day: date, hours: Any) -> Moved:
    each = list(hours)
    return Moved(day, sum(hour[2] for hour in each), sum(hour[3] for hour in each))


def _of_hour(
    connection: Connection, ledger: str, account: str, hour: datetime, span: Span
) -> dict[str, Any]:
    dated = span.clock == "accounting"
    part = Span("booked", hour, hour + HOUR) if dated else span.within(hour, hour + HOUR)
    return {
        "account": account_id(connection, ledger, account),
        "from": part.start,
        "to": part.end,
        "dated": dated,
        "first": span.first_date or BEGINNING,
        "last": span.end.date() if dated else END,
    }
