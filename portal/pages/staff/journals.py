"""Journals: a ledger, or all, as a file that spreadsheets and accountants' programs read.

Which one is all in the address; a download is a plain link. It is read in one snapshot while it is sent.
"""

from datetime import UTC, timedelta

from flask import Response, request
from sqlalchemy import Connection, Engine

from portal import ledger
from portal.ledger import PostingRow, Range
from portal.ledger.errors import Refused
from portal.pages import exports, pipes, views
from portal.pages.blueprint import blueprint
from portal.pages.forms.journals import JournalForm, ledger_choices
from portal.pages.pipes import Pipe
from portal.runtime import runtime
from portal.services import audit
from portal.services import journals as formats

PAGE = "staff/journals.html"
ENDINGS = {"csv": "csv", "xlsx": "xlsx", "beancount": "beancount", "hledger": "journal"}
"""What the names of files end with."""
LONGEST = timedelta(seconds=pipes.LONGEST_S)


@blueprint.get("/journals")
def journals() -> Response:
    """What there is, and the form that asks for it: this month, unless something else is named."""
    with runtime().reading() as connection:
        form = _form(connection)
    if not form.first.data:
        form.first.data = max(form.today.replace(day=1), form.began or form.today)
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
    with runtime().engine.begin() as connection:
        asked = {name: value for name, value in form.data.items() if value}
        audit.record(connection, "books.exported", "books", after=asked)
    return _answer(form.wanted, form.format.data)


def _form(connection: Connection) -> JournalForm:
    began = ledger.first_booked_at(connection)
    form = JournalForm(request.args)
    form.began = began and began.astimezone(UTC).date()
    form.today = ledger.now(connection).astimezone(UTC).date()
    form.ledger.choices = ledger_choices(ledger.ledgers(connection))
    return form


def _answer(wanted: Range, form: str) -> Response:
    name = f"{wanted.ledger or 'all'}-{wanted.first}-{wanted.last}"
    if form == "xlsx":
        return _workbook(name, wanted)
    engine = runtime().engine

    def write(pipe: Pipe) -> None:
        _write(engine, wanted, form, pipe)

    mimetype = "text/csv" if form == "csv" else "text/plain"
    answer = Response(pipes.piped(write), mimetype=mimetype)
    return exports.download(answer, f"{name}.{ENDINGS[form]}")


def _write(engine: Engine, wanted: Range, form: str, pipe: Pipe) -> None:
    """In the thread of the pipe."""
    with engine.connect() as connection:
        snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
        stamp = _stamp(snapshot, wanted)
        if form == "csv":
            pipe.write("".join(f"{line}\n" for line in stamp.lines).encode())
            ledger.copy_postings(snapshot, wanted, exports.RUN, pipe, LONGEST)
        else:
            for lines in formats.lines(snapshot, wanted, form, stamp.lines):
                pipe.write(lines.encode())


def _workbook(name: str, wanted: Range) -> Response:
    with runtime().reading() as snapshot:
        rows = ledger.posting_rows(snapshot, wanted)
        stamp = _stamp(snapshot, wanted)
        return exports.sheet("xlsx", name, PostingRow._fields, rows, stamp)


def _stamp(connection: Connection, wanted: Range) -> exports.Stamp:
    which = f"postings of {wanted.ledger or 'all ledgers'}, from {wanted.first}"
    return exports.stamp_of(connection, which, wanted.last)
