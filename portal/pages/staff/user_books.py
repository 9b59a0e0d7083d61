"""One user's books as finance sees them: entries, days, the entries of a day, a wallet's history."""

from flask import Response, url_for

from portal.pages import lists, views, wallets
from portal.pages.blueprint import blueprint
from portal.runtime import runtime
from portal.services import activity, directory, user_books
from portal.services import users as people
from portal.services.directory import Person


@blueprint.get("/users/<user_id>/entries")
def user_entries(user_id: str) -> Response:
    """Everything that was booked for a user, newest first."""
    before = lists.before()
    with runtime().reading():
        person = person_of(user_id)
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


@blueprint.get("/users/<user_id>/days")
def user_days(user_id: str) -> Response:
    """The days on which tokens or USD moved, newest first."""
    before = lists.before_day()
    with runtime().reading():
        person = person_of(user_id)
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


@blueprint.get("/users/<user_id>/days/<day>")
def user_day(user_id: str, day: str) -> Response:
    """A local day of the user's: what it came to, and its entries."""
    which, before = lists.day(day), lists.before()
    with runtime().reading():
        person = person_of(user_id)
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
        person = person_of(user_id)
        here = url_for("pages.user_wallet", user_id=person.id, asset=known.code)
        shown = wallets.history(person.id, known, here)
    return views.page("staff/user_wallet.html", "_wallet.html", person=person, **shown)


def person_of(user_id: str) -> Person:
    """The user of an address. Raises NotFound('unknown_user')."""
    return directory.person(people.parse_id(user_id))
