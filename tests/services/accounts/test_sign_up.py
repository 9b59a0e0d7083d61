"""Signing up: the same answer for all, one account for an e-mail, and the wallet that is there already."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine

from portal.ledger.errors import Refused
from portal.services import audit, users
from portal.services.accounts import invitations, resets, sign_up, signing_in
from portal.services.accounts.sign_up import Known
from portal.services.audit import Actor
from tests.factories import Books
from tests.mailbox import Mailbox
from tests.services.accounts.conftest import PASSWORD, actions, count, disable, rows, staff

IDA = "ida@example.com"


def finish(token: str, name: str | None = "Ida", zone: str | None = "Europe/Berlin") -> int:
    return sign_up.finish(token, PASSWORD, name, zone).sign_in_id


def test_a_stranger_signs_up_by_mail(mailbox: Mailbox) -> None:
    sign_up.request(" Ida@Example.COM ")
    mail = mailbox.last(IDA)
    assert mail["Subject"] == "Finish signing up to Dreamland"
    made = sign_up.finish(mailbox.token(IDA), PASSWORD, "  Ida  ", "Europe/Berlin")
    found = signing_in.check("Ida@example.com", PASSWORD)
    assert (found.sign_in_id, found.role) == (made.sign_in_id, "user")
    profile = users.get(made.user_id)
    assert (profile.display_name, profile.time_zone) == ("Ida", "Europe/Berlin")
    assert profile.email == IDA
    assert profile.external_id.startswith("portal:")
    assert made.known is None
    assert actions()[:2] == ["sign_up.asked", "sign_up.finished"]


def test_two_sign_ups_are_two_users(mailbox: Mailbox) -> None:
    for email in (IDA, "eva@example.com"):
        sign_up.request(email)
        finish(mailbox.token(email))
    assert count("users") == count("sign_ins") == 2


@pytest.mark.parametrize(
    "email",
    [
        *(
            "",
            "ida",
            "ida@",
            "@example.com",
            "ida@localhost",
            "i da@example.com",
            "a@b@example.com",
        ),
        *("ida@example.com\nBcc: eva@example.com", "ïda@example.com", "a" * 250 + "@example.com"),
    ],
)
def test_what_can_be_no_address_is_refused(mailbox: Mailbox, email: str) -> None:
    for request in (sign_up.request, resets.request):
        with pytest.raises(Refused) as refused:
            request(email)
        assert (refused.value.code, refused.value.figures["param"]) == (
            "validation_failed",
            "email",
        )
    assert mailbox.all() == []


def test_a_domain_in_its_own_script_is_kept_as_the_network_writes_it(mailbox: Mailbox) -> None:
    sign_up.request("ida@münchen.de")
    finish(mailbox.token("ida@xn--mnchen-3ya.de"))
    assert count("sign_ins") == 1


def test_who_has_an_account_is_told_so_by_mail_alone(mailbox: Mailbox, engine: Engine) -> None:
    staff(IDA)
    before = count("audit_events")
    answers = [sign_up.request(IDA), sign_up.request("eva@example.com")]  # type: ignore[func-returns-value]
    assert answers == [None, None]
    assert mailbox.subjects(IDA) == ["You have a Dreamland account already"]
    assert mailbox.subjects("eva@example.com") == ["Finish signing up to Dreamland"]
    told = rows(engine, "SELECT action, target FROM audit_events ORDER BY id OFFSET :n", n=before)
    assert told == [("sign_up.asked", "link")] * 2
    resets.finish(mailbox.token(IDA), "another horse entirely")
    assert signing_in.check(IDA, "another horse entirely")


def test_an_account_that_is_switched_off_gets_no_link(mailbox: Mailbox) -> None:
    disable(staff(IDA))
    sign_up.request(IDA)
    resets.request(IDA)
    assert mailbox.subjects(IDA) == ["Your Dreamland account is switched off"] * 2
    assert count("links") == 0


def test_a_user_of_the_games_is_found_by_the_e_mail_and_stays_as_it_is(mailbox: Mailbox) -> None:
    player, _ = users.create("player-1", "Ida the Great", "Asia/Tokyo", "Ida@Example.com")
    sign_up.request(IDA)
    known = Known(player.id, "Ida the Great", "Asia/Tokyo")
    assert sign_up.known(IDA) == known
    made = sign_up.finish(mailbox.token(IDA), PASSWORD)
    assert (made.user_id, made.known) == (player.id, known)
    assert users.get(player.id) == player
    assert count("users") == 1


def test_an_e_mail_that_only_looks_the_same_in_small_letters_is_another(mailbox: Mailbox) -> None:
    users.create("player-1", "Kim", "UTC", "\N{KELVIN SIGN}im@example.com")
    sign_up.request("kim@example.com")
    assert sign_up.known("kim@example.com") is None
    assert sign_up.finish(mailbox.token("kim@example.com"), PASSWORD, "Kim", "UTC").known is None


def test_of_several_users_of_the_games_the_oldest_is_found(mailbox: Mailbox) -> None:
    oldest, _ = users.create("player-1", "One", "UTC", IDA)
    users.create("player-2", "Two", "UTC", IDA)
    sign_up.request(IDA)
    assert sign_up.finish(mailbox.token(IDA), PASSWORD).user_id == oldest.id
    assert count("users") == 2


def test_a_user_who_has_an_account_is_not_found_again(mailbox: Mailbox) -> None:
    taken, _ = users.create("player-1", "One", "UTC", IDA)
    invitations.invite_user("other@example.com", taken.id)
    invitations.accept(mailbox.token("other@example.com"), PASSWORD)
    sign_up.request(IDA)
    assert sign_up.known(IDA) is None
    assert sign_up.finish(mailbox.token(IDA), PASSWORD, "Ida", "UTC").user_id != taken.id


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"password": "short"}, "password"),
        ({"password": IDA}, "password"),
        ({"display_name": None}, "display_name"),
        ({"display_name": "  "}, "display_name"),
        ({"display_name": "x" * 201}, "display_name"),
        ({"display_name": "I\x00da"}, "display_name"),
        ({"time_zone": None}, "time_zone"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ],
)
def test_a_field_that_is_wrong_is_named_and_nothing_is_made(
    mailbox: Mailbox, fields: dict[str, str | None], param: str
) -> None:
    sign_up.request(IDA)
    token = mailbox.token(IDA)
    wrong = {"password": PASSWORD, "display_name": "Ida", "time_zone": "UTC", **fields}
    with pytest.raises(Refused) as refused:
        sign_up.finish(token, **wrong)  # type: ignore[arg-type]
    assert refused.value.code == "validation_failed"
    assert refused.value.figures["param"] == param
    assert count("users") == count("sign_ins") == 0
    assert finish(token)


def test_a_link_is_used_once(mailbox: Mailbox) -> None:
    sign_up.request(IDA)
    token = mailbox.token(IDA)
    finish(token)
    with pytest.raises(Refused, match="can't be used"):
        finish(token)
    assert count("users") == count("sign_ins") == 1


def test_a_link_whose_time_is_over_makes_nothing(mailbox: Mailbox, books: Books) -> None:
    sign_up.request(IDA)
    token = mailbox.token(IDA)
    books.set_clock(books.now() + timedelta(hours=24, seconds=1))
    with pytest.raises(Refused, match="can't be used"):
        finish(token)
    assert count("users") == 0


def test_an_e_mail_that_became_taken_meanwhile_is_refused_whole(mailbox: Mailbox) -> None:
    sign_up.request(IDA)
    token = mailbox.token(IDA)
    staff(IDA)
    with pytest.raises(Refused) as refused:
        finish(token)
    assert refused.value.code == "email_taken"
    assert "sign in" in refused.value.detail
    assert count("users") == 0


def test_two_tabs_that_finish_at_once_make_one_account(mailbox: Mailbox, app: Flask) -> None:
    sign_up.request(IDA)
    token = mailbox.token(IDA)
    barrier = threading.Barrier(4)

    def attempt(_: int) -> str:
        with app.app_context():
            barrier.wait()
            try:
                return f"made {finish(token)}"
            except Refused as error:
                return error.code

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(attempt, range(4)))
    assert answers[:3] == ["link_invalid"] * 3
    assert answers[3].startswith("made ")
    assert count("users") == count("sign_ins") == 1


def test_a_sign_up_and_an_invitation_of_one_user_at_once_are_one_account(
    mailbox: Mailbox, app: Flask
) -> None:
    player, _ = users.create("player-1", "Ida", "UTC", IDA)
    sign_up.request(IDA)
    mine = mailbox.token(IDA)
    invitations.invite_user("other@example.com", player.id)
    other = mailbox.token("other@example.com")
    barrier = threading.Barrier(2)

    def attempt(invited: bool) -> str:  # noqa: FBT001 - which of the two
        with app.app_context():
            barrier.wait()
            try:
                if invited:
                    invitations.accept(other, PASSWORD)
                else:
                    sign_up.finish(mine, PASSWORD, "Ida", "UTC")
            except Refused as error:
                return error.code
            return "made"

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(attempt, (True, False)))
    assert "made" in answers
    assert set(answers) <= {"made", "user_taken"}
    of_player = "SELECT count(*) FROM sign_ins WHERE user_id = :id"
    with app.app_context():
        assert rows(app.extensions["dreamland"].engine, of_player, id=player.id) == [(1,)]
        assert count("sign_ins") == answers.count("made")


@pytest.mark.parametrize("request_", [sign_up.request, resets.request])
def test_mails_to_one_address_and_from_one_browser_are_limited(
    mailbox: Mailbox, request_: Callable[[str], None]
) -> None:
    for _ in range(3):
        request_(IDA)
    with pytest.raises(Refused) as refused:
        request_(IDA.upper())
    assert refused.value.code == "rate_limited"
    assert count("mails") == 3
    assert len(mailbox.to(IDA)) == 1  # the links of the others were replaced before they went out
    for n in range(17):
        request_(f"n{n}@example.com")
    with pytest.raises(Refused, match="too many mails"):
        request_("one-more@example.com")
    with audit.acting(Actor("person", address="192.0.2.7")):
        request_("one-more@example.com")
