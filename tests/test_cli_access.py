"""`bin/flask disable` and `enable`: a sign-in that was stolen lets nobody in."""

import pytest
from flask import Flask
from sqlalchemy import Engine, text

from portal.ledger.errors import Refused
from portal.services.accounts import sessions, signing_in
from tests.services.accounts.people import PASSWORD, Person, session_of, somebody
from tests.test_cli import Run, done, refused, runner

pytestmark = pytest.mark.usefixtures("context")
OPEN = "SELECT count(*) FROM sessions WHERE ended_at IS NULL"
TOLD = "SELECT action FROM audit_events WHERE target = 'sign_in' AND actor = 'command_line' ORDER BY id"


@pytest.fixture
def run(app: Flask) -> Run:
    return runner(app)


@pytest.fixture
def stolen() -> Person:
    """Somebody who is signed in."""
    person = somebody("viewer")
    session_of(person)
    return person


def test_a_disabled_sign_in_lets_nobody_in_and_no_session_comes_back(
    run: Run, stolen: Person, engine: Engine
) -> None:
    done(run("disable", stolen.email.upper()))
    with pytest.raises(Refused, match="not right"):
        signing_in.check(stolen.email, PASSWORD)
    done(run("enable", stolen.email))
    assert signing_in.check(stolen.email, PASSWORD).sign_in_id == stolen.sign_in_id
    assert sessions.listed(stolen.sign_in_id) == []
    with engine.connect() as connection:
        assert connection.scalar(text(OPEN)) == 0
        told = connection.scalars(text(TOLD)).all()
    assert told == ["sign_in.disabled", "sign_in.enabled"]


def test_each_is_done_once_and_to_somebody(run: Run, stolen: Person) -> None:
    refused(run("enable", stolen.email), "is not disabled")
    done(run("disable", stolen.email))
    refused(run("disable", stolen.email), "is disabled already")
    refused(run("disable", "nobody@example.com"), "there is no sign-in of nobody")
