"""Everything kept of a person, as one JSON document, in pieces: the books of years take no more memory.

All of it is of one moment. Secrets are not in it, nor what the company pays for a user's entries.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import chain
from json import dumps
from typing import Any

from sqlalchemy import Connection, text

from portal import ledger
from portal.runtime import runtime
from portal.services import audit, users
from portal.services.accounts import throttle
from portal.services.written import day, decimal, moment

FORMAT = "dreamland-export-1"
PAGE = 500
"""Rows that are in memory at a time."""

PERSON = """
SELECT i.id AS sign_in_id, i.email, i.role, i.name, i.created_at, i.totp_since, i.user_id,
       (SELECT count(*) FROM recovery_codes c WHERE c.sign_in_id = i.id AND c.used_at IS NULL) AS codes_left
FROM sign_ins i WHERE i.id = :sign_in_id
"""
USER = """
SELECT id, external_id, display_name, email, region, created_at FROM users WHERE id = :user_id
"""
ZONES = """
SELECT zone AS time_zone, nullif(from_at, '-infinity') AS from_at FROM ledger.owner_zones z
WHERE owner_id = :user_id ORDER BY z.from_at
"""
SESSIONS = """
SELECT created_at, last_seen_at, ended_at, second_factor, address, browser FROM sessions
WHERE sign_in_id = :sign_in_id ORDER BY id
"""
LINKS = """
SELECT kind, email, created_at, expires_at, used_at FROM links
WHERE sign_in_id = :sign_in_id OR user_id = :user_id OR email = :email ORDER BY id
"""
MAILS = "SELECT kind, email, created_at, sent_at FROM mails WHERE email = :email ORDER BY id"
DELETIONS = """
SELECT requested_at, withdrawn_at, done_at FROM deletion_requests WHERE user_id = :user_id ORDER BY id
"""
# Where another person acted, from where is theirs.
EVENT = """
SELECT at, id, CASE WHEN sign_in_id = :sign_in_id THEN 'you' WHEN actor = 'person' THEN coalesce(role, 'unknown')
                    ELSE actor END AS by,
       action, target, target_id, before, after,
       CASE WHEN sign_in_id IS NULL OR sign_in_id = :sign_in_id THEN address END AS address,
       CASE WHEN sign_in_id IS NULL OR sign_in_id = :sign_in_id THEN browser END AS browser
