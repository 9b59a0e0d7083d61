"""Users as finance sees them: who there is, and who one is, with what the books say of them now.

Whoever looks at a user leaves no trace in the audit log: looking changes nothing, and is what staff are
there for. A file of all users is another matter.
"""

from collections.abc import Iterator
from typing import Any

from flask import Response, request, url_for

from portal.pages import exports, lists, views
from portal.pages.blueprint import blueprint
from portal.pages.forms.users import UsersForm
from portal.runtime import runtime
from portal.services import directory, exporting, user_books, written
from portal.services import users as people
from portal.services.directory import Filters, Listed

COLUMNS = (
    *("user_id", "external_id", "name", "email", "region", "time_zone", "created_at"),
    "has_sign_in",
)


@blueprint.get("/users")
def users() -> Response:
    """Who there is, newest first; the filters are in the address."""
    form, before = UsersForm(request.args), lists.before_place()
    page: lists.Rows[Listed] = lists.Rows([], has_more=False)
    if form.validate():
        page = lists.cut(directory.page(form.wanted(), before, lists.PAGE + 1))
    kept = _kept(form)
    last = page.rows[-1].place if page.has_more else None
    return views.form_page(
        "staff/users.html",
        form,
        "staff/_users.html",
        found=page.rows,
        kept=kept,
        older=url_for("pages.users", before=lists.place(*last), **kept) if last else None,
        newest=url_for("pages.users", **kept) if before else None,
    )


@blueprint.get("/users.<any(csv,xlsx):form>")
def users_file(form: str) -> Response:
    """All that fit the filters: people's data leaves in one piece, so that is kept."""
    asked = UsersForm(request.args)
    if not asked.validate():
        return views.go_with_query("pages.users")
    kept = _kept(asked)
    exporting.record("user.exported", "user", kept)
    title = exports.titled("users", kept)
    return exports.table(form, "users", COLUMNS, _rows(asked.wanted()), title)


@blueprint.get("/users/<user_id>")
def user(user_id: str) -> Response:
    """One of them: who it is, the wallets, today, open holds, and what was booked last."""
    with runtime().reading():
        person = directory.person(people.parse_id(user_id))
        found = user_books.now(person.id)
    return views.page("staff/user.html", person=person, found=found)


def _rows(filters: Filters) -> Iterator[exports.Cells]:
    def read(last: Listed | None) -> list[Listed]:
        return directory.page(filters, last.place if last else None, exports.AT_ONCE)

    for found in exports.walk(read):
        said = (found.external_id, found.name, found.email)
        made = written.moment(found.created_at)
        door = "yes" if found.has_sign_in else "no"
        yield (str(found.id), *map(exports.cell, said), found.region, found.time_zone, made, door)


def _kept(form: UsersForm) -> dict[str, Any]:
    """The filters that are set, as an address has them."""
    return {name: said for name, said in form.data.items() if said}
