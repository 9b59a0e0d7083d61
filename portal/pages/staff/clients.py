"""API clients: the list of them, a client with its limits, keys and webhook endpoints."""

from collections.abc import Callable, Iterator

from flask import Response, abort, url_for
from flask_wtf import FlaskForm

from portal import ledger
from portal.ledger.errors import Refused
from portal.pages import exports, lists, views
from portal.pages.blueprint import blueprint
from portal.pages.forms.clients import LimitsForm, NewClientForm
from portal.pages.forms.fields import said
from portal.pages.forms.mailed import ConfirmForm
from portal.runtime import runtime
from portal.services import clients as service
from portal.services.clients import ClientInfo, KeyInfo
from portal.services.webhooks import audited, endpoints

COLUMNS = (
    *("id", "client", "begins", "scopes", "created_at", "last_used_at", "expires_at"),
    "revoked_at",
)


@blueprint.get("/clients")
def clients() -> Response:
    """All, by name, with what each is limited to and when it last called."""
    page = lists.cut(service.page(lists.after(), lists.PAGE + 1))
    return views.page(
        "staff/clients.html",
        "staff/_clients.html",
        listed=page.rows,
        more=url_for("pages.clients", after=page.rows[-1].info.id) if page.has_more else None,
        first=url_for("pages.clients") if lists.after() else None,
        usual_rate=runtime().settings.rate_limit_per_minute,
    )


@blueprint.get("/clients.<any(csv,xlsx):form>")
def clients_file(form: str) -> Response:
    """The keys of all clients, none of which can be used by what is in the file."""
    return exports.table(form, "api-keys", COLUMNS, _rows(), "API keys")


def _rows() -> Iterator[exports.Cells]:
    def read(last: KeyInfo | None) -> list[KeyInfo]:
        return service.keys_page(None, last.id if last else None, exports.AT_ONCE)

    for key in exports.walk(read):
        moments = (key.created_at, key.last_used_at, key.expires_at, key.revoked_at)
        named = (key.id, exports.cell(key.client), key.prefix, " ".join(key.scopes))
        yield (*named, *(exports.moment(at) for at in moments))


@blueprint.route("/clients/new", methods=["GET", "POST"])
def new_client() -> Response:
    """Make one. It may do anything that its keys allow, until it is limited."""
    form = NewClientForm()
    if form.validate_on_submit():
        try:
            made, is_new = service.add(said(form.name).strip())
            if not is_new:
                detail = "there is a client of this name already"
                raise Refused("validation_failed", detail, param="name")
        except Refused as error:
            views.refused(form, error)
        else:
            views.tell(f"The client {made.name} is made. It needs a key to call the API.")
            return views.go("pages.client", client_id=made.id)
    return views.form_page(
        "staff/new_client.html", form, views.WHOLE_FORM, submit="Make the client"
    )


@blueprint.get("/clients/<client_id>")
def client(client_id: str) -> Response:
    """A client with its limits, its keys, the newest first, and where its events are sent."""
    before = lists.before()
    with runtime().reading() as connection:
        found = found_client(client_id)
        keys = lists.cut(service.keys_page(found.id, before, lists.PAGE + 1))
        now = ledger.now(connection)
        hooks = [] if views.is_fragment() else endpoints.every(found.id)
    here = url_for("pages.client", client_id=found.id)
    return views.page(
        "staff/client.html",
        "staff/_keys.html",
        client=found,
        keys=keys.rows,
        now=now,
        hooks=hooks,
        shown_url=audited.shown_url,
        usual_rate=runtime().settings.rate_limit_per_minute,
        older=f"{here}?before={keys.rows[-1].id}" if keys.has_more else None,
        newest=here if before else None,
    )


@blueprint.route("/clients/<client_id>/limits", methods=["GET", "POST"])
def client_limits(client_id: str) -> Response:
    """Change what it is limited to."""
    found = found_client(client_id)
    form = LimitsForm(
        games="\n".join(found.games or ()),
        regions=found.regions,
        networks="\n".join(found.networks or ()),
        rate_limit=found.rate_limit,
    )
    form.offer(runtime().settings.regions)

    def limit() -> str:
        service.set_limits(found.name, **form.wanted())
        return "The limits are changed. They hold within a second."

    return changed(
        *(form, limit, found, "staff/client_limits.html"),
        submit="Change the limits",
        usual_rate=runtime().settings.rate_limit_per_minute,
    )


@blueprint.route("/clients/<client_id>/revocation", methods=["GET", "POST"])
def client_revocation(client_id: str) -> Response:
    """Revoke all keys of a client, once it was said what stops then."""
    found = found_client(client_id)
    form = ConfirmForm()

    def revoke() -> str:
        service.revoke_all(found.name)
        return f"No key of {found.name} works any more, and its webhooks have stopped."

    name = "staff/client_revocation.html"
    return changed(form, revoke, found, name, submit="Revoke all keys", danger=True)


def changed(
    form: FlaskForm, change: Callable[[], str], client: ClientInfo, name: str, **context: object
) -> Response:
    """The page of a change to a client, or the client's once it was made."""
    answer = views.sent(form, change, "pages.client", client_id=client.id)
    return answer or views.form_page(name, form, views.WHOLE_FORM, client=client, **context)


def found_client(client_id: str) -> ClientInfo:
    """The client of an address; else there is nothing at it."""
    return service.get(lists.number(client_id)) or abort(404)
