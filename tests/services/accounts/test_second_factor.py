"""The second factor: set up, asked for, each code once, recovery codes, switched off."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from flask import Flask
from sqlalchemy import URL, Engine, text

from config import Settings
from portal import create_app
from portal.ledger.errors import NotFound, Refused
from portal.services.accounts import recovery_codes, second_factor, sessions
from tests.concurrency.programs import eventually
from tests.services.accounts.people import (
    PASSWORD,
    Person,
    actions,
    mails_to,
    rows,
    session_of,
    somebody,
)

STEP_S = second_factor.STEP_S
OFF = second_factor.State(since=None, is_begun=False, codes_left=0, is_required=False)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@dataclass(frozen=True)
class Equipped:
    """Somebody with the second factor on, and the app on their phone."""

    person: Person
    session_id: int
    app: pyotp.TOTP
    codes: list[str]

    def code(self, later: int = 0) -> str:
        """The app's code so many steps later."""
        return self.app.at(int(time.time()) + later * STEP_S)


def early_in_a_step() -> None:
    """Wait until no code goes out of date within the next seconds."""
    eventually("a step of the clock begins", lambda: time.time() % STEP_S < STEP_S - 5)


def begun(person: Person) -> pyotp.TOTP:
    second_factor.begin(person.sign_in_id, PASSWORD)
    made = second_factor.begun(person.sign_in_id)
    assert made is not None
    return pyotp.TOTP(made.secret)


def equipped(role: str = "user") -> Equipped:
    """The code of the step before was given when it was set up: that of now has not been."""
    person = somebody(role)
    session_id, app = session_of(person), begun(person)
    early_in_a_step()
    first = app.at(int(time.time()) - STEP_S)
    codes = second_factor.confirm(person.sign_in_id, session_id, first)
    return Equipped(person, session_id, app, codes)