FROM audit_events
"""
EVENTS = f"""
SELECT at, by, action, target, target_id, before, after, address, browser FROM (
    {EVENT} WHERE sign_in_id = :sign_in_id
    UNION {EVENT} WHERE target = 'sign_in' AND target_id = CAST(CAST(:sign_in_id AS bigint) AS text)
    UNION {EVENT} WHERE target = 'user' AND target_id = CAST(CAST(:user_id AS bigint) AS text)
) found ORDER BY at, id
"""  # noqa: S608 - of constants


def document(sign_in_id: int) -> Iterator[str]:
    """The document of who signs in so, in pieces. Needs an app context until the last of them is read.

    Raises Refused('rate_limited').
    """
    throttle.check("export", sign_in_id=sign_in_id)
    with runtime().engine.begin() as connection:
        audit.record(connection, "data.exported", "sign_in", sign_in_id)
    return _pieces(sign_in_id)


def _pieces(sign_in_id: int) -> Iterator[str]:
    with runtime().snapshot() as connection:
        separator = "{\n"
        for name, part in _parts(connection, sign_in_id):
            yield f"{separator}{dumps(name)}: "
            separator = ",\n"
            if isinstance(part, Iterator):
                yield from _list(part)
            else:
                yield dumps(part)
        yield "\n}\n"


def _parts(connection: Connection, sign_in_id: int) -> Iterator[tuple[str, Any]]:
    """By name, an object or the objects of a list, which are read as they are written."""
    person = connection.execute(text(PERSON), {"sign_in_id": sign_in_id}).one()
    known = {"sign_in_id": sign_in_id, "user_id": person.user_id, "email": person.email}
    yield "format", FORMAT
    yield "exported_at", moment(ledger.now(connection))
    yield "sign_in", _sign_in(person)
    if person.user_id is not None:
        yield "profile", _profile(connection, known)
        yield "time_zones", _rows(connection, ZONES, known)
    yield "sessions", _rows(connection, SESSIONS, known)
    yield "links", _rows(connection, LINKS, known)
    yield "mails", _rows(connection, MAILS, known)
    if person.user_id is not None:
        yield "deletion_requests", _rows(connection, DELETIONS, known)
        yield "wallets", _wallets(connection, person.user_id)
        entries = ledger.journal(connection, person.user_id, PAGE)
        yield "entries", (_entry(person.user_id, each) for each in entries)
    yield "events", _rows(connection, EVENTS, known)


def _list(items: Iterable[Any]) -> Iterator[str]:
    """A list with a line for each item; as many lines a piece as a page has rows."""
    lines: list[str] = []
    separator = "[\n"
    for item in items:
        lines.append(separator + dumps(item))
        separator = ",\n"
        if len(lines) == PAGE:
            yield "".join(lines)
            lines.clear()
    yield "".join(chain(lines, ["[]" if separator == "[\n" else "\n]"]))


def _rows(connection: Connection, query: str, known: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a query, read as they are asked for."""
    found = connection.execute(text(query), known, execution_options={"yield_per": PAGE})
    for row in found.mappings():
        yield {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    return day(value) if isinstance(value, date) else value


def _sign_in(person: Any) -> dict[str, Any]:
    return {
        "email": person.email,
        "name": person.name,
        "role": person.role,
        "created_at": moment(person.created_at),
        "second_factor_since": _plain(person.totp_since),
        "recovery_codes_left": person.codes_left,
    }


def _profile(connection: Connection, known: dict[str, Any]) -> dict[str, Any]:
    row = connection.execute(text(USER), known).one()
    return {
        "user_id": str(row.id),
        "external_id": row.external_id,
        "display_name": row.display_name,
        "email": row.email,
        "region": users.region_name(row.region),
        "created_at": moment(row.created_at),
    }


def _wallets(connection: Connection, user_id: int) -> list[dict[str, str]]:
    assets = ledger.assets(connection)
    found = ledger.wallets(connection, user_id, assets.values())
    return [
        {
            "asset": code,
            "balance": decimal(wallet.balance, assets[code].scale),
            "held": decimal(wallet.held, assets[code].scale),
            "available": decimal(wallet.available, assets[code].scale),
        }
        for code, wallet in found.items()
    ]


def _entry(user_id: int, entry: ledger.JournalEntry) -> dict[str, Any]:
    said = {
        "entry_id": f"{user_id}-{entry.seq}",
        "kind": entry.kind,
        "occurred_at": moment(entry.occurred_at),
        "booked_at": moment(entry.booked_at),
        "day": day(entry.day),
        "accounting_date": day(entry.accounting_date),
        "game": entry.game,
        "reference": entry.reference,
        "description": entry.description,
        "reason": entry.reason,
        "hold_id": _of(user_id, entry.hold_seq),
        "reverses": _of(user_id, entry.reverses_seq),
        "expires_at": _plain(entry.expires_at),
    }
    told = {name: value for name, value in said.items() if value is not None}
    return told | {"lines": [_line(line) for line in entry.lines]}


def _of(user_id: int, seq: int | None) -> str | None:
    return None if seq is None else f"{user_id}-{seq}"


def _line(line: ledger.Line) -> dict[str, str]:
    after = {
        "debit_balance": line.debit_balance,
        "credit_balance": line.credit_balance,
        "wallet_balance": line.wallet_balance,
    }
    told = {
        "ledger": line.ledger,
        "asset": line.asset,
        "debit": line.debit,
        "credit": line.credit,
        "amount": decimal(line.amount, line.scale),
        **{name: decimal(n, line.scale) for name, n in after.items() if n is not None},
    }
    return told if line.provider is None else told | {"provider": line.provider}
