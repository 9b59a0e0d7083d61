"""The keys of an API client: made, replaced by another, revoked. A key is shown once, and nowhere kept."""

from collections.abc import Callable
from datetime import datetime

from flask import Response, abort
from flask_wtf import FlaskForm

from portal.ledger.errors import Refused
from portal.pages import lists, views
from portal.pages.blueprint import blueprint
from portal.pages.forms.clients import NewKeyForm, RotationForm
from portal.pages.forms.fields import said
from portal.pages.forms.mailed import ConfirmForm
from portal.pages.staff.clients import changed, found_client
from portal.services import clients as service
from portal.services.clients import ClientInfo, KeyInfo

Made = tuple[str, datetime | None]
"""A key, and until when the one works that it takes the place of."""


@blueprint.route("/clients/<client_id>/keys/new", methods=["GET", "POST"])
def new_key(client_id: str) -> Response:
    """Make one, with the scopes that are ticked."""
    client = found_client(client_id)
    form = NewKeyForm()

    def make() -> Made:
        return service.create_key(client.name, form.scopes.data or (), said(form.form_id)), None

    return _made(form, make, client) or views.form_page(
        "staff/new_key.html", form, submit="Create the key", client=client
    )


@blueprint.route("/clients/<client_id>/keys/<key_id>/rotation", methods=["GET", "POST"])
def key_rotation(client_id: str, key_id: str) -> Response:
    """Replace one by another, which works beside it for a while."""
    client = found_client(client_id)
    key = _found_key(client, key_id)
    form = RotationForm(scopes=key.scopes)

    def make() -> Made:
        return service.rotate(key.id, form.scopes.data or (), form.overlap, said(form.form_id))

    return _made(form, make, client) or views.form_page(
        "staff/key_rotation.html", form, submit="Replace the key", client=client, key=key
    )


@blueprint.route("/clients/<client_id>/keys/<key_id>/revocation", methods=["GET", "POST"])
def key_revocation(client_id: str, key_id: str) -> Response:
    """Revoke one, once it was said what stops then."""
    client = found_client(client_id)
    key = _found_key(client, key_id)
    form = ConfirmForm()

    def revoke() -> str:
        service.revoke(key.id)
        return f"The key that begins with {key.prefix} is refused from now on."

    name = "staff/key_revocation.html"
    return changed(form, revoke, client, name, submit="Revoke the key", danger=True, key=key)


def _made(form: FlaskForm, make: Callable[[], Made], client: ClientInfo) -> Response | None:
    """The page that shows the key, of a form that was sent in order; None where it was not.

    A form that is sent again, by loading that page anew, makes and shows nothing.
    """
    if not form.validate_on_submit():
        return None
    try:
        token, until = make()
    except Refused as error:
        if error.code == "form_sent_before":
            views.tell(views.sentence(error.detail))
            return views.go("pages.client", client_id=client.id)
        views.refused(form, error)
        return None
    return views.page("staff/key_made.html", token=token, until=until, client=client)


def _found_key(client: ClientInfo, key_id: str) -> KeyInfo:
    return service.key(client.id, lists.number(key_id)) or abort(404)
