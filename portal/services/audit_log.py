"""Reading the audit log: newest first, page by page, narrowed to who, what, to what and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    and_,
    case,
    cast,
    select,
    tuple_,
)
from sqlalchemy.orm import aliased

from portal import ledger
from portal.runtime import runtime
from portal.services import audit
from portal.services.audit import ACTIONS, TARGETS
from portal.services.models import AuditEvent, SignIn

SIGN_IN = "sign_in"
NUMBER = "^[0-9]{1,18}$"
NOBODY = "Dreamland"
"""Who does what happens by itself."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for; None: any."""

    who: str | None = None
    """A person's e-mail, or the name of a client or of who ran a command."""
    action: str | None = None
    """One of ACTIONS, or what it begins with up to the dot: `key`."""
    target: str | None = None
    target_id: str | None = None
    """Of a sign-in its e-mail will do."""
    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""


@dataclass(frozen=True, slots=True)
class Change:
    """A field before and after, as text; None where there was none."""

    field: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        """As the command line and the CSV tell it."""
        return f"{self.field}: {self.before or '-'} → {self.after or '-'}"


@dataclass(frozen=True, slots=True)
class Event:
    """A record of the log."""

    id: int
    at: datetime
    actor: str
    sign_in_id: int | None
    name: str | None
    """A person's e-mail of today, None where the sign-in is gone; of others the name they had."""
    role: str | None
    action: str
    target: str
    target_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    address: str | None
    browser: str | None
    request_id: str | None
    subject: str | None
    """The e-mail of today of the sign-in that it was done to."""

    @property
    def who(self) -> str:
        """Who it was, as people read it."""
        if self.actor == "system":
            return NOBODY
        if self.name is None:
            return f"sign-in {self.sign_in_id}" if self.sign_in_id else "somebody"
        return self.name

    @property
    def what(self) -> str:
        """What was done, as people read it."""
        return ACTIONS.get(self.action, self.action)

    @property
    def to_what(self) -> str:
        """What it was done to, as people read it."""
        word = TARGETS.get(self.target, self.target)
        which = self.subject or self._name or self.target_id
        return word if which is None else f"{word} {which}"

    @property
    def _name(self) -> str | None:
        """A client goes by its name; it never has another."""
        known = {**(self.before or {}), **(self.after or {})}
        return str(known["name"]) if self.target == "client" and "name" in known else None

    @property
    def changes(self) -> list[Change]:
        """The fields that differ, by name."""
        before, after = self.before or {}, self.after or {}
        return [
            Change(field, _text(before, field), _text(after, field))
            for field in sorted({**before, **after})
            if before.get(field) != after.get(field)
        ]


def page(filters: Filters, before: int | None, limit: int) -> list[Event]:
    """Records, newest first, from the one with the id `before` (exclusive) on."""
    with runtime().snapshot() as connection:
        rows = connection.execute(_query(connection, filters, before).limit(limit))
        return [_event(row) for row in rows]


def is_told(connection: Connection, action: str, after: dict[str, Any], within: timedelta) -> bool:
    """Whether who acts now is in the log for the very same already, in the time before."""
    since = ledger.now(connection) - within
    newest = select(AuditEvent.id).where(
        AuditEvent.sign_in_id == audit.actor().sign_in_id,
        AuditEvent.at > since,
        AuditEvent.action == action,
        AuditEvent.after == after,
    )
    return connection.scalar(newest.limit(1)) is not None


def actions_of(asked: str) -> list[str]:
    """The actions that a filter means: one, all of a noun, or none."""
    return [asked] if asked in ACTIONS else [each for each in ACTIONS if _noun(each) == asked]


def _noun(action: str) -> str:
    return action.partition(".")[0]


def _query(connection: Connection, filters: Filters, before: int | None) -> Select[Any]:
    subject = aliased(SignIn)
    is_sign_in = and_(AuditEvent.target == SIGN_IN, AuditEvent.target_id.regexp_match(NUMBER))
    number = case((is_sign_in, cast(AuditEvent.target_id, BigInteger)))
    query = select(AuditEvent.__table__, SignIn.email, subject.email.label("subject"))
    query = query.outerjoin(SignIn, SignIn.id == AuditEvent.sign_in_id)
    query = query.outerjoin(subject, subject.id == number)
    query = query.where(*_conditions(connection, filters))
    if before is not None:
        last = aliased(AuditEvent)
        here = select(last.at, last.id).where(last.id == before)
        at = here.with_only_columns(last.at).scalar_subquery()
        # A row can't be looked up in an index by a subquery of two columns; the time alone can.
        query = query.where(AuditEvent.at <= at)
        query = query.where(tuple_(AuditEvent.at, AuditEvent.id) < here.scalar_subquery())
    return query.order_by(AuditEvent.at.desc(), AuditEvent.id.desc())


def _conditions(connection: Connection, filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.who is not None:
        person = select(SignIn.id).where(SignIn.email == filters.who.lower())
        known = connection.scalar(person)
        yield AuditEvent.sign_in_id == known if known else AuditEvent.actor_name == filters.who
    if filters.action is not None:
        yield AuditEvent.action.in_(actions_of(filters.action))
    if filters.target is not None:
        yield AuditEvent.target == filters.target
    if filters.target_id is not None:
        yield _is_target(filters.target_id)
    if filters.since is not None:
        yield AuditEvent.at >= filters.since
    if filters.until is not None:
        yield AuditEvent.at < filters.until


def _is_target(target_id: str) -> ColumnElement[bool]:
    if "@" not in target_id:
        return AuditEvent.target_id == target_id
    number = select(cast(SignIn.id, Text)).where(SignIn.email == target_id.lower())
    return and_(AuditEvent.target == SIGN_IN, AuditEvent.target_id == number.scalar_subquery())


def _event(row: Row[Any]) -> Event:
    return Event(
        id=row.id,
        at=row.at,
        actor=row.actor,
        sign_in_id=row.sign_in_id,
        name=row.email or row.actor_name,
        role=row.role,
        action=row.action,
        target=row.target,
        target_id=row.target_id,
        before=row.before,
        after=row.after,
        address=row.address,
        browser=row.browser,
        request_id=row.request_id,
        subject=row.subject,
    )


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return None if value is None else str(value)
