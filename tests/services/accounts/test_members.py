"""Members of staff: roles that hold at once, an admin who is always left, invitations that are taken back."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import Engine

from portal.ledger.errors import NotFound, Refused
from portal.runtime import runtime
from portal.services import audit
from portal.services.accounts import (
    access,
    invitations,
    members,
    second_factor,
    sessions,
    sign_ins,
    signing_in,
)
from tests.concurrency.web import at_once
from tests.mailbox import Mailbox
from tests.services.accounts.conftest import PASSWORD, actions, disable, rows, session, staff


def acting_as(sign_in_id: int) -> audit.Actor:
    return audit.Actor("person", sign_in_id, role="admin")


def refused(code: str, do: Callable[[], object]) -> None:
    """It is refused with that code, and nothing is recorded."""
    before = actions()
    with pytest.raises(Refused) as error:
        do()
    assert error.value.code == code
    assert actions() == before


def role_of(member_id: int) -> str:
    found = members.get(member_id)
    assert found
    return found.role


def test_a_role_holds_at_once_as_every_session_ends(mailbox: Mailbox, engine: Engine) -> None:
    grace, sam = staff("grace@example.com", "admin"), staff("sam@example.com", "accountant")
    secrets = [session(sam) for _ in range(2)]
    with audit.acting(acting_as(grace)):
        members.give_role(sam, "approver")
    assert role_of(sam) == "approver"
    assert [sessions.visitor(secret) for secret in secrets] == [None, None]
    assert signing_in.check("sam@example.com", PASSWORD).role == "approver"
    told = rows(
        engine,
        "SELECT before, after, sign_in_id FROM audit_events WHERE action = :a",
        a="sign_in.role_changed",
    )
    assert told == [({"role": "accountant"}, {"role": "approver"}, grace)]
    mail = mailbox.last("sam@example.com")
    assert mail["Subject"] == "Your role at Dreamland is another one now"
    assert '"approver"' in mail.get_content()


def test_roles_that_can_not_be_given(mailbox: Mailbox) -> None:
    assert mailbox
    grace = staff("grace@example.com", "admin")
    sam = staff("sam@example.com")
    with audit.acting(acting_as(grace)):
        refused("own_sign_in", lambda: members.give_role(grace, "viewer"))
        refused("validation_failed", lambda: members.give_role(sam, "viewer"))
        for role in ("user", "root", "", "Admin"):
            refused("validation_failed", lambda role=role: members.give_role(sam, role))
        with pytest.raises(NotFound):
            members.give_role(sam + 1, "viewer")
    assert role_of(sam) == "viewer"


def test_a_user_of_the_games_is_given_no_role(signed_up: Callable[..., object]) -> None:
    signed_up("ida@example.com")
    with runtime().engine.connect() as connection:
        ida = sign_ins.of_email(connection, "ida@example.com")
    assert ida
    with pytest.raises(NotFound):
        members.give_role(ida.id, "admin")
    assert members.get(ida.id) is None


def test_an_admin_who_can_sign_in_is_always_left(mailbox: Mailbox) -> None:
    assert mailbox
    grace = staff("grace@example.com", "admin")
    gone = staff("gone@example.com", "admin")
    disable(gone)
    refused("last_admin", lambda: members.give_role(grace, "viewer"))
    members.give_role(gone, "viewer")  # who can't sign in is no loss
    with audit.acting(acting_as(gone)):
        refused("last_admin", lambda: access.disable("grace@example.com"))
    access.enable("gone@example.com")
    members.give_role(gone, "admin")
    members.give_role(grace, "viewer")
    assert (role_of(grace), role_of(gone)) == ("viewer", "admin")


def test_of_admins_who_dismiss_each_other_at_once_one_stays(mailbox: Mailbox, app: Flask) -> None:
    assert mailbox
    admins = [staff(f"admin-{number}@example.com", "admin") for number in range(4)]

    def dismiss(member_id: int) -> str:
        with app.app_context():
            try:
                members.give_role(member_id, "viewer")
            except Refused as error:
                return error.code
            return "dismissed"

    done = at_once(*(lambda each=each: dismiss(each) for each in admins))
    assert sorted(done) == ["dismissed", "dismissed", "dismissed", "last_admin"]
    assert [role_of(each) for each in admins].count("admin") == 1


def test_nobody_locks_themselves_out(mailbox: Mailbox) -> None:
    assert mailbox
    grace = staff("grace@example.com", "admin")
    staff("other@example.com", "admin")
    secret = session(grace)
    with audit.acting(acting_as(grace)):
        refused("own_sign_in", lambda: access.disable("grace@example.com"))
        refused("own_sign_in", lambda: second_factor.remove("grace@example.com"))
        refused("own_sign_in", lambda: members.end_sessions(grace))
    assert sessions.visitor(secret)


def test_the_command_line_disables_the_last_admin_too(mailbox: Mailbox) -> None:
    """For one that was stolen: whoever has the command line can invite another."""
    assert mailbox
    grace = staff("grace@example.com", "admin")
    with audit.acting(audit.Actor("command_line", name="root@host")):
        access.disable("grace@example.com")
    found = members.get(grace)
    assert found
    assert found.disabled_at


def test_members_are_listed_by_name_with_what_an_admin_looks_for(mailbox: Mailbox) -> None:
    assert mailbox
    grace = staff("grace@example.com", "admin")
    numbers = [staff(f"sam-{number}@example.com") for number in range(3)]
    session(numbers[1])
    session(numbers[1])
    members.end_sessions(numbers[1], sessions.listed(numbers[1])[0].id)
    first, second = members.page(None, 2), members.page(numbers[0], 2)
    assert [each.id for each in first] == [grace, numbers[0]]
    assert [each.id for each in second] == numbers[1:]
    assert [(each.open_sessions, each.last_seen_at is None) for each in second] == [
        (1, False),
        (0, True),
    ]
    assert members.page(10**9, 2) == []


def test_a_session_is_ended_only_of_whom_it_is(mailbox: Mailbox) -> None:
    assert mailbox
    sam, tom = staff("sam@example.com"), staff("tom@example.com")
    secret = session(sam)
    number = sessions.listed(sam)[0].id
    assert members.end_sessions(tom, number) == 0
    assert sessions.visitor(secret)
    assert members.end_sessions(sam, number) == 1
    assert sessions.visitor(secret) is None


def test_an_invitation_that_is_taken_back_lets_nobody_in(mailbox: Mailbox, engine: Engine) -> None:
    invitations.invite_staff("ida@example.com", "approver", "Ida")
    invitations.invite_staff("otto@example.com", "viewer", "Otto")
    token = mailbox.token("ida@example.com")
    otto, ida = invitations.pending()
    assert (ida.email, ida.role, otto.name) == ("ida@example.com", "approver", "Otto")
    assert invitations.withdraw(ida.id) == "ida@example.com"
    assert invitations.withdraw(ida.id) is None
    with pytest.raises(Refused, match="can't be used"):
        invitations.accept(token, PASSWORD)
    assert [each.email for each in invitations.pending()] == ["otto@example.com"]
    told = rows(engine, "SELECT before FROM audit_events WHERE action = 'invitation.withdrawn'")
    assert told == [({"email": "i…@example.com", "role": "approver"},)]


def test_only_open_invitations_of_staff_are_listed_and_withdrawn(
    mailbox: Mailbox, signed_up: Callable[..., object]
) -> None:
    invitations.invite_staff("ida@example.com", "viewer", "Ida")
    invitations.invite_staff("ida@example.com", "admin", "Ida")
    [newer] = invitations.pending()
    assert newer.role == "admin"
    assert invitations.withdraw(newer.id - 1) is None
    invitations.accept(mailbox.token("ida@example.com"), PASSWORD)
    assert invitations.pending() == []
    assert invitations.withdraw(newer.id) is None
    invitations.invite_staff("ada@example.com", "viewer", "Ada")
    staff("ada@example.com")
    assert invitations.pending() == []
    signed_up("player@example.com")
    assert invitations.pending() == []
