"""What is kept of a person: downloaded whole, or asked to be deleted."""

from collections.abc import Iterable
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO

from flask import Response, send_file
from flask_login import current_user

from portal.ledger.errors import Refused
from portal.pages import views
from portal.pages.blueprint import blueprint
from portal.pages.forms.account import PasswordForm
from portal.services.accounts import deletion, export

FILE = "dreamland.json"


@blueprint.get("/account/data")
def account_data() -> Response:
    """What the export holds."""
    return views.page("account_data.html")


@blueprint.post("/account/data")
def download_data() -> Response:
    """The export. It is written whole before the first byte is sent: no half of it looks like all."""
    file, size = _written(export.document(current_user.sign_in_id))
    sent = send_file(file, "application/json", as_attachment=True, download_name=FILE)
    sent.content_length = size
    sent.call_on_close(file.close)  # also where compression reads it in the file's stead
    return views.private(sent)


@blueprint.route("/account/deletion", methods=["GET", "POST"])
def account_deletion() -> Response:
    """Ask for the account to be deleted, by the password."""
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            deletion.ask(current_user.sign_in_id, str(form.current_password.data))
        except Refused as error:
            views.refused(form, error)
        else:
            views.tell("You asked for your account to be deleted.")
            return views.go("pages.account_deletion")
    asked_at = deletion.asked_at(current_user.user_id)
    return views.form_page(
        *("account_deletion.html", form, views.WHOLE_FORM),
        submit="Ask for the deletion",
        danger=True,
        asked_at=asked_at,
    )


@blueprint.post("/account/deletion/withdrawal")
def deletion_withdrawal() -> Response:
    """Take the wish back; also one that was taken back before."""
    try:
        deletion.withdraw(current_user.sign_in_id)
    except Refused:
        views.tell("There was no wish to take back.")
    else:
        views.tell("Your account stays.")
    return views.go("pages.account_deletion")


def _written(pieces: Iterable[str]) -> tuple[IO[bytes], int]:
    """All of them, in a file that the response closes; with its size."""
    with ExitStack() as on_failure:
        file = on_failure.enter_context(TemporaryFile())
        file.writelines(piece.encode() for piece in pieces)
        size = file.tell()
        file.seek(0)
        on_failure.pop_all()
        return file, size
