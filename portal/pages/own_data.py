"""What is kept of a person: downloaded whole, or asked to be deleted."""

from tempfile import TemporaryFile

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
    file = TemporaryFile()  # noqa: SIM115 - the response closes it
    for piece in export.document(current_user.sign_in_id):
        file.write(piece.encode())
    file.seek(0)
    return views.private(
        send_file(file, "application/json", as_attachment=True, download_name=FILE)
    )


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
        *("account_deletion.html", form, "_account_form.html"),
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
