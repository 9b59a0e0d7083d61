"""An account of the books opened by an address: of which span and day, seen from which side, and what it adds up to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import abort
from sqlalchemy import Connection

from portal import ledger
from portal.ledger.spans import DAY, midnight
from portal.ledger.trial_balance import OWN, Line
from portal.pages import exports, lists, problems
from portal.pages import hours as hour_names
from portal.pages.staff import spans
from portal.pages.staff.spans import Asked, Finality
from portal.pages.staff.trial_balance import Pair, net
from portal.services import users

LONGEST = 60
"""Characters of a name that nothing is called, as far as they are told again."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An account over a span; `line` is of the day alone where one is named, or of the hour.

    By accounting date it is of the day in both cases: `span` is what `line` is of.
    """

    asked: Asked
    on: date | None
    hour: datetime | None
    span: ledger.Span
    line: Line
    found: ledger.TrialBalance
    finality: Finality

    @property
    def opening(self) -> Pair:
        """Its balance before, on the side where it is."""
        return net(self.line.opening_debits, self.line.opening_credits)

    @property
    def closing(self) -> Pair:
        """Its balance after."""
        return net(self.line.closing_debits, self.line.closing_credits)

    def seen(self, debits: int, credits: int) -> Pair:
        """What moved, as the side sees it whose page it is."""
        is_mirrored = self.asked.side == "dreamland" and self.line.ledger != OWN
        return (credits, debits) if is_mirrored else (debits, credits)

    def stamp(self, what: str) -> exports.Stamp:
        """The head of a file of it."""
        title = f"{self.line.ledger} {self.line.account}, {what}, {self.asked.words}"
        return spans.stamp(title, self.asked, self.found)


def opened(
    connection: Connection, code: str, account: str, day: str | None = None, hour: str | None = None
) -> Opened:
    """The account of an address; where there is none, or what is asked makes no sense, it ends here."""
    asked = spans.asked_by_address(connection)
    on = lists.day(day) if day else None
    at = _hour(hour, on, asked) if hour and on else None
    span = asked.counted
    if on:
        span = span.within(midnight(on), midnight(on) + DAY)
    if at and asked.is_booked:
        span = span.within(at, at + ledger.HOUR)
    found = ledger.trial_balance(connection, span)
    line = line_of(found, code, account).seen_from(asked.side)
    finality = spans.finality(connection, found)
    return Opened(asked, on, at, span, line, found, finality)


def line_of(found: ledger.TrialBalance, code: str, account: str) -> Line:
    """The account of a trial balance, as it is kept; where there is none, that is told."""
    same = (line for line in found.lines if (line.ledger, line.account) == (code, account))
    if line := next(same, None):
        return line
    detail = f"there is no account {account[:LONGEST]} in a ledger {code[:LONGEST]}"
    return abort(problems.answer(404, detail))


def is_house(owner_id: int) -> bool:
    """Whether it is no user but the company itself, in one of its regions."""
    return not owner_id & (1 << users.REGION_SHIFT) - 1


def owner_name(owner_id: int) -> str:
    """What an owner of entries is called."""
    return f"Dreamland ({owner_id})" if is_house(owner_id) else f"User {owner_id}"


@dataclass(frozen=True, slots=True)
class Day:
    """What a day moved, and the balance after it on the account's normal side."""

    at: date
    moved: Pair
    after: int


def days(it: Opened, line: Line, moved: Sequence[ledger.Moved]) -> list[Day]:
    """Days, newest first, of which the last ends with the balance of a line."""
    balance, found = line.closing, []
    for day in moved:
        debits, credits = it.seen(day.debits, day.credits)
        found.append(Day(day.at, (debits, credits), balance))
        balance -= line.sign * (debits - credits)
    return found


def hours(connection: Connection, it: Opened) -> list[ledger.MovedHour]:
    """Those of booking in which it moved for its day, newest first."""
    assert it.on
    return ledger.account_hours(connection, it.line.ledger, it.line.account, it.on, it.span)


def owners(
    connection: Connection, it: Opened, after: int | None, limit: int
) -> list[ledger.UserMoved]:
    """Those for whom it moved in its hour, by their numbers."""
    assert it.hour
    name = it.line.ledger, it.line.account
    return ledger.account_users(connection, *name, it.hour, it.span, after, limit)


def postings(
    connection: Connection, it: Opened, owner: int, after: tuple[int, int] | None, limit: int
) -> list[ledger.AccountLine]:
    """Those of an owner that moved it in its hour, in their order."""
    assert it.hour
    name = it.line.ledger, it.line.account
    return ledger.account_lines(connection, *name, it.hour, it.span, owner, after, limit)


def _hour(said: str, on: date, asked: Asked) -> datetime:
    """An hour of booking, of the day; by accounting date it may also be a later one."""
    hour = hour_names.of(said)
    if hour.date() < on or (asked.is_booked and hour.date() != on):
        abort(404)
    return hour
