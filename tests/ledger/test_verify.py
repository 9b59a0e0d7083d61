"""What `verify` finds: nothing in books as they are written, and every way of tampering with them.

Who tampers is the database's owner, with triggers and foreign keys off: nobody else can.
"""

from collections.abc import Callable, Iterator
from threading import Event, Thread

import pytest
from flask import Flask
from sqlalchemy import URL, Engine, text

from portal import create_app
from portal.ledger.verify import CHECKS, NAMED, Report, snapshot, verify
from portal.services import verification
from tests.conftest import settings_for
from tests.databases import Databases
from tests.factories import Books, Days, some_days

Tamper = Callable[..., None]
Verify = Callable[[], Report]
Found = Callable[[], set[str]]
COUNT = text("SELECT count(*) FROM ledger.postings")


@pytest.fixture(scope="module")
def filled(
    databases: Databases, server: URL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Databases, Days]]:
    """Copies of a database with some days of everything, and what is where in it."""
    days = []

    def fill(url: URL) -> None:
        app = create_app(settings_for(url, tmp_path_factory.mktemp("filled")))
        with app.app_context():
            days.append(some_days(Books(app.extensions["dreamland"].engine)))

    with Databases(server, "dreamland_test_filled", fill, databases.template) as made:
        yield made, days[0]


@pytest.fixture
def database(filled: tuple[Databases, Days]) -> Iterator[URL]:
    copies, _ = filled
    url = copies.take()
    yield url
    copies.drop(url)


@pytest.fixture
def days(filled: tuple[Databases, Days]) -> Days:
    return filled[1]


@pytest.fixture
def tamper(owner_engine: Engine, days: Days) -> Tamper:
    """Run statements, each of which must change something."""

    def run(*statements: str) -> None:
        names = {"winner": days.winner, "spender": days.spender, "hour": days.hour}
        with owner_engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                used = {name: value for name, value in names.items() if f":{name}" in statement}
                assert connection.execute(text(statement), used).rowcount != 0, statement

    return run


@pytest.fixture
def report(app: Flask) -> Verify:
    def run() -> Report:
        with app.app_context():
            return verification.verify()

    return run


@pytest.fixture
def found(report: Verify, days: Days) -> Found:
    """Verify and say what differs, as `check who-seq`."""
    names = {days.winner: "winner", days.spender: "spender", None: ""}

    def run() -> set[str]:
        differences = report().differences
        assert {d.check for d in differences} <= CHECKS.keys()
        return {
            f"{d.check} {names.get(d.owner_id, 'another')}{'' if d.seq is None else -d.seq}".strip()
            for d in differences
        }

    return run


def test_books_as_they_are_written_are_clean(report: Verify, owner_engine: Engine) -> None:
    made = report()
    assert [str(d) for d in made.differences] == []
    assert made.is_clean()
    with owner_engine.connect() as connection:
        assert made.postings == connection.scalar(COUNT)


def test_books_are_clean_while_wins_arrive(books: Books, report: Verify) -> None:
    owners = [books.owner() for _ in range(20)]
    stop = Event()

    def win() -> None:
        while not stop.is_set():
            books.post(*(books.entry("win", owner, "0.001", at=books.now()) for owner in owners))

    poster = Thread(target=win)
    poster.start()
    try:
        reports = [report()]
        while len({made.postings for made in reports}) < 6 and len(reports) < 300:
            reports.append(report())
    finally:
        stop.set()
        poster.join()
    assert [d for made in reports for d in made.differences] == []
    assert reports[-1].postings > reports[0].postings


def test_all_connections_see_one_instant(books: Books, days: Days, engine: Engine) -> None:
    with snapshot(engine, 2) as readers:
        before = [reader.scalar(COUNT) for reader in readers]
        books.win(days.winner, "0.001")
        assert [reader.scalar(COUNT) for reader in readers] == before
    assert before[0] == before[1]


