"""A new password: the same answer for all, every session ends, and so does what else could change the account."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from portal.ledger.errors import Refused
from portal.services.accounts import emails, links, resets, sessions, sign_up, signing_in
from portal.services.accounts.sign_up import Finished
from tests.factories import Books
from tests.mailbox import Mailbox
from tests.services.accounts.conftest import (
    NEW_PASSWORD,
    PASSWORD,
    actions,
    count,
    disable,
    rows,
    session,
    staff,
)

IDA = "ida@example.com"
SignUp = Callable[..., Finished]


def test_a_new_password_is_set_by_mail(mailbox: Mailbox, signed_up: SignUp) -> None:
    signed_up(IDA)
    resets.request("IDA@example.com")
    assert mailbox.last(IDA)["Subject"] == "A new password for Dreamland"
    resets.finish(mailbox.token(IDA), NEW_PASSWORD)
    assert signing_in.check(IDA, NEW_PASSWORD)
    with pytest.raises(Refused):
        signing_in.check(IDA, PASSWORD)
    assert mailbox.last(IDA)["Subject"] == "Your password for Dreamland was changed"
    assert "password.reset_asked" in actions()
    assert "password.reset" in actions()


def test_an_e_mail_without_an_account_gets_a_mail_that_says_so(mailbox: Mailbox) -> None:
    resets.request(IDA)
    assert mailbox.subjects(IDA) == ["There is no Dreamland account with this e-mail"]
    sign_up.finish(mailbox.token(IDA), PASSWORD, "Ida", "UTC")
    assert signing_in.check(IDA, PASSWORD)


def test_every_session_ends_and_the_second_factor_stays(mailbox: Mailbox, engine: Engine) -> None:
    ida, eva = staff(IDA), staff("eva@example.com")
    with engine.begin() as connection:
        switch_on = (
            "UPDATE sign_ins SET totp_since = ledger.clock(), totp_secret = 'x' WHERE id = :i"
        )
        connection.execute(text(switch_on), {"i": ida})
    mine, hers = [session(ida), session(ida)], session(eva)
    resets.request(IDA)
    resets.finish(mailbox.token(IDA), NEW_PASSWORD)
    assert [sessions.visitor(secret) for secret in mine] == [None, None]
    assert sessions.visitor(hers)
    assert signing_in.check(IDA, NEW_PASSWORD).has_second_factor


def test_a_change_of_e_mail_that_was_on_its_way_is_void(
    mailbox: Mailbox, signed_up: SignUp
) -> None:
    ida = signed_up(IDA).sign_in_id
    emails.request(ida, "thief@example.com", PASSWORD)
    thiefs = mailbox.token("thief@example.com")
    resets.request(IDA)
    resets.finish(mailbox.token(IDA), NEW_PASSWORD)
    with pytest.raises(Refused, match="can't be used"):
        emails.finish(thiefs)


def test_a_link_sent_to_an_e_mail_of_before_is_void(mailbox: Mailbox, signed_up: SignUp) -> None:
    ida = signed_up(IDA).sign_in_id
    resets.request(IDA)
    old = mailbox.token(IDA)
    emails.request(ida, "new@example.com", PASSWORD)
    emails.finish(mailbox.token("new@example.com"))
    with pytest.raises(Refused, match="can't be used"):
        resets.finish(old, NEW_PASSWORD)
    assert signing_in.check("new@example.com", PASSWORD)


@pytest.mark.parametrize("password", ["", "short", "password1234", IDA, "x" * 201])
def test_a_password_that_would_be_guessed_is_refused_and_the_link_stays(
    mailbox: Mailbox, signed_up: SignUp, password: str
) -> None:
    signed_up(IDA)
    resets.request(IDA)
    token = mailbox.token(IDA)
    with pytest.raises(Refused) as error:
        resets.finish(token, password)
    assert error.value.figures["param"] == "password"
    resets.finish(token, NEW_PASSWORD)
    assert count("links WHERE kind = 'reset' AND used_at IS NOT NULL") == 1


def test_an_account_that_was_switched_off_meanwhile_gets_no_password(
    mailbox: Mailbox, engine: Engine
) -> None:
    ida = staff(IDA)
    resets.request(IDA)
    token = mailbox.token(IDA)
    disable(ida)
    before = rows(engine, "SELECT password_hash FROM sign_ins")
    with pytest.raises(Refused, match="can't be used"):
        resets.finish(token, NEW_PASSWORD)
    assert rows(engine, "SELECT password_hash FROM sign_ins") == before


def test_an_hour_later_the_link_has_ended(mailbox: Mailbox, books: Books) -> None:
    staff(IDA)
    resets.request(IDA)
    token = mailbox.token(IDA)
    books.set_clock(books.now() + timedelta(hours=1, seconds=1))
    with pytest.raises(Refused) as error:
        resets.finish(token, NEW_PASSWORD)
    assert error.value.detail == links.INVALID
