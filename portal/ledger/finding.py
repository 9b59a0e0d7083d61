"""Reads that find what somebody asks for by name: an entry by its number, its key or its reference, a payment.

Each finds at most `limit`, by an index, without being told whose it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, text

By = Literal["number", "key", "reference"]


@dataclass(frozen=True, slots=True)
class FoundEntry:
    """An entry, and by what it was found."""

    by: By
    owner_id: int
    seq: int
    kind: str
    booked_at: datetime
    client_id: int
    reference: str | None


@dataclass(frozen=True, slots=True)
class FoundPayment:
    """A payment that was claimed for a top-up; `seq` is the top-up's, None while it is not booked."""

    provider: str
    reference: str
    owner_id: int
    claimed_at: datetime
    seq: int | None


@dataclass(frozen=True, slots=True)
class Names:
    """What an entry may be called by: its owner and number, the hashes of its key, its reference."""

    number: tuple[int, int] | None
    keys: Sequence[str]
    reference: str


ENTRIES = """
SELECT f.found_by, e.owner_id, e.seq, k.code AS kind, e.booked_at, e.client_id, e.reference
FROM (SELECT 'number' AS found_by, CAST(:owner_id AS bigint) AS owner_id, CAST(:seq AS bigint) AS seq
      UNION ALL
      SELECT * FROM ledger.find_entries(CAST(:keys AS uuid[]), :reference, :limit)) f
CROSS JOIN LATERAL (SELECT * FROM ledger.entries e
                    WHERE e.owner_id = f.owner_id AND e.seq = f.seq OFFSET 0) e
JOIN ledger.entry_kinds k ON k.id = e.kind_id
ORDER BY e.booked_at DESC, e.owner_id, e.seq
"""

# Who took a payment is not known: the few that take any are found one after the other.
PAYMENTS = """
WITH RECURSIVE providers AS (
    (SELECT provider FROM ledger.payment_claims ORDER BY provider LIMIT 1)
    UNION ALL
    SELECT n.provider FROM providers p
    CROSS JOIN LATERAL (SELECT c.provider FROM ledger.payment_claims c WHERE c.provider > p.provider
                        ORDER BY c.provider LIMIT 1) n
)
SELECT c.provider, c.reference, c.owner_id, c.claimed_at, e.seq
FROM (SELECT provider FROM providers LIMIT :most) p
CROSS JOIN LATERAL (SELECT * FROM ledger.payment_claims c
                    WHERE c.provider = p.provider AND c.reference = :reference OFFSET 0) c
LEFT JOIN LATERAL (SELECT x.seq FROM ledger.entries x
                   WHERE x.owner_id = c.owner_id AND x.key_hash = c.key_hash OFFSET 0) e ON true
LIMIT :limit
"""
MOST_PROVIDERS = 200
"""At most asked for a payment."""


def find_entries(connection: Connection, names: Names, limit: int) -> list[FoundEntry]:
    """The entries that any of the names is of, newest first; one may be found by several."""
    owner_id, seq = names.number or (None, None)
    known = {
        "owner_id": owner_id,
        "seq": seq,
        "keys": list(names.keys),
        "reference": names.reference,
        "limit": limit,
    }
    return [FoundEntry(*row) for row in connection.execute(text(ENTRIES), known)]


def find_payments(connection: Connection, reference: str, limit: int) -> list[FoundPayment]:
    """The payments of that reference, whoever took them."""
    known = {"reference": reference, "most": MOST_PROVIDERS, "limit": limit}
    return [FoundPayment(*row) for row in connection.execute(text(PAYMENTS), known)]
