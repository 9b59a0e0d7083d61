"""Another e-mail to sign in with: the password asks, the new address finishes, the old one is told."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import Engine

from portal.ledger.errors import Refused
from portal.services import users
from portal.services.accounts import emails, sessions, signing_in
from portal.services.accounts.sign_up import Finished
from tests.mailbox import Mailbox
from tests.services.accounts.conftest import PASSWORD, count, disable, rows, session, staff

OLD, NEW = "ida@example.com", "new@example.com"
SignUp = Callable[..., Finished]


@pytest.fixture
def ida(signed_up: SignUp) -> Finished:
    return signed_up(OLD)


def test_the_e_mail_changes_when_the_new_address_says_so(mailbox: Mailbox, ida: Finished) -> None:
    kept = session(ida.sign_in_id)
    emails.request(ida.sign_in_id, " New@Example.com ", PASSWORD)
    assert signing_in.check(OLD, PASSWORD)
    assert mailbox.last(NEW)["Subject"] == "Confirm your new e-mail for Dreamland"
    assert emails.finish(mailbox.token(NEW)) == NEW
    assert signing_in.check(NEW, PASSWORD).sign_in_id == ida.sign_in_id
    with pytest.raises(Refused):
        signing_in.check(OLD, PASSWORD)
    told = mailbox.last(OLD)
    assert told["Subject"] == "Your e-mail for Dreamland was changed"
    assert "n…@example.com" in told.get_content()
    assert users.get(ida.user_id).email == NEW
    assert sessions.visitor(kept)


def test_an_e_mail_of_the_games_that_is_another_stays(mailbox: Mailbox, ida: Finished) -> None:
    users.change(ida.user_id, {"email": "games@example.com"})
    emails.request(ida.sign_in_id, NEW, PASSWORD)
    emails.finish(mailbox.token(NEW))
    assert users.get(ida.user_id).email == "games@example.com"


def test_the_log_tells_of_it_without_the_addresses(
    mailbox: Mailbox, ida: Finished, engine: Engine
) -> None:
    emails.request(ida.sign_in_id, NEW, PASSWORD)
    emails.finish(mailbox.token(NEW))
    told = rows(engine, "SELECT action, before, after FROM audit_events WHERE action ^@ 'email.'")
    assert told == [
        ("email.change_asked", None, {"email": "n…@example.com"}),
        ("email.changed", {"email": "i…@example.com"}, {"email": "n…@example.com"}),
    ]


@pytest.mark.parametrize(
    ("email", "password", "param"),
    [
        (NEW, "wrong password", "current_password"),
        (NEW, "", "current_password"),
        ("nonsense", PASSWORD, "email"),
        (OLD.upper(), PASSWORD, "email"),
    ],
)
def test_a_field_that_is_wrong_is_named_and_no_mail_is_sent(
    mailbox: Mailbox, ida: Finished, email: str, password: str, param: str
) -> None:
    sent = len(mailbox.all())
    with pytest.raises(Refused) as error:
        emails.request(ida.sign_in_id, email, password)
    assert error.value.figures["param"] == param
    assert len(mailbox.all()) == sent


def test_whether_somebody_has_the_address_is_told_by_mail_alone(
    mailbox: Mailbox, ida: Finished
) -> None:
    staff("eva@example.com")
    emails.request(ida.sign_in_id, "eva@example.com", PASSWORD)
    assert mailbox.subjects("eva@example.com") == ["Your e-mail is in use at Dreamland"]
    assert count("links WHERE kind = 'email_change'") == 0


def test_an_address_that_was_taken_meanwhile_is_refused_whole(
    mailbox: Mailbox, ida: Finished
) -> None:
    emails.request(ida.sign_in_id, NEW, PASSWORD)
    staff(NEW)
    with pytest.raises(Refused) as error:
        emails.finish(mailbox.token(NEW))
    assert error.value.code == "email_taken"
    assert signing_in.check(OLD, PASSWORD).sign_in_id == ida.sign_in_id
    assert mailbox.last(OLD)["Subject"] != "Your e-mail for Dreamland was changed"


def test_only_the_link_of_the_last_request_can_be_used(mailbox: Mailbox, ida: Finished) -> None:
    emails.request(ida.sign_in_id, "typo@example.com", PASSWORD)
    first = mailbox.token("typo@example.com")
    emails.request(ida.sign_in_id, NEW, PASSWORD)
    with pytest.raises(Refused, match="can't be used"):
        emails.finish(first)
    assert emails.finish(mailbox.token(NEW)) == NEW


def test_an_account_that_was_switched_off_keeps_its_e_mail(mailbox: Mailbox, ida: Finished) -> None:
    emails.request(ida.sign_in_id, NEW, PASSWORD)
    token = mailbox.token(NEW)
    disable(ida.sign_in_id)
    with pytest.raises(Refused, match="can't be used"):
        emails.finish(token)
    assert count(f"sign_ins WHERE email = '{OLD}'") == 1


def test_of_two_who_finish_with_one_address_at_once_one_has_it(
    mailbox: Mailbox, ida: Finished, signed_up: SignUp, app: Flask
) -> None:
    tokens = []
    for each in (ida, signed_up("eva@example.com")):
        emails.request(each.sign_in_id, NEW, PASSWORD)
        tokens.append(mailbox.token(NEW))
    barrier = threading.Barrier(2)

    def attempt(token: str) -> str:
        with app.app_context():
            barrier.wait()
            try:
                return emails.finish(token)
            except Refused as error:
                return error.code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, tokens)) == ["email_taken", NEW]