def test_ranges_leave_no_owner_out(engine: Engine, tamper: Tamper, report: Verify) -> None:
    whole = report()
    told: list[int] = []
    ranges = verify(engine, progress=told.append, range_entries=1)
    assert (ranges.owners, ranges.entries, ranges.postings, ranges.found) == (
        whole.owners,
        whole.entries,
        whole.postings,
        0,
    )
    assert told == sorted(told)
    assert told[-1] == whole.postings
    for nobody in (-(2**63), 2**63 - 1):
        tamper(
            "INSERT INTO ledger.account_balances (owner_id, account_id, never_negative, debits, credits)"
            f" VALUES ({nobody}, 1, true, 1, 1)"
        )
    assert verify(engine, range_entries=1).found == 2


SUMS = {"account_balance winner", "daily_balance winner", "closed_total"}
"""What is no longer the sum of its postings after one of the winner's was touched."""


def test_a_deleted_posting_is_found(tamper: Tamper, found: Found) -> None:
    tamper("DELETE FROM ledger.postings WHERE owner_id = :winner AND seq = 1 AND line = 1")
    assert found() == SUMS | {"posting winner-1", "balance_after winner-2"}


def test_a_deleted_fee_posting_is_found(tamper: Tamper, found: Found) -> None:
    tamper("DELETE FROM ledger.postings WHERE owner_id = :winner AND seq = 1 AND line = 2")
    assert found() == {"posting winner-1", "closed_total", "fee_total"}


def test_an_entry_without_postings_is_found(tamper: Tamper, found: Found) -> None:
    tamper("DELETE FROM ledger.postings WHERE owner_id = :winner AND seq = 1")
    assert found() == SUMS | {"posting winner-1", "balance_after winner-2", "fee_total"}


def test_a_posting_without_an_entry_is_found(tamper: Tamper, found: Found) -> None:
    tamper("DELETE FROM ledger.entries WHERE owner_id = :winner AND seq = 2")
    assert found() == {"entry winner-2", "seq winner-3"}


def test_a_changed_amount_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "UPDATE ledger.postings SET amount = amount + 1"
        " WHERE owner_id = :winner AND seq = 1 AND line = 1"
    )
    assert found() == SUMS | {"balance_after winner-1"}


def test_a_changed_amount_of_a_conversion_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "UPDATE ledger.postings SET amount = amount + 1"
        " WHERE owner_id = :winner AND seq = 4 AND line = 2"
    )
    assert found() == SUMS | {"balance_after winner-4", "rate winner-4", "run_total"}


def test_a_changed_fee_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "UPDATE ledger.postings SET amount = amount + 1"
        " WHERE owner_id = :winner AND seq = 1 AND line = 2"
    )
    assert found() == {"fee winner-1", "closed_total", "fee_total"}


def test_a_fee_to_another_provider_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "UPDATE ledger.postings SET provider = 'a friend'"
        " WHERE owner_id = :winner AND seq = 1 AND line = 2"
    )
    assert found() == {"fee winner-1", "fee_total"}


def test_a_changed_fee_rule_is_found(tamper: Tamper, found: Found) -> None:
    tamper("UPDATE ledger.fee_rules SET fixed = fixed + 1 WHERE kind_id = 2 AND fixed > 0")
    assert found() == {"fee winner-8", "fee another-7", "fee another-3"}


def test_a_changed_pair_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "UPDATE ledger.postings SET credit_account_id = 3"
        " WHERE owner_id = :winner AND seq = 1 AND line = 1"
    )
    assert found() >= SUMS | {"pair winner-1", "balance_after winner-1"}


def test_a_changed_pair_of_a_fee_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "UPDATE ledger.postings SET credit_account_id = 9"
        " WHERE owner_id = :winner AND seq = 1 AND line = 2"
    )
    assert found() == {"pair winner-1", "closed_total", "fee_total"}


def test_a_changed_balance_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "UPDATE ledger.account_balances SET debits = debits + 1"
        " WHERE owner_id = :winner AND account_id = 1"
    )
    assert found() == {"account_balance winner"}


def test_a_deleted_balance_is_found(tamper: Tamper, found: Found) -> None:
    tamper("DELETE FROM ledger.account_balances WHERE owner_id = :winner AND account_id = 1")
    assert found() == {"account_balance winner"}


@pytest.mark.parametrize("change", ["used = used - 1", "entries = 9", "daily_id = '01011970'"])
def test_a_changed_daily_balance_is_found(change: str, tamper: Tamper, found: Found) -> None:
    tamper(
        f"UPDATE ledger.daily_balances SET {change}"
        " WHERE owner_id = :winner AND account_id = 2 AND used > 0"
    )
    assert found() == {"daily_balance winner"}


