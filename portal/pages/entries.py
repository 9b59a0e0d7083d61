"""Activity: every entry of a user; and one of them with all that a support person would ask for."""

from collections.abc import Iterator

from flask import Response, abort
from flask_login import current_user

from portal import ledger
from portal.pages import exports, lists, views
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
    """One event. Users see their own, staff everybody's with the company's lines."""
    is_staff = current_user.is_staff
    owner = lists.owner(entry_id.partition("-")[0]) if is_staff else lists.user_id()
    seq = users.parse_entry_id(entry_id, owner)
    if seq is None:
        abort(404)
    with runtime().reading():
        event = activity.event(owner, seq, fees=is_staff)
    return views.page("entry.html", event=event, entry=event.entry, entry_id=entry_id)


@blueprint.get("/entries.csv")
def entries_csv() -> Response:
    """All of them, a line for each wallet that an entry changed."""
    return exports.answer("entries", COLUMNS, _rows(lists.user_id()))


def _rows(user_id: int) -> Iterator[exports.Cells]:
    def read(last: ledger.ListedEntry | None) -> list[ledger.ListedEntry]:
        return activity.entries(user_id, last.seq if last else None, exports.AT_ONCE)

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
