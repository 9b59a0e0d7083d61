"""Members of staff: who there is and was invited; an admin lets them in, gives roles, ends sessions."""

from collections.abc import Callable, Iterator

from flask import Response, abort, request, url_for
from flask_login import current_user
from flask_wtf import FlaskForm

from portal.ledger.errors import LedgerError
from portal.pages import browsers, exports, lists, views
from portal.pages.blueprint import blueprint
from portal.pages.forms.fields import said
from portal.pages.forms.mailed import ConfirmForm
from portal.pages.forms.members import OFF, ON, AccessForm, InvitationForm, RoleForm
from portal.runtime import runtime
from portal.services.accounts import access, invitations, roles, second_factor, sessions
from portal.services.accounts import members as service
from portal.services.accounts.members import Member

ALL = "all"
COLUMNS = (
    *("id", "name", "email", "role", "second_factor_since", "last_seen_at", "open_sessions"),
    *("disabled_at", "created_at"),
)


@blueprint.get("/staff")
def staff() -> Response:
    """Everybody who works here, by name, and who was invited."""
    with runtime().reading():
        page = lists.cut(service.page(lists.after(), lists.PAGE + 1))
        invited = [] if lists.after() else invitations.pending()
    return views.page(
        "staff/members.html",
        "staff/_members.html",
        listed=page.rows,
        invited=invited,
        more=url_for("pages.staff", after=page.rows[-1].id) if page.has_more else None,
        first=url_for("pages.staff") if lists.after() else None,
    )


@blueprint.get("/staff.<any(csv,xlsx):form>")
def staff_file(form: str) -> Response:
    """Every member."""
    return exports.table(form, "staff", COLUMNS, _rows(), "Members of staff")


def _rows() -> Iterator[exports.Cells]:
    def read(last: Member | None) -> list[Member]:
        return service.page(last.id if last else None, exports.AT_ONCE)

    for each in exports.walk(read):
        named = (each.id, exports.cell(each.name), exports.cell(each.email), each.role)
        seen = (each.second_factor_since, each.last_seen_at)
        ended = (each.disabled_at, each.created_at)
        yield (
            *(*named, *(exports.moment(at) for at in seen), each.open_sessions),
            *(exports.moment(at) for at in ended),
        )


@blueprint.route("/staff/invitation", methods=["GET", "POST"])
def staff_invitation() -> Response:
    """Invite somebody to work here."""
    form = InvitationForm()

    def invite() -> str:
        email = said(form.email).strip()
        invitations.invite_staff(email, said(form.role), said(form.name))
        return f"The invitation is on its way to {email}."

    answer = views.sent(form, invite, "pages.staff")
    return answer or views.form_page(
        "staff/invitation.html", form, views.WHOLE_FORM, submit="Send the invitation"
    )


@blueprint.post("/staff/invitations/<link_id>/withdrawal")
def invitation_withdrawal(link_id: str) -> Response:
    """Take an invitation back."""
    email = invitations.withdraw(lists.number(link_id))
    if email is None:
        views.tell("That invitation was not open any more.")
    else:
        views.tell(f"The invitation of {email} can't be used any more.")
    return views.go("pages.staff")


@blueprint.get("/staff/<member_id>")
def member(member_id: str) -> Response:
    """A member, and the browsers that are signed in."""
    with runtime().reading():
        found = _found(member_id)
        opened = sessions.listed(found.id)
    return views.page(
        "staff/member.html", member=found, opened=opened, browsers=browsers, about=roles.ABOUT
    )


@blueprint.route("/staff/<member_id>/role", methods=["GET", "POST"])
def member_role(member_id: str) -> Response:
    """Give another role; it holds at once."""
    found = _found(member_id)
    form = RoleForm(role=found.role)

    def give() -> str:
        service.give_role(found.id, said(form.role))
        return f"{found.name} has the role {said(form.role)} now, and was signed out everywhere."

    return _changed(form, give, found, "staff/member_role.html", submit="Give the role")


@blueprint.route("/staff/<member_id>/access", methods=["GET", "POST"])
def member_access(member_id: str) -> Response:
    """Let nobody sign in as this member any more, or let them again."""
    found = _found(member_id)
    form = AccessForm(to=ON if found.disabled_at else OFF)

    def change() -> str:
        if said(form.to) == ON:
            access.enable(found.email)
            return f"{found.name} can sign in again."
        access.disable(found.email)
        return f"{found.name} can't sign in any more, and was signed out everywhere."

    submit = "Let them sign in again" if found.disabled_at else "Disable the sign-in"
    is_end = not found.disabled_at
    return _changed(form, change, found, "staff/member_access.html", submit=submit, danger=is_end)


@blueprint.route("/staff/<member_id>/second-factor", methods=["GET", "POST"])
def member_second_factor(member_id: str) -> Response:
    """Remove the second factor of somebody who has lost it."""
    found = _found(member_id)
    form = ConfirmForm()

    def remove() -> str:
        second_factor.remove(found.email)
        return f"{found.name} has no second factor any more, and was signed out everywhere."

    submit = "Remove the second factor"
    return _changed(
        form, remove, found, "staff/member_second_factor.html", submit=submit, danger=True
    )


@blueprint.post("/staff/<member_id>/sessions")
def member_sessions(member_id: str) -> Response:
    """End one session by its number, or all."""
    found, which = _found(member_id), request.form.get("end", "")
    try:
        ended = service.end_sessions(found.id, None if which == ALL else lists.number(which))
    except LedgerError as error:
        views.tell(views.sentence(error.detail))
    else:
        if not ended and which != ALL:
            abort(404)
        views.tell(f"{found.name} is signed out {'everywhere' if which == ALL else 'there'}.")
    return views.go("pages.member", member_id=found.id)


def _changed(
    form: FlaskForm, change: Callable[[], str], found: Member, name: str, **context: object
) -> Response:
    """The page of a change to a member, or the member's once it was made."""
    answer = views.sent(form, change, "pages.member", member_id=found.id)
    is_own = found.id == current_user.sign_in_id
    return answer or views.form_page(
        name, form, views.WHOLE_FORM, member=found, is_own=is_own, **context
    )


def _found(member_id: str) -> Member:
    return service.get(lists.number(member_id)) or abort(404)
