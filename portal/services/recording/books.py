"""What a replay asks of the books: which of its wins they have, and its users' balances."""

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

OWNERS = bindparam("owners", type_=ARRAY(BigInteger))
WINS = """
SELECT e.owner_id, replace(CAST(e.key_hash AS text), '-', '') AS key_hash, e.request_hash
FROM ledger.entries e JOIN ledger.entry_kinds k ON k.id = e.kind_id AND k.code = 'win'
WHERE e.owner_id = ANY (:owners)
"""
BALANCES = """
SELECT b.owner_id, l.asset, b.debits - b.credits AS balance
FROM ledger.account_balances b
JOIN ledger.accounts a ON a.id = b.account_id AND a.scope = 'user' AND a.never_negative
JOIN ledger.ledgers l ON l.id = a.ledger_id
WHERE b.owner_id = ANY (:owners)
"""

Request = tuple[int, str, bytes]
"""Owner, key hash and request hash."""


def wins_of(connection: Connection, owners: Collection[int]) -> set[Request]:
    """The wins that are booked."""
    rows = connection.execute(text(WINS).bindparams(OWNERS), {"owners": list(owners)})
    return {(row.owner_id, row.key_hash, bytes(row.request_hash)) for row in rows}


def balances_of(connection: Connection, owners: Collection[int]) -> dict[tuple[int, str], int]:
    """Base units by owner and asset, where there are any."""
    rows = connection.execute(text(BALANCES).bindparams(OWNERS), {"owners": list(owners)})
    return {(row.owner_id, row.asset): int(row.balance) for row in rows}


LAST_START = r"""
SELECT max(substr(external_id, length(:prefix) + 1, 8)) FROM users
WHERE starts_with(external_id, :prefix)
"""


def last_start(connection: Connection, prefix: str) -> str | None:
    """The date, as YYYYMMDD, of the latest users whose external ids are prefix, date and more."""
    last: str | None = connection.execute(text(LAST_START), {"prefix": prefix}).scalar_one()
    return last
