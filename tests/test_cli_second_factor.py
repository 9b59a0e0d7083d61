"""`bin/flask remove-second-factor`: the way back in for who lost phone and recovery codes."""

import pyotp
import pytest
from flask import Flask

from portal.services.accounts import second_factor
from tests.services.accounts.people import PASSWORD, Person, session_of, somebody
from tests.test_cli import Run, done, refused, runner

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def run(app: Flask) -> Run:
    return runner(app)


@pytest.fixture
def locked_out() -> Person:
    """An admin with the second factor on."""
    person = somebody("admin")
    second_factor.begin(person.sign_in_id, PASSWORD)
    begun = second_factor.begun(person.sign_in_id)
    assert begun
    code = pyotp.TOTP(begun.secret).now()
    second_factor.confirm(person.sign_in_id, session_of(person), code)
    return person


def test_a_lost_second_factor_is_removed_once(run: Run, locked_out: Person) -> None:
    assert "signed out everywhere" in done(run("remove-second-factor", locked_out.email))
    refused(run("remove-second-factor", locked_out.email), "the second factor is not on")


def test_an_unknown_e_mail_is_said_to_be_unknown(run: Run) -> None:
    refused(run("remove-second-factor", "nobody@example.com"), "there is no sign-in of nobody")