def test_a_deleted_daily_balance_is_found(tamper: Tamper, found: Found) -> None:
    tamper("DELETE FROM ledger.daily_balances WHERE owner_id = :winner AND account_id = 3")
    assert found() == {"daily_balance winner"}


def test_a_day_moved_on_the_entry_is_found(tamper: Tamper, found: Found) -> None:
    tamper("UPDATE ledger.entries SET day = day + 1 WHERE owner_id = :winner AND seq = 1")
    assert found() == {"day winner-1"}


def test_a_day_moved_everywhere_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "UPDATE ledger.entries SET day = day + 400 WHERE owner_id = :winner",
        "UPDATE ledger.postings SET day = day + 400 WHERE owner_id = :winner",
        "UPDATE ledger.daily_balances SET day = day + 400,"
        " daily_id = to_char(day + 400, 'DDMMYYYY') WHERE owner_id = :winner",
    )
    assert found() == {f"day winner-{seq}" for seq in range(1, 9)}


def test_a_changed_time_zone_is_found(tamper: Tamper, found: Found) -> None:
    tamper("UPDATE ledger.owner_zones SET zone = 'Pacific/Pago_Pago' WHERE zone = 'Asia/Tokyo'")
    assert {difference.split()[0] for difference in found()} == {"day"}


def test_a_changed_rate_is_found(tamper: Tamper, found: Found) -> None:
    tamper("UPDATE ledger.hour_rates SET rate = 0.16 WHERE hour = :hour")
    assert found() >= {"rate winner-4", "rate spender-4", "fee winner-4", "run_total"}


def test_a_deleted_rate_is_found(tamper: Tamper, found: Found) -> None:
    tamper("DELETE FROM ledger.hour_rates WHERE hour = :hour")
    assert found() >= {"rate winner-4", "rate spender-4", "run_total"}


def test_an_entry_added_by_hand_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "INSERT INTO ledger.entries SELECT owner_id, 9, occurred_at, booked_at, client_id,"
        " reverses_seq, day, accounting_date, kind_id, gen_random_uuid(), request_hash"
        " FROM ledger.entries WHERE owner_id = :winner AND seq = 8",
        "UPDATE ledger.owners SET last_seq = 9 WHERE owner_id = :winner",
    )
    assert found() == {"posting winner-9"}


def test_a_gap_in_the_numbers_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "DELETE FROM ledger.entries WHERE owner_id = :winner AND seq = 2",
        "DELETE FROM ledger.postings WHERE owner_id = :winner AND seq = 2",
    )
    assert found() == SUMS | {"seq winner-3", "balance_after winner-3", "fee_total"}


@pytest.mark.parametrize("change", ["last_seq = last_seq + 1", "last_booked_at = now()"])
def test_a_changed_head_is_found(change: str, tamper: Tamper, found: Found) -> None:
    tamper(f"UPDATE ledger.owners SET {change} WHERE owner_id = :winner")
    assert found() == {"head winner-8"}


def test_a_deleted_owner_is_found(tamper: Tamper, found: Found) -> None:
    tamper("DELETE FROM ledger.owners WHERE owner_id = :winner")
    assert found() == {"head winner-8"}


def test_booking_backwards_is_found(tamper: Tamper, found: Found) -> None:
    back = "booked_at = booked_at + interval '1 second' WHERE owner_id = :winner AND seq = 1"
    tamper(f"UPDATE ledger.entries SET {back}", f"UPDATE ledger.postings SET {back}")
    assert found() == {"booked_at winner-2"}


def test_a_posting_booked_at_another_time_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "UPDATE ledger.postings SET booked_at = booked_at + interval '1 second'"
        " WHERE owner_id = :winner AND seq = 1 AND line = 2"
    )
    assert found() == {"booked_at winner-1"}


def test_a_changed_accounting_date_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "UPDATE ledger.entries SET accounting_date = accounting_date - 31"
        " WHERE owner_id = :winner AND seq = 1"
    )
    assert found() == {"accounting_date winner-1", "late_total"}


def test_a_changed_balance_after_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "UPDATE ledger.postings SET debit_balance = debit_balance + 1"
        " WHERE owner_id = :winner AND seq = 1 AND line = 1"
    )
    assert found() == {"balance_after winner-1", "balance_after winner-2"}


