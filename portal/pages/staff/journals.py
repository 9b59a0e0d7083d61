"""Journals: a ledger, or all, as a file that spreadsheets and accountants' programs read.

Which one is all in the address; a download is a plain link. All of a file is read in one snapshot.
"""

from typing import IO

from flask import Response, request
from sqlalchemy import Connection

from portal import ledger
from portal.ledger import PostingRow, Range
from portal.ledger.errors import Refused
from portal.pages import exports, spools, views
from portal.pages.blueprint import blueprint
from portal.pages.forms.journals import JournalForm, ledger_choices
from portal.runtime import runtime
from portal.services import exporting
from portal.services import journals as formats

PAGE = "staff/journals.html"
ENDINGS = {"csv": "csv", "xlsx": "xlsx", "beancount": "beancount", "hledger": "journal"}
"""What the names of files end with."""


@blueprint.get("/journals")
def journals() -> Response:
    """What there is, and the form that asks for it: this month, unless something else is named."""
    with runtime().reading() as connection:
        form = _form(connection)
    if not form.first.data:
        form.first.data = max(form.today.replace(day=1), form.begun)
    form.last.data = form.last.data or form.today
    return views.page(PAGE, form=form)


@blueprint.get("/journals/file")
def journal_file() -> Response:
    """The file, or the form with what is wrong with it."""
    with runtime().reading() as connection:
        form = _form(connection)
        if form.validate():
            try:
                formats.check(connection, form.wanted, form.format.data)
            except Refused as refused:
                views.refused(form, refused)
    if form.errors:
        return views.form_page(PAGE, form)
    answer = _answer(form.wanted, form.format.data)
    exporting.record("books.exported", "books", form.data)
    return answer


def _form(connection: Connection) -> JournalForm:
    form = JournalForm(request.args)
    form.bounds = ledger.bounds(connection)
    form.ledger.choices = ledger_choices(ledger.ledgers(connection))
    return form


def _answer(wanted: Range, form: str) -> Response:
    name = f"{wanted.ledger or 'all'}-{wanted.first}-{wanted.last}"
    with spools.long(), runtime().reading() as snapshot:
        stamp = _stamp(snapshot, wanted)
        if form == "xlsx":
            rows = exports.ended(ledger.posting_rows(snapshot, wanted), snapshot)
            return exports.sheet(form, name, PostingRow._fields, rows, stamp)

        def write(file: IO[bytes]) -> None:
            if form == "csv":
                file.write("".join(f"{line}\n" for line in stamp.lines).encode())
                ledger.copy_postings(snapshot, wanted, exports.RUN, file)
            else:
                lines = formats.lines(snapshot, wanted, form, stamp.lines)
                file.writelines(piece.encode() for piece in lines)

        media = "text/csv" if form == "csv" else "text/plain"
        return spools.answer(write, media, f"{name}.{ENDINGS[form]}")


def _stamp(connection: Connection, wanted: Range) -> exports.Stamp:
    which = f"postings of {wanted.ledger or 'all ledgers'}, from {wanted.first}"
    return exports.stamp_of(connection, which, wanted.last)
