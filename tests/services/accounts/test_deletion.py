"""The wish to be deleted: asked for by the password, once at a time; taken back."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import URL

from portal.ledger.errors import LedgerError, NotFound, Refused
from portal.services.accounts import deletion
from tests.services.accounts.people import PASSWORD, Person, mails_to, rows, somebody


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


def told(person: Person) -> list[str]:
    """What the audit log tells of a person's wishes."""
    query = (
        "SELECT e.action FROM audit_events e JOIN deletion_requests r ON e.target_id = r.id::text"
        " AND e.target = 'deletion_request' WHERE r.user_id = :u ORDER BY e.id"
    )
    return [row.action for row in rows(query, u=person.user_id)]


@pytest.mark.usefixtures("context")
def test_a_user_asks_takes_it_back_and_asks_again() -> None:
    person = somebody()
    assert person.user_id is not None
    assert deletion.asked_at(person.user_id) is None
    deletion.ask(person.sign_in_id, PASSWORD)
    assert deletion.asked_at(person.user_id) is not None
    deletion.withdraw(person.sign_in_id)
    assert deletion.asked_at(person.user_id) is None
    deletion.ask(person.sign_in_id, PASSWORD)
    assert told(person) == ["deletion.asked", "deletion.withdrawn", "deletion.asked"]
    assert mails_to(person) == ["deletion_asked", "deletion_withdrawn", "deletion_asked"]


@pytest.mark.usefixtures("context")
def test_a_wrong_password_asks_for_nothing() -> None:
    person = somebody()
    with pytest.raises(Refused, match="this is not your password"):
        deletion.ask(person.sign_in_id, "wrong")
    assert person.user_id is not None
    assert deletion.asked_at(person.user_id) is None
    assert mails_to(person) == []


@pytest.mark.usefixtures("context")
def test_what_was_not_asked_for_is_not_taken_back() -> None:
    with pytest.raises(Refused, match="there is no deletion to take back"):
        deletion.withdraw(somebody().sign_in_id)


@pytest.mark.usefixtures("context")
def test_staff_have_nothing_of_the_kind() -> None:
    for call in (lambda i: deletion.ask(i, PASSWORD), deletion.withdraw):
        with pytest.raises(NotFound, match="ask an admin"):
            call(somebody("viewer").sign_in_id)


def test_of_many_wishes_at_once_one_is_kept(app: Flask) -> None:
    with app.app_context():
        person = somebody()

    def ask(_: int) -> str:
        with app.app_context():
            try:
                deletion.ask(person.sign_in_id, PASSWORD)
            except LedgerError as error:
                return error.code
            return "asked"

    with ThreadPoolExecutor(4) as pool:
        results = sorted(pool.map(ask, range(4)))
    assert results == ["asked"] + ["deletion_asked"] * 3
    with app.app_context():
        assert mails_to(person) == ["deletion_asked"]