def test_a_balance_after_of_a_company_account_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "UPDATE ledger.postings SET debit_balance = 1"
        " WHERE owner_id = :winner AND seq = 1 AND line = 2"
    )
    assert found() == {"balance_after winner-1"}


@pytest.mark.parametrize("column", ["key_hash", "request_hash"])
def test_a_missing_hash_is_found(column: str, tamper: Tamper, found: Found) -> None:
    tamper(
        f"ALTER TABLE ledger.entries ALTER {column} DROP NOT NULL",
        f"UPDATE ledger.entries SET {column} = NULL WHERE owner_id = :winner AND seq = 1",
    )
    assert found() == {"hash winner-1"}


def test_a_changed_reversal_is_found(tamper: Tamper, found: Found) -> None:
    tamper("UPDATE ledger.entries SET reverses_seq = 6 WHERE owner_id = :spender AND seq = 8")
    assert found() == {"reversal spender-8"}


def test_a_second_reversal_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "DROP INDEX ledger.entries_reversed_once",
        "UPDATE ledger.entries SET reverses_seq = 7, kind_id = 11"
        " WHERE owner_id = :spender AND seq = 11",
    )
    assert found() >= {"reversal spender-8", "reversal spender-11"}


def test_a_broken_floor_is_found(books: Books, days: Days, tamper: Tamper, found: Found) -> None:
    tamper(
        "ALTER TABLE ledger.account_balances DROP CONSTRAINT account_balances_floor",
        "UPDATE ledger.flows SET source_id = NULL WHERE kind_id = 5 AND ledger_id = 4",
    )
    seq = books.spend(days.spender, "GOLD_COIN", "100000")
    tamper("UPDATE ledger.flows SET source_id = 10 WHERE kind_id = 5 AND ledger_id = 4")
    assert found() == {f"floor spender-{seq}", f"wallet_balance spender-{seq}"}


def test_a_broken_cap_is_found(books: Books, days: Days, tamper: Tamper, found: Found) -> None:
    limit = "UPDATE ledger.flows SET day_limit = day_limit {} 10 WHERE kind_id = 1"
    tamper(
        "ALTER TABLE ledger.daily_balances DROP CONSTRAINT daily_balances_limit", limit.format("*")
    )
    books.win(days.winner, "5.000000000000000001")
    tamper(limit.format("/"))
    assert found() == {"cap winner"}


@pytest.mark.parametrize("table", ["conversion_runs", "conversion_chunks"])
def test_a_changed_total_of_a_run_is_found(table: str, tamper: Tamper, found: Found) -> None:
    for total in ("users", "tokens", "usd", "fees", "residue"):
        tamper(f"UPDATE {table} SET {total} = {total} + 1 WHERE hour = :hour")
        assert found() == {"run_total"}
        tamper(f"UPDATE {table} SET {total} = {total} - 1 WHERE hour = :hour")
    assert found() == set()


def test_an_open_chunk_of_a_run_that_is_done_is_found(tamper: Tamper, found: Found) -> None:
    tamper("UPDATE conversion_chunks SET finished_at = NULL WHERE hour = :hour")
    assert found() == {"run_total"}


def test_a_deleted_run_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "DELETE FROM conversion_chunks WHERE hour = :hour",
        "DELETE FROM conversion_runs WHERE hour = :hour",
    )
    assert found() == {"run_total"}


def test_a_changed_closed_total_is_found(tamper: Tamper, found: Found) -> None:
    tamper(
        "UPDATE ledger.closed_totals SET debits = debits + 1 WHERE hour = :hour AND account_id = 1"
    )
    assert found() == {"closed_total"}


@pytest.mark.parametrize("change", ["amount = amount + 1", "entries = entries + 1", "region = 7"])
def test_a_changed_total_of_fees_is_found(change: str, tamper: Tamper, found: Found) -> None:
    tamper(f"UPDATE ledger.fee_totals SET {change} WHERE hour = :hour")
    assert found() == {"fee_total"}


def test_a_late_total_of_nothing_is_found(tamper: Tamper, found: Found) -> None:
    tamper("INSERT INTO ledger.late_totals VALUES (1, '2020-01-01', :hour, 5, 0)")
    assert found() == {"late_total"}


