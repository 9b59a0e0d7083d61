"""Lists that are read page by page: whose they are, where a page begins, how it ends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Generic, TypeVar

from flask import abort, request
from flask_login import current_user

from portal.ledger.idempotency import EPOCH, microseconds
from portal.services import users
from portal.services.fields import NOT_TEXT

PAGE = 50
"""Rows of a page."""
MAX_TEXT = 200
LAST_DAYS, USUAL_DAYS = (7, 30, 90), 30
"""How many of the last days one may look at."""
FIRST_YEAR, LAST_YEAR = 2000, 2199

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Rows(Generic[Row]):
    """The rows of a page, and whether there are older ones."""

    rows: Sequence[Row]
    has_more: bool


def user_id() -> int:
    """Whose books the page shows: the visitor's own."""
    found = current_user.user_id
    assert isinstance(found, int), "a page of users"
    return found


def cut(rows: Sequence[Row]) -> Rows[Row]:
    """A page of rows that were asked for with one more than there is room for."""
    return Rows(rows[:PAGE], len(rows) > PAGE)


def before() -> int | None:
    """The number of the entry that the page begins below. No number: there is no such page."""
    found = request.args.get("before")
    return None if found is None else number(found)


def after() -> int | None:
    """The number of the row that the page begins behind, of a list that is no history."""
    found = request.args.get("after")
    return None if found is None else number(found)


def number(text: str) -> int:
    """A number of an entry, or of whatever a list has; else there is nothing at that address."""
    found = users.as_number(text)
    return abort(404) if found is None else found


def before_day() -> date | None:
    """The day that the page begins below."""
    found = request.args.get("before")
    return None if found is None else day(found)


Place = tuple[datetime, int]
"""Where a list goes on that is ordered by time and, of one time, by number."""


def place(at: datetime, number: int) -> str:
    """Where a page ends, as an address says it: microseconds and number."""
    return f"{microseconds(at)}-{number}"


def before_place() -> Place | None:
    """Where the page begins. Not one of ours: there is no such page."""
    found = request.args.get("before")
    if found is None:
        return None
    at, _, which = found.partition("-")
    try:
        return EPOCH + timedelta(microseconds=number(at)), number(which)
    except OverflowError:
        abort(404)


def owner(found: str) -> int:
    """A number of whom entries are made for: a user's, or that of the company, which is 0."""
    return 0 if found == "0" else number(found)


def kept(names: Iterable[str]) -> dict[str, Any]:
    """The filters of these names that the address has."""
    return {name: request.args[name] for name in names if request.args.get(name)}


def text(name: str) -> str | None:
    """A text that a list is filtered by."""
    found = request.args.get(name) or None
    if found and (len(found) > MAX_TEXT or NOT_TEXT.search(found)):
        abort(404)
    return found


def day(found: str) -> date:
    """A day of an address, YYYY-MM-DD; else there is nothing at it."""
    try:
        made = datetime.strptime(found, "%Y-%m-%d").date()  # noqa: DTZ007 - a day, of the user's zone
    except ValueError:
        abort(404)
    if made.isoformat() != found or not FIRST_YEAR <= made.year <= LAST_YEAR:
        abort(404)
    return made


def last_days() -> int | None:
    """How many of the last days are asked for, of LAST_DAYS; of others there is no page."""
    found = request.args.get("days")
    if found is not None and found not in map(str, LAST_DAYS):
        abort(404)
    return None if found is None else int(found)


def month(found: str) -> date:
    """The first day of a month of an address, YYYY-MM."""
    return day(f"{found}-01")


def month_before(first: date) -> date:
    """The first day of the month before one that begins on a day."""
    return (first - timedelta(days=1)).replace(day=1)
