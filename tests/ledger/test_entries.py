"""Entries as pages tell them, held against a plain sum of the postings; plans that read only the page."""

import re
from itertools import groupby

import pytest
from sqlalchemy import URL, Engine, text

from portal import ledger
from portal.ledger.entries import ENTRIES
from tests.factories import Books, Days
from tests.ledger.past import Posting, held, make, moved, postings_of


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


@pytest.fixture(scope="module")
def days(shared_database: URL, tmp_path_factory: pytest.TempPathFactory) -> Days:
    return make(shared_database, tmp_path_factory.mktemp("days"))


@pytest.fixture
def postings(owner_engine: Engine, days: Days) -> list[Posting]:
    assert days.hour
    return postings_of(owner_engine)


def effects(postings: list[Posting]) -> list[tuple[str, int, int]]:
    """By asset, of one entry: what it did to the wallet and to what is set aside."""
    of_wallets = [p for p in postings if p.ledger != "FEES"]
    found = []
    for code, same in groupby(of_wallets, key=lambda p: p.ledger):
        lines = list(same)
        found.append((code, moved(lines), held(lines)))
    return found


def test_each_entry_tells_what_it_did_to_each_wallet(
    engine: Engine, postings: list[Posting]
) -> None:
    with engine.connect() as connection:
        for owner, mine in groupby(postings, key=lambda p: p.owner_id):
            by_seq = {seq: list(same) for seq, same in groupby(mine, key=lambda p: p.seq)}
            listed = ledger.entries(connection, owner, None, 1000)
            assert [each.seq for each in listed] == [*reversed(by_seq)]
            for each in listed:
                said = [(e.asset, e.amount, e.held_change) for e in each.effects]
                assert said == effects(by_seq[each.seq])
                assert each.kind == by_seq[each.seq][0].kind


@pytest.mark.parametrize("size", [1, 2, 7])
def test_entries_read_in_pages_are_all_entries(engine: Engine, days: Days, size: int) -> None:
    with engine.connect() as connection:
        whole = ledger.entries(connection, days.spender, None, 1000)
        pages: list[ledger.ListedEntry] = []
        while page := ledger.entries(
            connection, days.spender, pages[-1].seq if pages else None, size
        ):
            assert len(page) <= size
            pages += page
        assert pages == whole


def test_an_entry_in_full_says_what_the_list_says(engine: Engine, postings: list[Posting]) -> None:
    with engine.connect() as connection:
        for owner in {p.owner_id for p in postings}:
            for listed in ledger.entries(connection, owner, None, 1000):
                full = ledger.entry(connection, owner, listed.seq, fees=False)
                assert full
                for name in listed.__slots__:
                    assert getattr(full, name) == getattr(listed, name)


def test_the_lines_are_the_postings_those_of_the_company_only_if_asked(
    engine: Engine, postings: list[Posting]
) -> None:
    with engine.connect() as connection:
        for (owner, seq), same in groupby(postings, key=lambda p: (p.owner_id, p.seq)):
            lines = [(p.ledger, p.debit, p.credit, p.amount) for p in same]
            for fees in (True, False):
                full = ledger.entry(connection, owner, seq, fees=fees)
                assert full
                said = [(x.ledger, x.debit, x.credit, x.amount) for x in full.lines]
                assert said == [line for line in lines if fees or line[0] != "FEES"]


def test_an_entry_and_what_took_it_back_name_each_other(books: Books) -> None:
    owner = books.owner()
    spent = books.top_up(owner, "GOLD_COIN", "5")
    back = books.reverse(owner, spent, "GOLD_COIN")
    with books.engine.connect() as connection:
        first = ledger.entry(connection, owner, spent, fees=False)
        second = ledger.entry(connection, owner, back, fees=False)
    assert first
    assert second
    assert (first.reversed_seq, first.reverses_seq) == (back, None)
    assert (second.reverses_seq, second.reverses_kind) == (spent, "top_up")
    assert second.lines[0].provider == "test"
    assert second.lines[0].wallet_balance == 0


def test_a_hold_and_what_ended_it_name_each_other(books: Books) -> None:
    owner = books.owner()
    books.top_up(owner, "DIAMOND", "50")
    held_seq = books.hold(owner, "DIAMOND", "30")
    captured = books.capture(owner, held_seq, "DIAMOND", "20")
    with books.engine.connect() as connection:
        first = ledger.entry(connection, owner, held_seq, fees=False)
        second = ledger.entry(connection, owner, captured, fees=False)
    assert first
    assert second
    assert first.ended_seq == captured
    assert first.expires_at
    assert second.hold_seq == held_seq
    assert [(e.amount, e.held_change) for e in second.effects] == [(-20, -30)]


def test_a_conversion_knows_its_rate(engine: Engine, days: Days) -> None:
    with engine.connect() as connection:
        full = ledger.entry(connection, days.winner, 4, fees=True)
        win = ledger.entry(connection, days.winner, 1, fees=True)
    assert full
    assert win
    assert full.kind == "conversion"
    assert str(full.rate) == "0.150000000000000000"
    assert full.client_id == 0
    assert win.rate is None


def test_another_owners_entry_is_not_there(engine: Engine, days: Days, books: Books) -> None:
    nobody = books.owner()
    with engine.connect() as connection:
        assert ledger.entry(connection, nobody, 1, fees=True) is None
        assert ledger.entries(connection, nobody, None, 10) == []
        assert ledger.entry(connection, days.winner, 10**9, fees=True) is None


def test_a_page_of_entries_is_cut_by_the_key_before_anything_is_joined(books: Books) -> None:
    known = {"owner_id": books.owner(), "seq": 5_000, "limit": 50}
    with books.engine.connect() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        rows = connection.scalars(text("EXPLAIN " + ENTRIES), known)
        plan = "\n".join(rows)
    assert re.search(
        r"Limit.*\n.*Index Scan Backward using entries_pkey.*\n"
        r".*Index Cond: \(\(owner_id = \d+\) AND \(seq < '?5000",
        plan,
    ), plan
    assert "entries_reversed_once" in plan
    assert "Seq Scan on postings" not in plan
