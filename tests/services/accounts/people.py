"""Makes people with a sign-in, for tests of what they do with their account. Needs an app context."""

from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

from sqlalchemy import text

from portal.runtime import runtime
from portal.services import users
from portal.services.accounts import passwords, sessions, sign_ins

PASSWORD = "correct horse battery"
_numbers = count(1)


@dataclass(frozen=True)
class Person:
    """Somebody with a sign-in; a user of the games has books, staff have none."""

    sign_in_id: int
    email: str
    user_id: int | None


@cache
def hashed() -> str:
    """Of PASSWORD, once: it takes its time."""
    return passwords.hash_of(PASSWORD)


def somebody(role: str = "user", name: str = "Ida", zone: str = "UTC") -> Person:
    number = next(_numbers)
    email = f"somebody-{number}@example.com"
    user_id = users.create(f"somebody-{number}", name, zone)[0].id if role == "user" else None
    with runtime().engine.begin() as connection:
        made = sign_ins.add(
            connection,
            email,
            hashed(),
            role=role,
            user_id=user_id,
            name=None if user_id else name,
        )
    return Person(made, email, user_id)


def session_of(person: Person) -> int:
    """Sign in; the session's number."""
    with runtime().engine.begin() as connection:
        secret = sessions.start(connection, person.sign_in_id, second_factor=False)
    visitor = sessions.visitor(secret)
    assert visitor is not None
    return visitor.session_id


def rows(query: str, **known: Any) -> list[Any]:
    with runtime().engine.connect() as connection:
        return list(connection.execute(text(query), known))


def mails_to(person: Person) -> list[str]:
    """The kinds of mails that wait, in order."""
    return [
        row.kind
        for row in rows("SELECT kind FROM mails WHERE email = :e ORDER BY id", e=person.email)
    ]


def actions() -> list[str]:
    """What the audit log tells, in order."""
    return [row.action for row in rows("SELECT action FROM audit_events ORDER BY id")]
