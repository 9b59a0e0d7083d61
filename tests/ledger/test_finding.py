"""Finding an entry without its owner: what is found, and that a full book is not read for it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL, Engine, create_engine, text

from portal.ledger.finding import FoundEntry, Names, find_entries, find_payments
from portal.ledger.idempotency import key_hash
from tests.factories import CLIENT, Books

ENTRIES = 100_000
OWNER = 77
FILL = """
INSERT INTO ledger.entries (owner_id, seq, occurred_at, booked_at, client_id, day, accounting_date, kind_id,
                            key_hash, request_hash, game, reference)
SELECT :owner, g, t.at, t.at, 1, t.at::date, t.at::date, 1,
       CAST(left(encode(sha256(convert_to('1:key-' || g, 'UTF8')), 'hex'), 32) AS uuid),
       sha256(convert_to(CAST(g AS text), 'UTF8')), 'maze', 'round-' || CASE WHEN g % 1000 = 0 THEN 0 ELSE g END
FROM generate_series(1, :entries) g
CROSS JOIN LATERAL (SELECT timestamptz '2026-01-01' + g * interval '1 second' AS at) t
"""
SUMMARIZE = "SELECT brin_summarize_new_values(CAST('ledger.entries_' || name || '_bloom' AS regclass)) FROM unnest(ARRAY['key', 'reference']) name"
READ = """
SELECT pg_stat_force_next_flush(), (SELECT heap_blks_read + heap_blks_hit FROM pg_statio_user_tables
                                    WHERE schemaname = 'ledger' AND relname = 'entries') AS pages
"""


@pytest.fixture(scope="module")
def full(shared_database: URL) -> Iterator[Engine]:
    """Books of 100,000 entries, as autovacuum leaves them."""
    engine = create_engine(shared_database, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(FILL), {"owner": OWNER, "entries": ENTRIES})
        connection.execute(text(SUMMARIZE))
        connection.execute(text("ANALYZE ledger.entries"))
    yield engine
    engine.dispose()


def found(engine: Engine, keys: list[str], reference: str, limit: int = 20) -> list[FoundEntry]:
    with engine.connect() as connection:
        return find_entries(connection, Names(None, keys, reference), limit)


def pages_read(engine: Engine) -> int:
    """Pages of entries that were looked at so far."""
    with engine.connect() as connection:
        connection.execute(text(READ))
    with engine.connect() as connection:
        return int(connection.execute(text(READ)).one().pages)


def test_a_key_or_a_reference_is_found_among_100_000_entries_of_nobody_knows_whom(
    full: Engine,
) -> None:
    [by_key] = found(full, [key_hash(CLIENT, "key-4711"), key_hash(2, "key-4711")], "none")
    assert (by_key.by, by_key.owner_id, by_key.seq, by_key.kind) == ("key", OWNER, 4711, "win")
    [by_reference] = found(full, [], "round-99999")
    assert (by_reference.by, by_reference.seq) == ("reference", 99_999)
    assert found(full, [key_hash(CLIENT, "key-0")], "round-1000") == []


def test_of_a_reference_that_many_have_a_few_are_found(full: Engine) -> None:
    assert len(found(full, [], "round-0", limit=20)) == 20
    assert len(found(full, [], "round-0", limit=1000)) == ENTRIES // 1000


def test_few_pages_are_read_for_it(full: Engine) -> None:
    """Each of the three finds one range of 32 pages, or none; the last range may not be summed up yet."""
    with full.connect() as connection:
        total = connection.scalar(text("SELECT pg_relation_size('ledger.entries') / 8192"))
    assert total
    before = pages_read(full)
    for number in (10, 50_000, 90_001):
        found(full, [key_hash(client, f"key-{number}") for client in range(5)], "nowhere")
        found(full, [], f"round-{number}")
    each = (pages_read(full) - before) // 6
    assert each < 4 * 32 < total // 8


def test_an_entry_is_found_by_its_number_and_by_several_names_at_once(books: Books) -> None:
    owner = books.owner()
    entry = books.entry("bonus", owner, "5", asset="DIAMOND", key="k-1")
    books.post(entry)
    assert entry.reference
    with books.engine.connect() as connection:
        names = Names((owner, 1), [key_hash(CLIENT, "k-1")], entry.reference)
        assert [each.by for each in find_entries(connection, names, 9)] == [
            "number",
            "key",
            "reference",
        ]


def test_a_payment_is_found_whoever_took_it(books: Books) -> None:
    owner = books.owner()
    for number in range(5):
        books.claim(f"bank-{number}", "pay-1", owner, f"k-{number}")
    books.post(books.paid_entry(owner, "GOLD_COIN", "5", "k-3", "bank-3", "pay-1"))
    with books.engine.connect() as connection:
        payments = find_payments(connection, "pay-1", 9)
        assert [(each.provider, each.seq) for each in payments] == [
            *(("bank-0", None), ("bank-1", None), ("bank-2", None), ("bank-3", 1), ("bank-4", None))
        ]
        assert len(find_payments(connection, "pay-1", 2)) == 2
        assert find_payments(connection, "pay-2", 9) == []
