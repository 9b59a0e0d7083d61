"""Verifications: each time the books were verified, with what was found; and having it done now."""

from collections.abc import Iterator

from flask import Response, abort, url_for

from portal.pages import exports, lists, views
from portal.pages.blueprint import blueprint
from portal.runtime import runtime
from portal.services import verification as verifying
from portal.services import verifications as stored
from portal.services import written
from portal.services.verifications import Stored

COLUMNS = (
    *("id", "state", "started_at", "finished_at", "last_closed_hour", "postings", "entries"),
    *("owners", "differences", "problem"),
)
OF_ONE = ("check", "must_hold", "entry_id", "user_id", "detail")


@blueprint.get("/verifications")
def verifications() -> Response:
    """All of them, newest first."""
    before = lists.before()
    page = lists.cut(stored.page(before, lists.PAGE + 1))
    return views.page(
        "staff/verifications.html",
        "staff/_verifications.html",
        page=page,
        before=before,
        older=_address(before=page.rows[-1].id) if page.has_more else None,
        newest=_address() if before else None,
        states=stored.STATES,
    )


@blueprint.post("/verifications")
def verify_books() -> Response:
    """Have a worker verify the books, unless one does."""
    if verifying.request(runtime().start_verification):
        views.tell("A worker was asked to verify the books.")
    else:
        views.tell("The books are being verified already. Nothing more was asked for.")
    return views.go("pages.verifications")


@blueprint.get("/verifications/<number>")
def verification(number: str) -> Response:
    """One of them, with the first of its differences."""
    return views.page(
        "staff/verification.html",
        "staff/_verification.html",
        found=_of(number),
        states=stored.STATES,
        meaning=stored.meaning,
    )


@blueprint.get("/verifications.<any(csv,xlsx):form>")
def verifications_file(form: str) -> Response:
    """All of them."""
    return exports.table(form, "verifications", COLUMNS, _rows(), "Verifications of the books")


@blueprint.get("/verifications/<number>.<any(csv,xlsx):form>")
def verification_file(number: str, form: str) -> Response:
    """The differences of one that are named."""
    found = _of(number)
    name, title = f"verification-{found.id}", f"Verification {found.id}: differences"
    return exports.table(form, name, OF_ONE, _differences(found), title)


def _of(number: str) -> Stored:
    found = stored.of(lists.number(number))
    if found is None:
        abort(404)
    return found


def _rows() -> Iterator[exports.Cells]:
    def read(last: Stored | None) -> list[Stored]:
        return stored.page(last.id if last else None, exports.AT_ONCE)

    for each in exports.walk(read):
        yield (
            *(each.id, each.state, written.moment(each.started_at)),
            *(exports.moment(each.finished_at), exports.moment(each.last_closed_hour)),
            *(each.postings, each.entries, each.owners, each.found, each.problem),
        )


def _differences(found: Stored) -> Iterator[exports.Cells]:
    for each in found.differences:
        has_entry = each.owner_id is not None and each.seq is not None
        entry = f"{each.owner_id}-{each.seq}" if has_entry else None
        owner = None if each.owner_id is None else str(each.owner_id)
        yield each.check, stored.meaning(each), entry, owner, exports.cell(each.detail)


def _address(**more: int) -> str:
    return url_for("pages.verifications", **more)  # type: ignore[arg-type]  # into the query
