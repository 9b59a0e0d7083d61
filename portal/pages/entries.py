"""Activity: every entry of a user; and one of them with all that a support person would ask for."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from typing import Any

from flask import Response, abort, url_for
from flask_login import current_user

from portal import ledger
from portal.pages import exports, hours, lists, views
from portal.pages.blueprint import blueprint
from portal.runtime import runtime
from portal.services import activity, users, written

COLUMNS = (
    *("entry_id", "kind", "occurred_at", "booked_at", "day", "game", "reference", "description"),
    *("asset", "amount", "held_change", "reverses", "reversed_by"),
)


@blueprint.get("/entries")
def entries() -> Response:
    """What happened, newest first."""
    before = lists.before()
    page = lists.cut(activity.entries(lists.user_id(), before, lists.PAGE + 1))
    return views.page("entries.html", "_entries.html", page=page, before=before)


@blueprint.get("/entries/<entry_id>")
def entry(entry_id: str) -> Response:
    """One event. Users see their own; staff everybody's, with all that the books keep of it."""
    if current_user.is_staff:
        return _record(entry_id)
    owner = lists.user_id()
    seq = users.parse_entry_id(entry_id, owner)
    if seq is None:
        abort(404)
    with runtime().reading():
        event = activity.event(owner, seq)
    return views.page("entry.html", event=event, entry=event.entry, entry_id=entry_id)


def _record(entry_id: str) -> Response:
    found = users.any_entry_id(entry_id)
    if found is None:
        abort(404)
    with runtime().reading():
        record = activity.record(*found)
    event = record.event
    return views.page(
        "staff/entry.html",
        record=record,
        event=event,
        entry=event.entry,
        in_books=_in_books(event),
    )


def _in_books(event: activity.Event) -> Callable[[str, str], str]:
    """Where an account of the books shows what moved it in the hour of the entry, for whom it is of."""
    at = event.entry.booked_at.astimezone(UTC)
    day, hour = f"{at:%Y-%m-%d}", hours.name(at)

    def address(ledger: str, account: str) -> str:
        values: dict[str, Any] = {"ledger": ledger, "account": account, "day": day, "hour": hour}
        return url_for("pages.ledger_user", **values, user=event.user_id)

    return address


@blueprint.get("/entries.csv")
def entries_csv() -> Response:
    """All of them, a line for each wallet that an entry changed."""
    user_id = lists.user_id()
    return exports.answer("entries", COLUMNS, rows_of(user_id, all_of(user_id)))


Read = Callable[[ledger.ListedEntry | None], Sequence[ledger.ListedEntry]]
"""Reads entries of somebody's from one of them on, newest first, AT_ONCE."""


def all_of(user_id: int) -> Read:
    """Every entry of somebody's."""

    def read(last: ledger.ListedEntry | None) -> list[ledger.ListedEntry]:
        return activity.entries(user_id, last.seq if last else None, exports.AT_ONCE)

    return read


def rows_of(user_id: int, read: Read) -> Iterator[exports.Cells]:
    """Entries as a file has them: a row for each wallet that one changed."""
    for found in exports.walk(read):
        head = (
            f"{user_id}-{found.seq}",
            found.kind,
            written.moment(found.occurred_at),
            written.moment(found.booked_at),
            written.day(found.day),
            exports.cell(found.game),
            exports.cell(found.reference),
            exports.cell(found.description),
        )
        links = (_id(user_id, found.reverses_seq), _id(user_id, found.reversed_seq))
        for effect in found.effects:
            amount = written.decimal(effect.amount, effect.scale)
            held = written.decimal(effect.held_change, effect.scale)
            yield (*head, effect.asset, amount, held, *links)


def _id(user_id: int, seq: int | None) -> str:
    return f"{user_id}-{seq}" if seq else ""