def test_a_deleted_closed_hour_is_found(tamper: Tamper, found: Found) -> None:
    tamper("DELETE FROM ledger.closed_hours WHERE hour = :hour + interval '1 hour'")
    assert found() == {"closed_hour"}


def test_a_changed_chart_is_found(tamper: Tamper, found: Found) -> None:
    tamper("UPDATE ledger.accounts SET day_limit = day_limit + 1 WHERE day_limit IS NOT NULL")
    assert found() == {"chart"}


# --- Wallets, holds and payments


@pytest.mark.parametrize(
    ("change", "where", "differs"),
    [
        ("wallet_balance = wallet_balance + 1", "seq = 6", {"wallet_balance spender-6"}),
        (
            "wallet_balance = NULL",
            "seq = 12",
            {"wallet_balance spender-12", "balance_after spender-12"},
        ),
        ("wallet_balance = 380", "seq = 13 AND line = 2", {"wallet_balance spender-13"}),
        ("wallet_balance = -1", "seq = 11", {"wallet_balance spender-11"}),
        ("wallet_balance = debit_balance", "seq = 1 AND line = 1", {"balance_after spender-1"}),
        ("wallet_balance = 0", "seq = 4 AND line = 3", {"balance_after spender-4"}),
    ],
)
def test_a_changed_wallet_balance_is_found(
    change: str, where: str, differs: set[str], tamper: Tamper, found: Found
) -> None:
    tamper(f"UPDATE ledger.postings SET {change} WHERE owner_id = :spender AND {where}")
    assert found() == differs


OF_SPENDER = "WHERE owner_id = :spender AND seq ="
HELD = "hold spender"
"""The sum of what is held."""


@pytest.mark.parametrize(
    ("statement", "differs"),
    [
        (
            f"UPDATE ledger.holds SET amount = amount + 1 {OF_SPENDER} 12",
            {"hold spender-12", "hold spender-13"},
        ),
        (f"UPDATE ledger.holds SET amount = amount - 1 {OF_SPENDER} 18", {"hold spender-18", HELD}),
        (
            f"UPDATE ledger.holds SET ledger_id = 5 {OF_SPENDER} 16",
            {"hold spender-16", "hold spender-17"},
        ),
        (f"DELETE FROM ledger.holds {OF_SPENDER} 12", {"hold spender-12", "hold spender-13"}),
        (f"DELETE FROM ledger.holds {OF_SPENDER} 18", {"hold spender-18", HELD}),
        (f"UPDATE ledger.holds SET ended_seq = NULL {OF_SPENDER} 16", {"hold spender-17", HELD}),
        (f"UPDATE ledger.holds SET ended_seq = 17 {OF_SPENDER} 18", {"hold spender-17", HELD}),
        (f"UPDATE ledger.holds SET ended_seq = 17 {OF_SPENDER} 12", {"hold spender-13"}),
        (f"UPDATE ledger.holds SET ended_seq = 99 {OF_SPENDER} 18", {"hold spender-99", HELD}),
        (
            f"UPDATE ledger.holds SET seq = 17 {OF_SPENDER} 18",
            {"hold spender-17", "hold spender-18"},
        ),
        (
            f"UPDATE ledger.holds SET owner_id = :winner {OF_SPENDER} 18",
            {"hold spender-18", "hold winner-18", HELD, "hold winner"},
        ),
        (
            "INSERT INTO ledger.holds VALUES (:winner, 5, now(), NULL, 4, 7)",
            {"hold winner-5", "hold winner"},
        ),
    ],
)
def test_a_changed_hold_is_found(
    statement: str, differs: set[str], tamper: Tamper, found: Found
) -> None:
    tamper(statement)
    assert found() == differs


@pytest.mark.parametrize(
    ("change", "seq", "differs"),
    [
        ("expires_at + interval '25 days'", 18, {"hold spender-18"}),
        ("expires_at - interval '7 days'", 18, {"hold spender-18"}),
        ("expires_at - interval '1 year'", 16, {"hold spender-16"}),
        ("'infinity'", 18, {"hold spender-18"}),
        ("expires_at - interval '7 days' + interval '1 microsecond'", 12, {"hold spender-13"}),
    ],
)
def test_a_hold_that_expires_when_it_cannot_have_is_found(
    change: str, seq: int, differs: set[str], tamper: Tamper, found: Found
) -> None:
    """Before it began, after 31 days, or before its capture."""
    tamper(f"UPDATE ledger.holds SET expires_at = {change} {OF_SPENDER} {seq}")
    assert found() == differs


