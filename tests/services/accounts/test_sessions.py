"""Sessions as rows: one that idled is open no more, one that ended long ago is forgotten."""

from datetime import timedelta

import pytest

from portal.runtime import runtime
from portal.services.accounts import sessions
from tests.factories import Books
from tests.services.accounts.people import rows, session_of, somebody

pytestmark = pytest.mark.usefixtures("context")
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("role", "idle"), [("user", sessions.IDLE), ("viewer", sessions.STAFF_IDLE)]
)
def test_a_session_that_idled_too_long_is_listed_no_more(
    role: str, idle: timedelta, books: Books
) -> None:
    person = somebody(role)
    made = session_of(person)
    [open_one] = sessions.listed(person.sign_in_id)
    assert open_one.id == made
    books.set_clock(open_one.last_seen_at + idle)
    assert sessions.listed(person.sign_in_id) == []


def test_sessions_are_forgotten_a_while_after_their_end(books: Books) -> None:
    person = somebody()
    ended, _ = session_of(person), session_of(person)
    with runtime().engine.begin() as connection:
        sessions.end(connection, person.sign_in_id, ended)
    [row] = rows("SELECT ended_at FROM sessions WHERE id = :id", id=ended)
    books.set_clock(row.ended_at + sessions.KEEP - SECOND)
    now = session_of(person)
    assert sessions.forget_due() == 0
    books.set_clock(row.ended_at + sessions.KEEP + SECOND)
    assert sessions.forget_due() == 2, "the one that idled, too"
    assert [each.id for each in rows("SELECT id FROM sessions")] == [now]
