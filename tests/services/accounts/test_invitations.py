"""Invitations: to the account of a user of the games, or to work here."""

import pytest
from sqlalchemy import Engine

from portal.ledger.errors import NotFound, Refused
from portal.services import users
from portal.services.accounts import invitations, links, signing_in
from portal.services.accounts.invitations import Invited
from tests.mailbox import Mailbox
from tests.services.accounts.conftest import PASSWORD, actions, count, rows, staff

EMAIL = "ida@example.com"


def refused(code: str, email: str, **of: str) -> None:
    with pytest.raises(Refused) as error:
        invitations.invite_staff(email, of.get("role", "viewer"), of.get("name", "Ida"))
    assert error.value.code == code


def test_staff_are_invited_with_a_role_and_a_name(mailbox: Mailbox, engine: Engine) -> None:
    address = invitations.invite_staff("Ida@example.com", "approver", " Ida Lund ")
    mail = mailbox.last(EMAIL)
    assert mail["Subject"] == "Your invitation to Dreamland"
    assert "Hello Ida Lund," in mail.get_content()
    assert 'in the role "approver"' in mail.get_content()
    assert address in mail.get_content()
    token = mailbox.token(EMAIL)
    assert invitations.invited(links.find(token)) == Invited(EMAIL, "approver", "Ida Lund")
    made = invitations.accept(token, PASSWORD)
    assert signing_in.check(EMAIL, PASSWORD).sign_in_id == made
    held = rows(engine, "SELECT role, name, user_id FROM sign_ins WHERE id = :id", id=made)
    assert held == [("approver", "Ida Lund", None)]
    assert actions()[:2] == ["invitation.made", "invitation.accepted"]


def test_a_user_is_invited_to_the_wallet_that_is_there(mailbox: Mailbox) -> None:
    player, _ = users.create("player-1", "Ida", "Asia/Tokyo")
    invitations.invite_user(EMAIL, player.id)
    assert "what you win in our games" in mailbox.last(EMAIL).get_content()
    token = mailbox.token(EMAIL)
    assert invitations.invited(links.find(token)) == Invited(EMAIL, "user", "Ida")
    invitations.accept(token, PASSWORD)
    assert signing_in.check(EMAIL, PASSWORD).role == "user"
    assert users.get(player.id).email == EMAIL


def test_a_users_own_e_mail_is_kept(mailbox: Mailbox) -> None:
    player, _ = users.create("player-1", "Ida", "UTC", "games@example.com")
    invitations.invite_user(EMAIL, player.id)
    invitations.accept(mailbox.token(EMAIL), PASSWORD)
    assert users.get(player.id).email == "games@example.com"


def test_whom_nobody_can_invite(mailbox: Mailbox) -> None:
    player, _ = users.create("player-1", "Ida", "UTC")
    staff("taken@example.com")
    refused("email_taken", "Taken@example.com")
    refused("validation_failed", "nonsense")
    refused("validation_failed", EMAIL, role="user")
    refused("validation_failed", EMAIL, role="root")
    refused("validation_failed", EMAIL, name=" ")
    with pytest.raises(NotFound):
        invitations.invite_user(EMAIL, player.id + 1)
    with pytest.raises(Refused, match="e-mail already"):
        invitations.invite_user("taken@example.com", player.id)
    invitations.invite_user(EMAIL, player.id)
    invitations.accept(mailbox.token(EMAIL), PASSWORD)
    with pytest.raises(Refused, match="has an account already"):
        invitations.invite_user("other@example.com", player.id)
    assert mailbox.to("other@example.com") == []


def test_a_newer_invitation_takes_the_place_of_the_one_before(mailbox: Mailbox) -> None:
    invitations.invite_staff(EMAIL, "viewer", "Ida")
    first = mailbox.token(EMAIL)
    invitations.invite_staff(EMAIL, "admin", "Ida")
    with pytest.raises(Refused, match="can't be used"):
        invitations.accept(first, PASSWORD)
    invitations.accept(mailbox.token(EMAIL), PASSWORD)
    assert signing_in.check(EMAIL, PASSWORD).role == "admin"


def test_an_account_made_meanwhile_is_refused_whole(mailbox: Mailbox) -> None:
    player, _ = users.create("player-1", "Ida", "UTC")
    for email in ("one@example.com", "two@example.com"):
        invitations.invite_user(email, player.id)
    invitations.accept(mailbox.token("two@example.com"), PASSWORD)
    with pytest.raises(Refused) as error:
        invitations.accept(mailbox.token("one@example.com"), PASSWORD)
    assert error.value.code == "user_taken"
    invitations.invite_staff(EMAIL, "viewer", "Ida")
    staff(EMAIL)
    with pytest.raises(Refused) as error:
        invitations.accept(mailbox.token(EMAIL), PASSWORD)
    assert error.value.code == "email_taken"
    assert count("sign_ins") == 2


def test_a_password_that_would_be_guessed_uses_no_invitation(mailbox: Mailbox) -> None:
    invitations.invite_staff(EMAIL, "viewer", "Ida")
    token = mailbox.token(EMAIL)
    with pytest.raises(Refused) as error:
        invitations.accept(token, "password123")
    assert error.value.figures["param"] == "password"
    assert invitations.accept(token, PASSWORD)


def test_the_log_names_nobody_in_full(mailbox: Mailbox, engine: Engine) -> None:
    invitations.invite_staff(EMAIL, "viewer", "Ida")
    invitations.accept(mailbox.token(EMAIL), PASSWORD)
    told = str(rows(engine, "SELECT to_jsonb(a)::text FROM audit_events a"))
    assert "i…@example.com" in told
    assert EMAIL not in told
    assert "Ida" not in told