def test_a_capture_of_another_hold_is_found(tamper: Tamper, found: Found) -> None:
    tamper(f"UPDATE ledger.entries SET hold_seq = 18 {OF_SPENDER} 17")
    assert found() == {"hold spender-17"}


@pytest.mark.parametrize("line", [1, 2])
def test_a_deleted_part_of_a_capture_is_found(line: int, tamper: Tamper, found: Found) -> None:
    """What was captured, and the rest that went back."""
    tamper(f"DELETE FROM ledger.postings {OF_SPENDER} 13 AND line = {line}")
    assert found() >= {"hold spender-13", "account_balance spender", "closed_total"}


def test_a_changed_rest_of_a_capture_is_found(tamper: Tamper, found: Found) -> None:
    tamper(f"UPDATE ledger.postings SET amount = amount - 1 {OF_SPENDER} 13 AND line = 2")
    assert found() >= {"hold spender-13", "balance_after spender-13", "account_balance spender"}


CLAIM = "WHERE owner_id = :spender AND reference = (SELECT reference FROM ledger.entries WHERE owner_id = :spender AND seq = 5)"


@pytest.mark.parametrize(
    ("statement", "differs"),
    [
        (f"DELETE FROM ledger.payment_claims {CLAIM}", {"claim spender-5"}),
        (f"UPDATE ledger.payment_claims SET owner_id = :winner {CLAIM}", {"claim spender-5"}),
        (
            f"UPDATE ledger.payment_claims SET owner_id = 999999 {CLAIM}",
            {"claim spender-5", "claim another"},
        ),
        (
            f"UPDATE ledger.payment_claims SET key_hash = gen_random_uuid() {CLAIM}",
            {"claim spender-5"},
        ),
        (f"UPDATE ledger.payment_claims SET reference = 'other' {CLAIM}", {"claim spender-5"}),
        (f"UPDATE ledger.payment_claims SET provider = 'other' {CLAIM}", {"claim spender-5"}),
        (
            "DELETE FROM ledger.payment_claims WHERE owner_id = :spender",
            {"claim spender-5", "claim spender-10"},
        ),
        (f"UPDATE ledger.postings SET provider = 'other' {OF_SPENDER} 5", {"claim spender-5"}),
        (
            f"UPDATE ledger.postings SET provider = NULL {OF_SPENDER} 10",
            {"claim spender-10", "reversal spender-11"},
        ),
        (f"UPDATE ledger.entries SET reference = 'other' {OF_SPENDER} 5", {"claim spender-5"}),
        (
            f"UPDATE ledger.entries SET key_hash = gen_random_uuid() {OF_SPENDER} 10",
            {"claim spender-10"},
        ),
    ],
)
def test_a_changed_payment_is_found(
    statement: str, differs: set[str], tamper: Tamper, found: Found
) -> None:
    tamper(statement)
    assert found() == differs


def test_a_payment_whose_reference_was_erased_is_still_claimed(
    tamper: Tamper, found: Found
) -> None:
    """As the erasure of a client's text will leave it."""
    tamper("UPDATE ledger.entries SET reference = NULL WHERE owner_id = :spender")
    assert found() == set()


def test_a_claim_that_came_to_nothing_is_no_difference(
    books: Books, days: Days, found: Found
) -> None:
    assert books.claim("test", "never paid", days.winner, "k")
    assert found() == set()


def test_more_differences_than_are_named_are_counted(tamper: Tamper, report: Verify) -> None:
    tamper(
        "INSERT INTO ledger.daily_balances (owner_id, account_id, day, daily_id, entries, debits,"
        " credits, used) SELECT :winner, 1, '2001-01-01'::date + n, 'x', 1, 0, 0, 0"
        " FROM generate_series(1, 150) n"
    )
    made = report()
    assert (made.found, len(made.differences)) == (150, NAMED)
    assert made.summary().startswith("150 differ, 100 named")
