"""Books with a past: wins as the posting function would have booked them, written set-based.

By the database's owner, around the functions, since five million wins take minutes through them.
The rows are the same to the last column, in the same physical order, as `verify` (bench/verify.py)
and a replay of the same requests (tests/bench) confirm.
"""

from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime

import psycopg2

from bench import people
from bench.stage import Books
from bench.together import together
from local.reachable import plain

WRITERS = 2
SLICE = 50_000
AMOUNT = 10**15
"""Of each win, in base units: a thousandth of a token."""

WINS = """
WITH win AS MATERIALIZED (
    SELECT g, o.owner_id, g / %(users)s + 1 AS seq, t.at,
           (t.at AT TIME ZONE z.zone)::date AS day, %(amount)s::numeric AS amount,
           %(client)s || ':history:' || g AS key
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) g
    CROSS JOIN LATERAL (SELECT (g * 7919) %% %(users)s + 1 AS owner_id,
                               %(start)s::timestamptz + g * %(step)s::interval AS at) t
    CROSS JOIN LATERAL (SELECT t.owner_id) o
    JOIN ledger.owner_zones z ON z.owner_id = o.owner_id
    ORDER BY g
), entry AS (
    INSERT INTO ledger.entries (owner_id, seq, occurred_at, booked_at, client_id, day, accounting_date, kind_id,
                                key_hash, request_hash, game, reference)
    SELECT owner_id, seq, at, at, %(client)s, day, (at AT TIME ZONE 'UTC')::date, 1,
           left(encode(sha256(convert_to(key, 'UTF8')), 'hex'), 32)::uuid,
           sha256(convert_to(format('[1,"win",%%s,%%s,%%s,"maze","round-%%s"]', owner_id, amount,
                                    (extract(epoch FROM at) * 1000000)::bigint, g), 'UTF8')),
           'maze', 'round-' || g
    FROM win
)
INSERT INTO ledger.postings (owner_id, seq, booked_at, day, line, ledger_id, debit_account_id, credit_account_id,
                             amount, debit_balance, credit_balance, provider)
SELECT w.owner_id, w.seq, w.at, w.day, q.line, q.posting_ledger_id, q.debit_account_id, q.credit_account_id,
       CASE q.role WHEN 'fee' THEN f.fixed ELSE w.amount END,
       CASE WHEN q.debit_sign <> 0 THEN w.amount * w.seq END,
       CASE WHEN q.credit_sign <> 0 THEN w.amount * w.seq END,
       CASE q.role WHEN 'fee' THEN f.provider END
FROM win w
CROSS JOIN (SELECT * FROM ledger.pairs WHERE kind_id = 1 ORDER BY line) q
CROSS JOIN ledger.fee_rule(1::smallint, %(start)s) f
ORDER BY w.g, q.line
"""
SIDES = """
    SELECT p.owner_id, a.id AS account_id, p.day, a.never_negative, a.day_limit IS NOT NULL AS counts, s.debit, s.credit
    FROM ledger.postings p
    CROSS JOIN LATERAL (VALUES (p.debit_account_id, p.amount, 0::numeric), (p.credit_account_id, 0, p.amount))
        s (account_id, debit, credit)
    JOIN ledger.accounts a ON a.id = s.account_id AND a.scope = 'user'
    WHERE p.ledger_id <> 3 AND p.owner_id <= %(users)s
"""
BALANCES = f"""
SET work_mem = '256MB';
INSERT INTO ledger.daily_balances (owner_id, account_id, day, daily_id, entries, debits, credits, used)
SELECT owner_id, account_id, day, to_char(day, 'DDMMYYYY'), count(*), sum(debit), sum(credit),
       CASE WHEN counts THEN sum(credit) ELSE 0 END
FROM ({SIDES}) side GROUP BY owner_id, account_id, day, counts;

INSERT INTO ledger.account_balances (owner_id, account_id, never_negative, debits, credits)
SELECT d.owner_id, d.account_id, a.never_negative, sum(d.debits), sum(d.credits)
FROM ledger.daily_balances d JOIN ledger.accounts a ON a.id = d.account_id
WHERE d.owner_id <= %(users)s
GROUP BY d.owner_id, d.account_id, a.never_negative;

UPDATE ledger.owners o SET last_seq = e.last_seq, last_booked_at = e.last_booked_at
FROM (SELECT owner_id, max(seq) AS last_seq, max(booked_at) AS last_booked_at FROM ledger.entries WHERE owner_id <= %(users)s GROUP BY owner_id) e
WHERE o.owner_id = e.owner_id;
"""


def write(
    books: Books, users: int, entries: int, start: datetime, end: datetime, writers: int = WRITERS
) -> None:
    """Give empty books that many wins, booked evenly between two times, each user as often.

    One writer alone leaves them in the order of their booking on the disk, as games do.
    """
    known = parameters(books, users, entries, start, end)
    slices = [(n, min(n + SLICE, entries) - 1) for n in range(0, entries, SLICE)]
    url = books.environ["DATABASE_URL"]
    together(prepare, [(url, known, slices[n::writers]) for n in range(writers)])
    finish(books, users)


def parameters(
    books: Books, users: int, entries: int, start: datetime, end: datetime
) -> dict[str, object]:
    """What WINS is told, besides the first and the last win of a slice."""
    return {
        "users": users,
        "client": people.client_id(books),
        "amount": AMOUNT,
        "start": start,
        "step": (end - start) / entries,
    }


def finish(books: Books, users: int) -> None:
    """The balances of the users, who are 1 to `users`, once all slices are written."""
    with books.owner() as cursor:
        cursor.execute(BALANCES, {"users": users})
        cursor.execute("VACUUM ANALYZE")  # as autovacuum would have by now
        with suppress(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("CHECKPOINT")


def prepare(
    url: str, known: dict[str, object], slices: list[tuple[int, int]]
) -> Callable[[], None]:
    """Connect; the work is a statement for each slice."""
    connection = psycopg2.connect(plain(url))
    connection.autocommit = True

    def work() -> None:
        with closing(connection), connection.cursor() as cursor:
            for first, last in slices:
                cursor.execute(WINS, {**known, "first": first, "last": last})

    return work
