"""Recovery codes: each stands once for the second factor. They are told when made; a hash of each is kept."""

import secrets
from base64 import b32encode
from hashlib import sha256

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from portal import ledger
from portal.services import audit
from portal.services.models import RecoveryCode

COUNT, BYTES, GROUP = 10, 10, 4
MISREAD = str.maketrans("018", "OIB", " -")
"""Digits that no code has, as the letters they were read for; and what stands between groups."""


def make(connection: Connection, sign_in_id: int) -> list[str]:
    """New ones, instead of those there were."""
    remove(connection, sign_in_id)
    codes = [_new() for _ in range(COUNT)]
    rows = [{"sign_in_id": sign_in_id, "code_hash": _hash(code)} for code in codes]
    connection.execute(insert(RecoveryCode), rows)
    audit.record(connection, "recovery_codes.made", "sign_in", sign_in_id, after={"count": COUNT})
    return codes


def take(connection: Connection, sign_in_id: int, code: str) -> int | None:
    """Use one up; how many are left. None for one that is not the sign-in's, or was used before."""
    mine = (RecoveryCode.sign_in_id == sign_in_id, RecoveryCode.code_hash == _hash(code))
    unused = update(RecoveryCode).where(*mine, RecoveryCode.used_at.is_(None))
    if not connection.execute(unused.values(used_at=ledger.now(connection))).rowcount:
        return None
    count = connection.execute(left(sign_in_id)).scalar_one()
    audit.record(connection, "recovery_code.used", "sign_in", sign_in_id, after={"left": count})
    return count


def left(sign_in_id: int) -> Select[int]:
    """The query of how many there are to use."""
    mine = (RecoveryCode.sign_in_id == sign_in_id, RecoveryCode.used_at.is_(None))
    return select(func.count()).where(*mine)


def remove(connection: Connection, sign_in_id: int) -> None:
    """Let none of them work any more."""
    connection.execute(delete(RecoveryCode).where(RecoveryCode.sign_in_id == sign_in_id))


def _new() -> str:
    letters = b32encode(secrets.token_bytes(BYTES)).decode()
    return "-".join(letters[at : at + GROUP] for at in range(0, len(letters), GROUP))


def _hash(code: str) -> bytes:
    return sha256(code.upper().translate(MISREAD).encode("utf-8", "replace")).digest()
