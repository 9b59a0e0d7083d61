"""One user's books as finance sees them: entries, days, the entries of a day, a wallet's history."""

from collections.abc import Iterator

from flask import Response, request, url_for

from portal import ledger
from portal.pages import entries as activity_pages
from portal.pages import exports, lists, views, wallets
from portal.pages.blueprint import blueprint
from portal.runtime import runtime
from portal.services import activity, directory, user_books, written
from portal.services import users as people
from portal.services.directory import Person

DAYS = ("user_id", "day", "dream_won", "dream_converted", "usd")


@blueprint.get("/users/<user_id>/entries")
def user_entries(user_id: str) -> Response:
    """Everything that was booked for a user, newest first."""
    before = lists.before()
    with runtime().reading():
        person = _person(user_id)
        page = lists.cut(activity.entries(person.id, before, lists.PAGE + 1))
    here = url_for("pages.user_entries", user_id=person.id)
    return views.page(
        "staff/user_entries.html",
        "staff/_user_entries.html",
        person=person,
        page=page,
        here=here,
        before=before,
    )


@blueprint.get("/users/<user_id>/entries.<any(csv,xlsx):form>")
def user_entries_file(user_id: str, form: str) -> Response:
    """All of them, a row for each wallet that an entry changed."""
    person = _person(user_id)
    rows, stamp = activity_pages.all_rows(person.id), _stamp("entries", person)
    name = f"user-{person.id}-entries"
    return exports.sheet(form, name, activity_pages.COLUMNS, rows, stamp)


@blueprint.get("/users/<user_id>/days")
def user_days(user_id: str) -> Response:
    """The days on which tokens or USD moved, newest first."""
    before = lists.day(request.args["before"]) if "before" in request.args else None
    with runtime().reading():
        person = _person(user_id)
        page = lists.cut(user_books.days(person.id, before, lists.PAGE + 1))
    here = url_for("pages.user_days", user_id=person.id)
    return views.page(
        "staff/user_days.html",
        "staff/_user_days.html",
        person=person,
        page=page,
        here=here,
        before=before,
    )


@blueprint.get("/users/<user_id>/days.<any(csv,xlsx):form>")
def user_days_file(user_id: str, form: str) -> Response:
    """All of them."""
    person = _person(user_id)
    stamp = _stamp("days", person)
    return exports.sheet(form, f"user-{person.id}-days", DAYS, _days(person.id), stamp)


@blueprint.get("/users/<user_id>/days/<day>")
def user_day(user_id: str, day: str) -> Response:
    """A local day of the user's: what it came to, and its entries."""
    which, before = lists.day(day), lists.before()
    with runtime().reading():
        person = _person(user_id)
        found = user_books.day(person.id, which, before, lists.PAGE + 1)
    here = url_for("pages.user_day", user_id=person.id, day=day)
    return views.page(
        "staff/user_day.html",
        "staff/_user_entries.html",
        person=person,
        sums=found.sums,
        page=lists.cut(found.entries),
        here=here,
        before=before,
    )


@blueprint.get("/users/<user_id>/wallets/<asset>")
def user_wallet(user_id: str, asset: str) -> Response:
    """A wallet of a user's with its history, newest first, and its open holds."""
    known = wallets.asset_of(asset)
    with runtime().reading():
        person = _person(user_id)
        here = url_for("pages.user_wallet", user_id=person.id, asset=known.code)
        shown = wallets.history(person.id, known, here)
    return views.page("staff/user_wallet.html", "_wallet.html", person=person, **shown)


@blueprint.get("/users/<user_id>/wallets/<asset>.<any(csv,xlsx):form>")
def user_wallet_file(user_id: str, asset: str, form: str) -> Response:
    """Its whole history."""
    known, person = wallets.asset_of(asset), _person(user_id)
    stamp = _stamp(f"wallet {known.code}", person)
    rows = wallets.all_lines(person.id, known)
    return exports.sheet(
        form, f"user-{person.id}-wallet-{known.code}", wallets.COLUMNS, rows, stamp
    )


def _person(user_id: str) -> Person:
    """Raises NotFound('unknown_user')."""
    return directory.person(people.parse_id(user_id))


def _stamp(what: str, person: Person) -> exports.Stamp:
    return exports.stamp(f"{what} of user {person.id}")


def _days(user_id: int) -> Iterator[exports.Cells]:
    def read(last: ledger.DaySums | None) -> list[ledger.DaySums]:
        return user_books.days(user_id, last.day if last else None, exports.AT_ONCE)

    for each in exports.walk(read):
        tokens = map(written.dream, (each.won, each.converted))
        yield (str(user_id), written.day(each.day), *tokens, written.usd(each.usd))
