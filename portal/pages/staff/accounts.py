"""An account from the top down: its days, a day's hours, an hour's users, a user's postings. All days are UTC.

Each page adds up to the figure that it was opened from; the address keeps clock, span and side.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from flask import Response, request, url_for
from sqlalchemy import Connection

from portal import ledger as books
from portal.ledger.spans import midnight
from portal.ledger.trial_balance import Line
from portal.pages import formats, lists, views
from portal.pages import hours as hour_names
from portal.pages.blueprint import blueprint
from portal.pages.staff.opened import (
    Opened,
    days,
    hours,
    is_house,
    line_of,
    opened,
    owner_name,
    owners,
    postings,
)
from portal.pages.staff.trial_balance import Pair
from portal.runtime import runtime

AFTER = "after"


@blueprint.get("/accounts/<ledger>/<account>")
def ledger_account(ledger: str, account: str) -> Response:
    """The days in which it moved, newest first."""
    before = lists.before_day()
    with runtime().reading() as connection:
        it = opened(connection, ledger, account)
        line = _line_before(connection, it, before) if before else it.line
        found = books.account_days(connection, ledger, account, it.span, before, lists.PAGE)
    shown = it.seen(sum(day.debits for day in found), sum(day.credits for day in found))
    page = lists.Rows(days(it, line, found), shown != (line.debits, line.credits))
    return _page(it, "ledger_account", _moved(it), page=page, before=before)


@blueprint.get("/accounts/<ledger>/<account>/days/<day>")
def ledger_day(ledger: str, account: str, day: str) -> Response:
    """The hours of booking in which it moved for a day."""
    with runtime().reading() as connection:
        it = opened(connection, ledger, account, day)
        found = hours(connection, it)
    rows = [(hour, it.seen(hour.debits, hour.credits)) for hour in found]
    return _page(it, "ledger_day", _moved(it), rows=rows)


@blueprint.get("/accounts/<ledger>/<account>/days/<day>/hours/<hour>")
def ledger_hour(ledger: str, account: str, day: str, hour: str) -> Response:
    """The users for whom it moved in an hour."""
    after = lists.owner(request.args[AFTER]) if AFTER in request.args else None
    with runtime().reading() as connection:
        it = opened(connection, ledger, account, day, hour)
        found = owners(connection, it, after, lists.PAGE + 1)
        moved = _moved(it) if it.asked.is_booked else _moved_late(connection, it)
    page = lists.cut([(each, it.seen(each.debits, each.credits)) for each in found])
    return _page(it, "ledger_hour", moved, page=page, after=after)


@blueprint.get("/accounts/<ledger>/<account>/days/<day>/hours/<hour>/users/<user>")
def ledger_user(ledger: str, account: str, day: str, hour: str, user: str) -> Response:
    """The postings of a user that moved it in an hour, each with its entry."""
    owner = lists.owner(user)
    after = _posting(request.args[AFTER]) if AFTER in request.args else None
    with runtime().reading() as connection:
        it = opened(connection, ledger, account, day, hour)
        found = postings(connection, it, owner, after, lists.PAGE + 1)
        is_all = after is None and len(found) <= lists.PAGE
        moved = _added(it, found) if is_all else _moved_by(connection, it, owner)
    page = lists.cut([(line, it.seen(line.debit, line.credit)) for line in found])
    return _page(it, "ledger_user", moved, owner, page=page, after=after)


def steps(it: Opened, owner: int | None = None) -> list[tuple[str, str]]:
    """The way down from the trial balance, the page itself at its end: addresses and names."""
    values: dict[str, Any] = {"ledger": it.line.ledger, "account": it.line.account}
    below: list[tuple[str, str, dict[str, Any]]] = [
        ("ledger_account", " ".join(values.values()), values)
    ]
    if it.on:
        below.append(("ledger_day", formats.day(it.on), {"day": f"{it.on}"}))
    if it.hour:
        is_own = it.hour.date() == it.on
        form = "%H:%M" if is_own else "%-d %b %Y, %H:%M"
        below.append(("ledger_hour", f"{it.hour:{form}} UTC", {"hour": hour_names.name(it.hour)}))
    if owner is not None:
        below.append(("ledger_user", owner_name(owner), {"user": f"{owner}"}))
    anchor = f"ledger-{it.line.ledger}"
    top = url_for("pages.trial_balance", **it.asked.query, _anchor=anchor)
    found = [(top, "Trial balance")]
    for endpoint, name, own in below:
        values = values | own
        found.append((url_for(f"pages.{endpoint}", **values, **it.asked.opened), name))
    return found


def _page(
    it: Opened, endpoint: str, moved: Pair, owner: int | None = None, **more: Any
) -> Response:
    """A level with what it adds up to."""
    way = steps(it, owner)
    values = {"ledger": it.line.ledger, "account": it.line.account}
    values |= {"day": f"{it.on}"} if it.on else {}
    values |= {"hour": hour_names.name(it.hour)} if it.hour else {}
    values |= {"user": f"{owner}"} if owner is not None else {}
    return views.page(
        "staff/account.html",
        "staff/_account.html",
        it=it,
        asked=it.asked,
        line=it.line,
        way=way,
        moved=moved,
        owner=owner,
        owner_name=owner_name,
        is_house=is_house,
        endpoint=f"pages.{endpoint}",
        values=values | it.asked.opened,
        has_balance=owner is None and (it.hour is None or it.asked.is_booked),
        **more,
    )


def _moved(it: Opened) -> Pair:
    return it.line.debits, it.line.credits


def _moved_late(connection: Connection, it: Opened) -> Pair:
    """What an hour moved for an accounting date, as the level above tells it."""
    sums = ((each.debits, each.credits) for each in hours(connection, it) if each.at == it.hour)
    return it.seen(*next(sums, (0, 0)))


def _added(it: Opened, lines: Sequence[books.AccountLine]) -> Pair:
    return it.seen(sum(line.debit for line in lines), sum(line.credit for line in lines))


def _moved_by(connection: Connection, it: Opened, owner: int) -> Pair:
    """What an owner's postings of an hour add up to, where they fill more than a page."""
    found = owners(connection, it, owner - 1, 1)
    sums = ((each.debits, each.credits) for each in found if each.owner_id == owner)
    return it.seen(*next(sums, (0, 0)))


def _line_before(connection: Connection, it: Opened, before: date) -> Line:
    """The account until a day of its span begins."""
    end = min(it.span.end, midnight(before))
    part = replace(it.span, end=max(end, it.span.start or end))
    found = books.trial_balance(connection, part)
    return line_of(found, it.line.ledger, it.line.account).seen_from(it.asked.side)


def _posting(said: str) -> tuple[int, int]:
    """Which posting a page begins behind: the number of its entry, and its own in it."""
    seq, _, line = said.partition("-")
    return lists.number(seq), lists.number(line)
