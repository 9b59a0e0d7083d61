"""An account as files: its days, a day's hours, an hour's users, a user's postings, all of them."""

from collections.abc import Iterator

from flask import Response

from portal import ledger as books
from portal.pages import exports, lists
from portal.pages import hours as hour_names
from portal.pages.blueprint import blueprint
from portal.pages.staff.opened import (
    Opened,
    days,
    hours,
    opened,
    owner_name,
    owners,
    postings,
)
from portal.pages.staff.trial_balance import Pair
from portal.runtime import runtime
from portal.services import written

DAYS = ("ledger", "account", "day", "debits", "credits", "balance_after")
HOURS = ("ledger", "account", "day", "hour", "booked_late", "debits", "credits")
USERS = ("ledger", "account", "day", "hour", "user_id", "debits", "credits", "entries")
LINES = (
    *("ledger", "account", "day", "hour", "entry_id", "line", "kind", "booked_at", "occurred_at"),
    *("accounting_date", "other_account", "debit", "credit", "game", "reference"),
)
EVERY = 100 * 366
"""Days: more than there are."""
FILE = ".<any(csv,xlsx):form>"
ACCOUNT = "/accounts/<ledger>/<account>"
DAY = f"{ACCOUNT}/days/<day>"
HOUR = f"{DAY}/hours/<hour>"


@blueprint.get(ACCOUNT + FILE)
def ledger_account_file(ledger: str, account: str, form: str) -> Response:
    """Every day in which it moved."""
    with runtime().reading() as connection:
        it = opened(connection, ledger, account)
        found = books.account_days(connection, ledger, account, it.span, None, EVERY)
    rows = (
        (*_head(it)[:2], written.day(day.at), *_decimals(it, day.moved), _decimal(it, day.after))
        for day in days(it, it.line, found)
    )
    return exports.sheet(form, f"{ledger}-{account}", DAYS, rows, it.stamp("its days"))


@blueprint.get(DAY + FILE)
def ledger_day_file(ledger: str, account: str, day: str, form: str) -> Response:
    """The hours of a day."""
    with runtime().reading() as connection:
        it = opened(connection, ledger, account, day)
        found = hours(connection, it)
    rows = (
        (
            *_head(it)[:3],
            hour_names.name(hour.at),
            "yes" if hour.late else "no",
            *_decimals(it, it.seen(hour.debits, hour.credits)),
        )
        for hour in found
    )
    stamp = it.stamp(f"the hours of {day}")
    return exports.sheet(form, f"{ledger}-{account}-{day}", HOURS, rows, stamp)


@blueprint.get(HOUR + FILE)
def ledger_hour_file(ledger: str, account: str, day: str, hour: str, form: str) -> Response:
    """The users of an hour."""
    with runtime().reading() as connection:
        it = opened(connection, ledger, account, day, hour)
        rows = exports.ended(_users(it), connection)
        return exports.sheet(form, _name(it), USERS, rows, it.stamp(f"the users of {hour}"))


@blueprint.get(f"{HOUR}/users/<user>{FILE}")
def ledger_user_file(
    ledger: str, account: str, day: str, hour: str, user: str, form: str
) -> Response:
    """The postings of a user in an hour."""
    owner = lists.owner(user)
    with runtime().reading() as connection:
        it = opened(connection, ledger, account, day, hour)
        rows = exports.ended(_lines(it, owner), connection)
        stamp = it.stamp(f"{owner_name(owner)} in {hour}")
        return exports.sheet(form, f"{_name(it)}-{user}", LINES, rows, stamp)


def _users(it: Opened) -> Iterator[exports.Cells]:
    def read(last: books.UserMoved | None) -> list[books.UserMoved]:
        with runtime().snapshot() as connection:
            return owners(connection, it, last.owner_id if last else None, exports.AT_ONCE)

    for user in exports.walk(read):
        figures = _decimals(it, it.seen(user.debits, user.credits))
        yield (*_head(it), str(user.owner_id), *figures, user.entries)


def _lines(it: Opened, owner: int) -> Iterator[exports.Cells]:
    def read(last: books.AccountLine | None) -> list[books.AccountLine]:
        after = (last.seq, last.line) if last else None
        with runtime().snapshot() as connection:
            return postings(connection, it, owner, after, exports.AT_ONCE)

    for line in exports.walk(read):
        yield (
            *_head(it),
            *(f"{owner}-{line.seq}", str(line.line), line.kind),
            *(written.moment(line.booked_at), written.moment(line.occurred_at)),
            *(written.day(line.accounting_date), line.other),
            *_decimals(it, it.seen(line.debit, line.credit)),
            *(exports.cell(line.game), exports.cell(line.reference)),
        )


def _head(it: Opened) -> tuple[str, ...]:
    """Ledger, account, and the day and hour that are opened."""
    hour = hour_names.name(it.hour) if it.hour else ""
    return it.line.ledger, it.line.account, f"{it.on or ''}", hour


def _name(it: Opened) -> str:
    """Of a file; a colon is no part of one everywhere."""
    return f"{it.line.ledger}-{it.line.account}-{it.on}-{it.hour:%H%M}Z"


def _decimal(it: Opened, units: int) -> str:
    return written.decimal(units, it.line.scale)


def _decimals(it: Opened, pair: Pair) -> tuple[str, str]:
    return _decimal(it, pair[0]), _decimal(it, pair[1])