def refusal(call: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value


@pytest.mark.usefixtures("context")
def test_it_is_off_until_the_first_code_is_given() -> None:
    person = somebody()
    assert second_factor.state(person.sign_in_id) == OFF
    app = begun(person)
    assert second_factor.state(person.sign_in_id).is_begun
    assert second_factor.state(person.sign_in_id).since is None
    codes = second_factor.confirm(person.sign_in_id, session_of(person), app.now())
    now_on = second_factor.state(person.sign_in_id)
    assert now_on.since is not None
    assert (now_on.is_begun, now_on.codes_left, len(codes)) == (False, 10, 10)
    assert second_factor.begun(person.sign_in_id) is None
    assert mails_to(person) == ["second_factor_on"]


@pytest.mark.usefixtures("context")
def test_what_was_done_is_in_the_audit_log() -> None:
    before = len(actions())
    someone = equipped()
    second_factor.take(someone.person.sign_in_id, someone.codes[0])
    second_factor.switch_off(someone.person.sign_in_id, PASSWORD)
    assert actions()[before:] == [
        "session.started",
        "second_factor.started",
        "second_factor.switched_on",
        "recovery_codes.made",
        "recovery_code.used",
        "second_factor.switched_off",
    ]


@pytest.mark.usefixtures("context")
def test_the_app_is_told_whose_secret_it_is() -> None:
    person = somebody()
    app = begun(person)
    made = second_factor.begun(person.sign_in_id)
    assert made is not None
    address = urlsplit(made.uri)
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert parse_qs(address.query) == {"secret": [app.secret], "issuer": ["Dreamland"]}
    assert len(app.byte_secret()) == 20


@pytest.mark.usefixtures("context")
def test_the_secret_is_sealed_where_it_is_kept_and_opens_for_nobody_else(engine: Engine) -> None:
    first, second = somebody(), somebody()
    app = begun(first)
    [row] = rows("SELECT totp_secret FROM sign_ins WHERE id = :id", id=first.sign_in_id)
    assert app.secret.encode() not in bytes(row.totp_secret)
    with engine.begin() as connection:
        known = {"sealed": row.totp_secret, "id": second.sign_in_id}
        connection.execute(text("UPDATE sign_ins SET totp_secret = :sealed WHERE id = :id"), known)
    assert second_factor.begun(second.sign_in_id) is None
    assert second_factor.begun(first.sign_in_id) is not None


def test_under_another_secret_key_no_code_is_right_and_recovery_codes_are(
    settings: Settings, app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    with app.app_context():
        someone = equipped()
    other = create_app(replace(settings, secret_key="another secret of the tests' own"))
    with other.app_context():
        number = someone.person.sign_in_id
        assert refusal(lambda: second_factor.take(number, someone.code())).figures
        assert "was sealed by another SECRET_KEY" in capsys.readouterr().err
        second_factor.take(number, someone.codes[0])
    other.extensions["dreamland"].engine.dispose()


@pytest.mark.usefixtures("context")
def test_it_takes_the_password_to_begin_to_make_codes_and_to_switch_off() -> None:
    someone = equipped()
    number = someone.person.sign_in_id
    for call in (second_factor.begin, second_factor.make_codes, second_factor.switch_off):
        refused = refusal(lambda call=call: call(number, "a wrong one"))  # type: ignore[misc]
        assert (refused.code, refused.figures) == (
            "validation_failed",
            {"param": "current_password"},
        )
    assert second_factor.state(number).since is not None
    second_factor.take(number, someone.codes[0])


@pytest.mark.usefixtures("context")
def test_beginning_again_makes_another_secret_and_what_is_on_is_not_begun_again() -> None:
    person = somebody()
    first, second = begun(person), begun(person)
    assert first.secret != second.secret
    session_id = session_of(person)
    wrong = refusal(lambda: second_factor.confirm(person.sign_in_id, session_id, first.now()))
    assert wrong.figures == {"param": "code"}
    second_factor.confirm(person.sign_in_id, session_id, second.now())
    again = refusal(lambda: second_factor.begin(person.sign_in_id, PASSWORD))
    assert again.code == "second_factor_is_on"
    twice = refusal(lambda: second_factor.confirm(person.sign_in_id, session_id, second.now()))
    assert twice.code == "second_factor_is_on"


@pytest.mark.usefixtures("context")
def test_what_was_not_begun_can_be_neither_confirmed_nor_given_nor_switched_off() -> None:
    number = somebody().sign_in_id
    codes = [
        refusal(lambda: second_factor.confirm(number, 1, "123456")).code,
        refusal(lambda: second_factor.take(number, "123456")).code,
        refusal(lambda: second_factor.take(number, "ABCD-EFGH-IJKL-MNOP")).code,
        refusal(lambda: second_factor.make_codes(number, PASSWORD)).code,
        refusal(lambda: second_factor.switch_off(number, PASSWORD)).code,
    ]
    assert codes == [
        "second_factor_not_begun",
        "validation_failed",
        "validation_failed",
        "second_factor_is_off",
        "second_factor_is_off",
    ]


@pytest.mark.usefixtures("context")
def test_a_secret_that_was_only_begun_is_not_asked_for_and_lets_nobody_in() -> None:
    person = somebody()
    app = begun(person)
    assert refusal(lambda: second_factor.take(person.sign_in_id, app.now())).figures
    assert second_factor.state(person.sign_in_id).since is None


@pytest.mark.usefixtures("context")
def test_switching_it_on_ends_every_other_session_and_marks_this_one() -> None:
    person = somebody()
    other, this = session_of(person), session_of(person)
    app = begun(person)
    second_factor.confirm(person.sign_in_id, this, app.now())
    [left] = sessions.listed(person.sign_in_id)
    assert (left.id, left.second_factor) == (this, True)
    assert other != this


@pytest.mark.parametrize(
    ("second", "code_of", "taken"),
    [
        (30, 0, 0),
        (30, 59, 1),
        (30, 60, 2),
        (59, 0, 0),
        (59, 60, 2),
        (59, 89, 2),
        (59, 90, None),
        (60, 29, None),
    ],
)
def test_a_code_is_right_from_a_step_before_its_own_to_a_step_after(
    second: int, code_of: int, taken: int | None
) -> None:
    code = pyotp.TOTP(SECRET).at(code_of)
    assert second_factor.step_of(SECRET, code, second) == taken


def test_the_codes_are_those_of_rfc_6238() -> None:
    """Its appendix B, the last six of eight digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    known = {59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"}
    for second, code in known.items():
        assert second_factor.step_of(secret, code, second) == second // STEP_S
        assert second_factor.step_of(secret, f"{code[:3]} {code[3:]}", second) == second // STEP_S


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "１２３４５６", "\0", "-12345"])
def test_what_is_no_code_is_no_code(code: str) -> None:
    assert second_factor.step_of(SECRET, code, 60) is None


@pytest.mark.usefixtures("context")
def test_no_code_counts_twice_nor_one_before_it() -> None:
    someone = equipped()
    number = someone.person.sign_in_id
    early_in_a_step()
    old, now, next_one = someone.code(), someone.code(), someone.code(1)
    second_factor.take(number, now)
    assert refusal(lambda: second_factor.take(number, now)).figures == {"param": "code"}
    second_factor.take(number, next_one)
    assert refusal(lambda: second_factor.take(number, old)).figures == {"param": "code"}


def test_of_sixteen_who_give_the_same_code_at_once_one_is_let_in(app: Flask) -> None:
    for is_recovery in (False, True):
        with app.app_context():
            someone = equipped()
            code = someone.codes[0] if is_recovery else someone.code()
        asked = [(app, someone, code)] * 16
        with ThreadPoolExecutor(16) as pool:
            results = list(pool.map(lambda each: _takes(*each), asked))
        assert results.count("taken") == 1
        assert set(results) <= {"taken", "validation_failed", "rate_limited"}


def _takes(app: Flask, someone: Equipped, code: str) -> str:
    with app.app_context():
        try:
            second_factor.take(someone.person.sign_in_id, code)
        except Refused as refused:
            return refused.code
        return "taken"


@pytest.mark.usefixtures("context")
def test_each_recovery_code_works_once_however_it_is_typed() -> None:
    someone = equipped()
    number, typed = someone.person.sign_in_id, list(someone.codes)
    assert len(set(typed)) == 10
    typed[1] = typed[1].lower().replace("-", "")
    typed[2] = f"  {typed[2].replace('-', ' ')} "
    typed[3] = typed[3].replace("O", "0").replace("I", "1").replace("B", "8")
    for code in typed[:4]:
        second_factor.take(number, code)
        assert refusal(lambda code=code: second_factor.take(number, code)).figures  # type: ignore[misc]
    assert second_factor.state(number).codes_left == 6
    assert mails_to(someone.person) == ["second_factor_on"] + ["recovery_code_used"] * 4


@pytest.mark.usefixtures("context")
def test_a_recovery_code_has_eighty_bits_and_is_kept_as_a_hash() -> None:
    someone = equipped()
    for code in someone.codes:
        assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]
        assert not set(code) & set("0189")
    kept = rows(
        "SELECT code_hash FROM recovery_codes WHERE sign_in_id = :i", i=someone.person.sign_in_id
    )
    assert {len(row.code_hash) for row in kept} == {32}
    assert len(kept) == recovery_codes.COUNT


@pytest.mark.usefixtures("context")
def test_new_recovery_codes_replace_the_old_and_nobody_elses() -> None:
    first, second = equipped(), equipped()
    made = second_factor.make_codes(first.person.sign_in_id, PASSWORD)
    assert not set(made) & set(first.codes)
    assert refusal(lambda: second_factor.take(first.person.sign_in_id, first.codes[0])).figures
    assert refusal(lambda: second_factor.take(first.person.sign_in_id, second.codes[0])).figures
    second_factor.take(first.person.sign_in_id, made[0])
    second_factor.take(second.person.sign_in_id, second.codes[0])
    assert mails_to(first.person)[1] == "recovery_codes_made"


@pytest.mark.usefixtures("context")
def test_switched_off_nothing_of_it_is_left() -> None:
    someone = equipped()
    number = someone.person.sign_in_id
    second_factor.switch_off(number, PASSWORD)
    assert second_factor.state(number) == OFF
    assert refusal(lambda: second_factor.take(number, someone.codes[0])).figures
    assert mails_to(someone.person)[-1] == "second_factor_off"
    begun(someone.person)


@pytest.mark.parametrize("role", ["accountant", "approver", "admin"])
@pytest.mark.usefixtures("context")
def test_staff_who_may_change_anything_cannot_switch_it_off(role: str) -> None:
    someone = equipped(role)
    refused = refusal(lambda: second_factor.switch_off(someone.person.sign_in_id, PASSWORD))
    assert refused.code == "second_factor_required"
    assert second_factor.state(someone.person.sign_in_id).is_required


@pytest.mark.usefixtures("context")
def test_a_viewer_may_do_without() -> None:
    someone = equipped("viewer")
    second_factor.switch_off(someone.person.sign_in_id, PASSWORD)
    assert not second_factor.state(someone.person.sign_in_id).is_required


@pytest.mark.usefixtures("context")
def test_who_lost_everything_is_helped_by_the_command_line_and_signed_out() -> None:
    someone = equipped("admin")
    second_factor.remove(someone.person.email.upper())
    assert second_factor.state(someone.person.sign_in_id).since is None
    assert sessions.listed(someone.person.sign_in_id) == []
    assert mails_to(someone.person)[-1] == "second_factor_off"
    again = refusal(lambda: second_factor.remove(someone.person.email))
    assert again.code == "second_factor_is_off"
    with pytest.raises(NotFound, match="there is no sign-in of nobody"):
        second_factor.remove("nobody@example.com")


@pytest.mark.usefixtures("context")
def test_after_five_wrong_codes_one_has_to_wait_though_the_next_were_right() -> None:
    someone = equipped()
    number = someone.person.sign_in_id
    wrong = [refusal(lambda: second_factor.take(number, "AAAA-AAAA")).code for _ in range(5)]
    assert wrong == ["validation_failed"] * 5
    limited = refusal(lambda: second_factor.take(number, someone.codes[0]))
    assert limited.code == "rate_limited"
    assert "try again in 15 minutes" in limited.detail
    assert second_factor.state(number).codes_left == 10
