"""The audit log: what staff did, and what touched the security of an account. Only ever added to.

A record is written in the transaction of what it tells of: both are there, or neither is. Who acts is
set once, where a request or a command begins (`acting`); who sets nothing is the system itself.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any, Literal

from sqlalchemy import Connection, func, insert

from portal.services.models import AuditEvent

Kind = Literal["person", "command_line", "client", "system"]
MAX_BROWSER = 300
SECRETS = frozenset({"password", "secret", "token", "code", "cookie", "hash"})
"""A field with one of these words in its name is never recorded."""

ACTIONS = {
    "session.started": "Signed in",
    "session.refused": "Was refused a sign-in",
    "session.ended": "Ended a session",
    "password.changed": "Changed the password",
    "password.refused": "Gave a wrong password while signed in",
    "password.reset_asked": "Asked for a password reset",
    "password.reset": "Set a new password by a reset link",
    "email.change_asked": "Asked for another e-mail address",
    "email.changed": "Changed the e-mail address",
    "profile.changed": "Changed the profile",
    "time_zone.changed": "Changed the time zone",
    "second_factor.started": "Began to set up the second factor",
    "second_factor.switched_on": "Switched the second factor on",
    "second_factor.switched_off": "Switched the second factor off",
    "second_factor.refused": "Gave a wrong code of the second factor",
    "recovery_codes.made": "Made new recovery codes",
    "recovery_code.used": "Used a recovery code",
    "sign_up.asked": "Asked to sign up",
    "sign_up.finished": "Signed up",
    "invitation.made": "Sent an invitation",
    "invitation.accepted": "Accepted an invitation",
    "invitation.withdrawn": "Withdrew an invitation",
    "sign_in.made": "Made a sign-in",
    "sign_in.role_changed": "Gave another role",
    "sign_in.disabled": "Disabled a sign-in",
    "sign_in.enabled": "Enabled a sign-in again",
    "data.exported": "Exported the data of an account",
    "deletion.asked": "Asked for an account to be deleted",
    "deletion.withdrawn": "Withdrew the wish to delete an account",
    "access.refused": "Was refused a page",
    "audit.exported": "Downloaded the audit log",
    "books.exported": "Downloaded a ledger of the books",
    "user.made": "Made a user",
    "user.exported": "Downloaded the list of users",
    "client.made": "Made an API client",
    "client.limited": "Changed the limits of an API client",
    "key.created": "Created an API key",
    "key.rotated": "Replaced an API key by a new one",
    "key.revoked": "Revoked an API key",
    "rate.set": "Set the rate of an hour by hand",
    "conversion.asked": "Asked for an hour to be converted",
    "verification.asked": "Asked for the books to be verified",
    "period.closed": "Closed the books of a month",
    "asset.added": "Added a credit",
    "fee_rule.added": "Added a fee rule",
    "webhook_endpoint.made": "Added a webhook endpoint",
    "webhook_endpoint.changed": "Changed a webhook endpoint",
    "webhook_endpoint.deleted": "Deleted a webhook endpoint",
    "webhook_endpoint.rotated": "Gave a webhook endpoint a new signing secret",
    "webhook_endpoint.replayed": "Had events sent to a webhook endpoint again",
    "job.retried": "Had a failed job run again",
    "job.discarded": "Discarded a failed job",
    "clock.moved": "Moved the ledger clock",
    "demo.seeded": "Made the demo",
    "recording.replayed": "Replayed a recording",
}
"""Every action there is, with what people read."""

TARGETS = {
    "sign_in": "sign-in",
    "session": "session",
    "link": "link",
    "user": "user",
    "deletion_request": "deletion request",
    "page": "page",
    "audit_log": "audit log",
    "client": "API client",
    "key": "API key",
    "hour": "hour",
    "month": "month",
    "asset": "asset",
    "fee_rule": "fee rule",
    "webhook_endpoint": "webhook endpoint",
    "job": "job",
    "clock": "ledger clock",
    "books": "books",
}
"""Every kind of thing that something is done to, with what people read."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and from where. A person is a sign-in; anything else has a name instead."""

    kind: Kind
    sign_in_id: int | None = None
    name: str | None = None
    """Of whom is no person: `root@host`, a client's name. A person's is not kept."""
    role: str | None = None
    address: str | None = None
    browser: str | None = None
    request_id: str | None = None


SYSTEM = Actor("system")
_actor: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """What is recorded in the block is done by this one."""
    before = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(before)


def actor() -> Actor:
    """Who acts now."""
    return _actor.get()


def record(  # noqa: PLR0913, PLR0917 - who, what, to what, before, after
    connection: Connection,
    action: str,
    target: str,
    target_id: object = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    by: Actor | None = None,
) -> None:
    """Add to the log, in the transaction of what it tells of, who acts (or `by`) did what to what.

    `action` is one of ACTIONS, `target` of TARGETS; `before` and `after` are the fields of the target
    that matter, of plain values. Raises ValueError for anything else, and for a field that holds a secret.
    """
    if action not in ACTIONS:
        raise ValueError(f"{action} is no action of portal/services/audit.py: add it to ACTIONS")
    if target not in TARGETS:
        raise ValueError(f"{target} is no target of portal/services/audit.py: add it to TARGETS")
    who = by or actor()
    row = {
        "at": func.ledger.clock(),
        "actor": who.kind,
        "sign_in_id": who.sign_in_id,
        "actor_name": None if who.kind == "person" else _sendable(who.name),
        "role": who.role,
        "action": action,
        "target": target,
        "target_id": None if target_id is None else str(_plain(target_id)),
        "before": before and _plain(before),
        "after": after and _plain(after),
        "address": who.address,
        "browser": who.browser and _sendable(who.browser[:MAX_BROWSER]),
        "request_id": who.request_id,
    }
    connection.execute(insert(AuditEvent).values(row))


def _plain(value: Any) -> Any:
    """As JSON takes it: times and decimals as text. Raises ValueError for a secret."""
    if isinstance(value, Mapping):
        return {_open(str(name)): _plain(each) for name, each in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(map(_plain, value))
    if isinstance(value, (list, tuple)):
        return list(map(_plain, value))
    for kind, written in WRITTEN.items():
        if isinstance(value, kind):
            return written(value)
    raise ValueError(f"the audit log takes no {type(value).__name__}")


def _open(name: str) -> str:
    if SECRETS.intersection(name.lower().split("_")):
        raise ValueError(f"{name} may hold a secret: the audit log takes none")
    return name


def _sendable(text: str | None) -> str | None:
    """Text that PostgreSQL takes: no NUL, no half of a character."""
    return text and text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _as_it_is(value: Any) -> Any:
    return value


WRITTEN: dict[type, Callable[[Any], Any]] = {
    NoneType: _as_it_is,
    bool: _as_it_is,
    int: _as_it_is,
    str: _sendable,
    datetime: lambda at: at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    date: date.isoformat,
    Decimal: "{:f}".format,
    timedelta: str,
}
"""How a value is written, by its type; the first that fits counts."""
