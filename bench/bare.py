"""The reference: the rows of a win or a conversion, written set-based and nothing else.

Tables with the same columns, indexes and CHECKs as the ledger's, without functions and triggers; one
statement a table and batch; no lock, key, limit, rate or balance is looked at.
"""

import random
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg2

from bench.stage import Books
from bench.together import Done, together
from local.reachable import plain

TABLES = """
DROP SCHEMA IF EXISTS bare CASCADE;
CREATE SCHEMA bare;
CREATE TABLE bare.entries (LIKE ledger.entries INCLUDING ALL);
CREATE TABLE bare.postings (LIKE ledger.postings INCLUDING ALL);
CREATE TABLE bare.account_balances (LIKE ledger.account_balances INCLUDING ALL) WITH (fillfactor = 70);
CREATE TABLE bare.daily_balances (LIKE ledger.daily_balances INCLUDING ALL) WITH (fillfactor = 80);
"""
DAY_ROWS = """
INSERT INTO bare.account_balances AS b (owner_id, account_id, never_negative, debits, credits)
SELECT u.owner_id, a.account_id, a.debit, a.debit::integer * sum(u.amount), (NOT a.debit)::integer * sum(u.amount)
FROM unnest(%(owner)s::bigint[], %(amount)s::numeric[]) u (owner_id, amount)
CROSS JOIN unnest(%(account)s::smallint[], %(debit)s::boolean[]) a (account_id, debit)
GROUP BY u.owner_id, a.account_id, a.debit ORDER BY 1, 2
ON CONFLICT (owner_id, account_id) DO UPDATE
SET debits = b.debits + excluded.debits, credits = b.credits + excluded.credits;

INSERT INTO bare.daily_balances AS b (owner_id, account_id, day, daily_id, entries, debits, credits, used)
SELECT u.owner_id, a.account_id, current_date, to_char(current_date, 'DDMMYYYY'), count(*),
       a.debit::integer * sum(u.amount), (NOT a.debit)::integer * sum(u.amount), 0
FROM unnest(%(owner)s::bigint[], %(amount)s::numeric[]) u (owner_id, amount)
CROSS JOIN unnest(%(account)s::smallint[], %(debit)s::boolean[]) a (account_id, debit)
GROUP BY u.owner_id, a.account_id, a.debit ORDER BY 1, 2
ON CONFLICT (owner_id, account_id, day) DO UPDATE
SET entries = b.entries + excluded.entries, debits = b.debits + excluded.debits, credits = b.credits + excluded.credits;
"""
ENTRIES = """
INSERT INTO bare.entries
SELECT u.owner_id, u.seq, now(), now(), 1, NULL, current_date, current_date, 1, u.key_hash, u.request_hash,
       'maze', 'round-1', NULL, NULL
FROM unnest(%(owner)s::bigint[], %(seq)s::bigint[], %(key)s::uuid[], %(hash)s::bytea[])
     u (owner_id, seq, key_hash, request_hash);

INSERT INTO bare.postings
SELECT u.owner_id, u.seq, now(), current_date, p.line, p.ledger_id, p.debit, p.credit, u.amount,
       u.amount, u.amount, p.provider
FROM unnest(%(owner)s::bigint[], %(seq)s::bigint[], %(amount)s::numeric[]) u (owner_id, seq, amount)
CROSS JOIN (VALUES {lines}) p (line, ledger_id, debit, credit, provider);
"""
WIN = ("(1, 1, 1, 2, NULL), (2, 3, 6, 8, 'token-issuer')", "{1,2}", "{t,f}")
CONVERSION = (
    "(1, 1, 3, 1, NULL), (2, 2, 4, 5, NULL), (3, 3, 7, 8, 'exchange')",
    "{3,1,4,5}",
    "{t,t,t,f}",
)
"""The postings of an entry, the accounts whose balances it touches, and whether they are debited."""

Rows = dict[str, str]


def create(books: Books) -> None:
    """Make the tables, empty."""
    with books.owner() as cursor:
        cursor.execute(TABLES)


def insert(books: Books, batches: list[list[Rows]], kind: tuple[str, str, str]) -> Done:
    """Insert the rows of an entry kind, a process for each list of batches."""
    url = books.environ["DATABASE_URL"]
    return together(prepare, [(url, kind, some) for some in batches])


def prepare(url: str, kind: tuple[str, str, str], batches: list[Rows]) -> Callable[[], None]:
    """Connect; the work is one round trip and one transaction a batch."""
    lines, accounts, debits = kind
    statement = ENTRIES.format(lines=lines) + DAY_ROWS
    connection = psycopg2.connect(plain(url))

    def work() -> None:
        with closing(connection), connection.cursor() as cursor:
            for rows in batches:
                cursor.execute(statement, {**rows, "account": accounts, "debit": debits})
                connection.commit()

    return work


def batch(owners: list[int], first_seq: int, rng: random.Random) -> Rows:
    """Array literals for an entry of each owner, ready to be sent."""
    seqs = range(first_seq, first_seq + len(owners))
    hashes = [rng.randbytes(32).hex() for _ in owners]
    return {
        "owner": array(owners),
        "seq": array(seqs),
        "amount": array(rng.randint(1, 10**15) for _ in owners),
        "key": array(each[:32] for each in hashes),
        "hash": array(f'"\\\\x{each}"' for each in hashes),
    }


def array(values: Any) -> str:
    """A PostgreSQL array literal of what needs no quoting."""
    return "{" + ",".join(map(str, values)) + "}"
