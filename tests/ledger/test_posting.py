"""Single entries of every kind: what is posted, what is refused, with which figures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest
from sqlalchemy import URL, Engine, text

from portal import ledger
from portal.ledger import chart
from portal.ledger.amounts import MAX_AMOUNT
from portal.ledger.idempotency import key_hash, request_hash
from portal.ledger.posting import UNBOUNDED, Entry, Outcome, Window, post
from tests.factories import CLIENT, WINDOW, Books

TOKEN = 10**18


@pytest.fixture(scope="module")
def database(shared_database: URL) -> URL:
    return shared_database


def one(books: Books, entry: Entry, window: Window = WINDOW) -> Outcome:
    return books.post(entry, window=window)[0]


def rows(engine: Engine, table: str, owner: int) -> list[Any]:
    with engine.connect() as connection:
        query = text(f"SELECT * FROM ledger.{table} WHERE owner_id = :owner ORDER BY 1, 2")
        return list(connection.execute(query, {"owner": owner}).mappings())


def everything(engine: Engine, owner: int) -> list[Any]:
    """All that the books hold of an owner."""
    tables = ("owners", "entries", "postings", "account_balances", "daily_balances")
    return [rows(engine, table, owner) for table in tables]


def lines(engine: Engine, owner: int, seq: int) -> list[tuple[str, str, str, int]]:
    """An entry's postings as (ledger, debit, credit, amount)."""
    query = """
        SELECT l.code AS ledger, d.code AS debit, c.code AS credit, p.amount
        FROM ledger.postings p JOIN ledger.ledgers l ON l.id = p.ledger_id
        JOIN ledger.accounts d ON d.id = p.debit_account_id
        JOIN ledger.accounts c ON c.id = p.credit_account_id
        WHERE p.owner_id = :owner AND p.seq = :seq ORDER BY p.line"""
    with engine.connect() as connection:
        found = connection.execute(text(query), {"owner": owner, "seq": seq})
        return [(row.ledger, row.debit, row.credit, int(row.amount)) for row in found]


@pytest.mark.parametrize(
    ("kind", "pair"),
    [
        ("top_up", ("INVENTORY", "TREASURY")),
        ("bonus", ("INVENTORY", "PROMOTIONS")),
        ("spend", ("REVENUE", "INVENTORY")),
        ("hold", ("HELD", "INVENTORY")),
        ("capture", ("REVENUE", "HELD")),
        ("release", ("INVENTORY", "HELD")),
        ("expiry", ("EXPIRED", "INVENTORY")),
    ],
)
@pytest.mark.parametrize("asset", ["GOLD_COIN", "DIAMOND", "LOYALTY_POINT"])
def test_each_credit_kind_makes_the_one_posting_of_the_chart(
    books: Books, kind: str, pair: tuple[str, str], asset: str
) -> None:
    owner = books.owner()
    books.top_up(owner, asset, "100")
    hold = books.hold(owner, asset, "20") if kind in ("capture", "release") else None
    outcome = one(books, books.entry(kind, owner, "20", asset=asset, ends=hold))
    assert outcome.seq is not None
    units = 20 * 10 ** (2 if asset == "LOYALTY_POINT" else 0)
    assert lines(books.engine, owner, outcome.seq) == [(asset, *pair, units)]


def test_a_win_makes_the_tokens_and_books_its_fee(books: Books) -> None:
    owner = books.owner()
    seq = books.win(owner, "1.5")
    assert lines(books.engine, owner, seq) == [
        ("DREAM", "TOKENS_INVENTORY", "TOKENS_EARNED", 3 * TOKEN // 2),
        ("FEES", "FEE_ISSUANCE", "FEES_PAYABLE", TOKEN // 1000),
    ]
    [fee] = [row for row in rows(books.engine, "postings", owner) if row["line"] == 2]
    assert fee["provider"] == "token-issuer"
    assert (fee["debit_balance"], fee["credit_balance"]) == (None, None)


def test_a_settlement_of_fees_is_booked_for_the_house(books: Books) -> None:
    fees = chart.FIXED_LEDGERS[2].id
    entry = replace(
        books.entry("spend", chart.HOUSE, "1", asset="GOLD_COIN"), kind="fee_settlement"
    )
    outcome = one(books, replace(entry, ledger_id=fees, amount=TOKEN))
    assert outcome.status == "posted"
    assert outcome.seq is not None
    assert lines(books.engine, chart.HOUSE, outcome.seq) == [
        ("FEES", "FEES_PAYABLE", "CASH", TOKEN)
    ]


def test_an_entry_keeps_what_the_client_said_and_what_the_ledger_found(books: Books) -> None:
    owner = books.owner("Asia/Kolkata")
    at = books.now() - timedelta(hours=3)
    entry = replace(books.entry("win", owner, "1", at=at), game="maze", description="d", reason="r")
    before = books.now()
    outcome = one(books, entry)
    stored = rows(books.engine, "entries", owner)[0]
    assert before <= stored["booked_at"] == outcome.booked_at <= books.now()
    assert stored["occurred_at"] == at
    assert stored["accounting_date"] == stored["booked_at"].astimezone(UTC).date()
    assert (stored["game"], stored["description"], stored["reason"]) == ("maze", "d", "r")
    assert stored["client_id"] == CLIENT
    assert stored["key_hash"].hex == entry.key_hash
    assert bytes(stored["request_hash"]) == entry.request_hash
    assert {p["day"] for p in rows(books.engine, "postings", owner)} == {stored["day"]}


@pytest.mark.parametrize(
    "words",
    [
        '"',
        "\\",
        '\\"',
        "{}",
        "{NULL}",
        "NULL",
        ",",
        "'; DROP TABLE ledger.entries; --",
        "%s",
        "%(x)s",
        "\u202e",
        "🎲" * 200,
        "́",
        "\ufeff",
        "\uffff",
        "a\u2028b",
        "\\x00",
        " ",
        "$1",
        "{a,b}",
    ],
)
def test_text_comes_back_as_it_was_sent(books: Books, words: str) -> None:
    owner = books.owner()
    entry = replace(books.entry("win", owner, "1", at=books.now()), game=words, reference=words)
    assert one(books, entry).status == "posted"
    stored = rows(books.engine, "entries", owner)[0]
    assert (stored["game"], stored["reference"]) == (words, words)


def test_daily_balances_carry_the_day_as_ddmmyyyy(books: Books) -> None:
    owner = books.owner()
    books.win(owner)
    for row in rows(books.engine, "daily_balances", owner):
        assert row["daily_id"] == row["day"].strftime("%d%m%Y")


# --- Keys


def test_the_same_request_again_finds_its_entry(books: Books) -> None:
    owner = books.owner()
    entry = books.entry("win", owner, "1", at=books.now())
    first, second = one(books, entry), one(books, entry)
    assert (first.status, second.status) == ("posted", "replayed")
    assert (second.seq, second.booked_at, second.day) == (first.seq, first.booked_at, first.day)
    assert len(rows(books.engine, "entries", owner)) == 1


def test_a_key_of_another_request_is_refused_and_changes_nothing(books: Books) -> None:
    owner = books.owner()
    books._posted(books.entry("win", owner, "1", at=books.now(), key="k"))
    before = everything(books.engine, owner)
    outcome = one(books, books.entry("win", owner, "2", at=books.now(), key="k"))
    assert (outcome.status, outcome.code) == ("rejected", "idempotency_key_reused")
    assert everything(books.engine, owner) == before


def test_a_key_belongs_to_one_owner_and_one_client(books: Books) -> None:
    one_owner, other = books.owner(), books.owner()
    at = books.now()
    assert one(books, books.entry("win", one_owner, "1", at=at, key="k")).status == "posted"
    assert one(books, books.entry("win", other, "1", at=at, key="k")).status == "posted"
    entry = replace(books.entry("win", one_owner, "1", at=at), key_hash=key_hash(CLIENT + 1, "k"))
    assert one(books, entry).status == "posted"


def test_a_key_twice_in_one_batch_posts_once(books: Books) -> None:
    owner = books.owner()
    entry = books.entry("win", owner, "1", at=books.now())
    other = replace(entry, request_hash=request_hash("other", owner))
    outcomes = books.post(entry, entry, other, entry)
    assert [o.status for o in outcomes] == ["posted", "replayed", "rejected", "replayed"]
    assert outcomes[2].code == "idempotency_key_reused"
    assert {o.seq for o in outcomes} == {1, None}
    assert {o.booked_at for o in outcomes if o.seq} == {outcomes[0].booked_at}


def test_a_key_comes_before_every_rule(books: Books) -> None:
    """A retry finds its entry when the day is full, the time too old and the funds gone."""
    owner = books.owner()
    win = books.entry("win", owner, "5", at=books.now())
    books._posted(win)
    narrow = Window(timedelta(microseconds=1), timedelta(microseconds=1))
    assert one(books, win, narrow).status == "replayed"
    books.top_up(owner, "GOLD_COIN", "10")
    spend = books.entry("spend", owner, "10", asset="GOLD_COIN")
    assert [one(books, spend).status for _ in range(2)] == ["posted", "replayed"]


def test_a_replay_tells_the_day_as_it_is_now(books: Books) -> None:
    owner = books.owner()
    at = books.now()
    win = books.entry("win", owner, "1", at=at)
    books._posted(win)
    books.win(owner, "0.5", at)
    again = one(books, win)
    assert (again.used, again.day_limit) == (3 * TOKEN // 2, 5 * TOKEN)


def test_a_refusal_leaves_its_key_free(books: Books) -> None:
    owner = books.owner()
    spend = books.entry("spend", owner, "10", asset="GOLD_COIN")
    assert one(books, spend).code == "insufficient_funds"
    books.top_up(owner, "GOLD_COIN", "10")
    assert one(books, spend).status == "posted"


# --- The cap


def test_a_win_over_the_daily_limit_changes_nothing(books: Books) -> None:
    owner = books.owner()
    at = books.now()
    books.win(owner, "4.75", at)
    before = everything(books.engine, owner)
    outcome = one(books, books.entry("win", owner, "0.250000000000000001", at=at))
    assert (outcome.status, outcome.code) == ("rejected", "daily_limit_exceeded")
    assert (outcome.day_limit, outcome.used) == (5 * TOKEN, 19 * TOKEN // 4)
    assert everything(books.engine, owner) == before


def test_a_win_that_just_reaches_the_limit_is_accepted(books: Books) -> None:
    owner = books.owner()
    at = books.now()
    books.win(owner, "4.999999999999999999", at)
    books.win(owner, "0.000000000000000001", at)
    assert one(books, books.entry("win", owner, "0.000000000000000001", at=at)).used == 5 * TOKEN


def test_after_a_win_too_big_a_smaller_one_still_fits(books: Books) -> None:
    owner = books.owner()
    at = books.now()
    sizes = ("3", "3", "2", "1", "0.000000000000000001")
    outcomes = books.post(*(books.entry("win", owner, size, at=at) for size in sizes))
    assert [o.status for o in outcomes] == ["posted", "rejected", "posted", "rejected", "rejected"]
    assert [o.used for o in outcomes] == [u * TOKEN for u in (3, 3, 5, 5, 5)]


def test_a_single_win_above_the_limit_is_refused(books: Books) -> None:
    entry = replace(books.entry("win", books.owner(), "1", at=books.now()), amount=MAX_AMOUNT)
    assert one(books, entry).code == "daily_limit_exceeded"


# --- The floor


def test_more_than_is_held_cannot_be_spent(books: Books) -> None:
    owner = books.owner()
    books.top_up(owner, "LOYALTY_POINT", "10.01")
    before = everything(books.engine, owner)
    outcome = one(books, books.entry("spend", owner, "10.02", asset="LOYALTY_POINT"))
    assert (outcome.code, outcome.balance) == ("insufficient_funds", 1001)
    assert everything(books.engine, owner) == before
    assert one(books, books.entry("spend", owner, "10.01", asset="LOYALTY_POINT")).balance == 0


def test_what_is_held_back_cannot_be_spent(books: Books) -> None:
    owner = books.owner()
    books.top_up(owner, "DIAMOND", "10")
    hold = books.hold(owner, "DIAMOND", "8")
    for kind in ("spend", "hold", "expiry"):
        outcome = one(books, books.entry(kind, owner, "3", asset="DIAMOND"))
        assert outcome.code == "insufficient_funds"
        assert (outcome.balance, outcome.held) == (10, 8)
    books.capture(owner, hold, "DIAMOND")
    assert one(books, books.entry("spend", owner, "2", asset="DIAMOND")).balance == 0


def test_credits_of_one_asset_do_not_pay_for_another(books: Books) -> None:
    owner = books.owner()
    books.top_up(owner, "GOLD_COIN", "10")
    assert (
        one(books, books.entry("spend", owner, "1", asset="DIAMOND")).code == "insufficient_funds"
    )


def test_entries_of_one_batch_see_each_other(books: Books) -> None:
    owner = books.owner()
    make = [("spend", "5"), ("top_up", "5"), ("spend", "3"), ("spend", "3"), ("spend", "2")]
    outcomes = books.post(*(books.entry(k, owner, a, asset="GOLD_COIN") for k, a in make))
    assert [o.code for o in outcomes] == [
        "insufficient_funds",
        None,
        None,
        "insufficient_funds",
        None,
    ]
    assert [o.balance for o in outcomes] == [0, 5, 2, 2, 0]
    assert [o.seq for o in outcomes] == [None, 1, 2, None, 3]


# --- Reversals


def test_a_reversal_turns_every_posting_round_once(books: Books) -> None:
    owner = books.owner()
    seq = books.win(owner, "2")
    undo = books.reverse(owner, seq)
    assert lines(books.engine, owner, undo) == [
        (led, credit, debit, amount)
        for led, debit, credit, amount in lines(books.engine, owner, seq)
    ]
    again = one(books, books.entry("reversal", owner, None, reverses=seq))
    assert (again.status, again.code) == ("rejected", "already_reversed")


def test_a_reversed_win_gives_its_day_its_limit_back(books: Books) -> None:
    owner = books.owner()
    at = books.now() - timedelta(hours=23)
    seq = books.win(owner, "5", at)
    assert one(books, books.entry("win", owner, "1", at=at)).code == "daily_limit_exceeded"
    books.reverse(owner, seq)
    assert one(books, books.entry("win", owner, "5", at=at)).used == 5 * TOKEN


def test_a_reversal_tells_the_balance_it_leaves(books: Books) -> None:
    owner = books.owner()
    books.top_up(owner, "GOLD_COIN", "100")
    spent = books.spend(owner, "GOLD_COIN", "30")
    undo = one(books, books.entry("reversal", owner, None, asset="GOLD_COIN", reverses=spent))
    assert undo.balance == 100
    granted = books.bonus(owner, "GOLD_COIN", "5")
    undo = one(books, books.entry("reversal", owner, None, asset="GOLD_COIN", reverses=granted))
    assert undo.balance == 100


def test_a_reversal_that_would_fall_below_zero_is_refused(books: Books) -> None:
    owner = books.owner()
    seq = books.top_up(owner, "GOLD_COIN", "10")
    books.spend(owner, "GOLD_COIN", "1")
    before = everything(books.engine, owner)
    outcome = one(books, books.entry("reversal", owner, None, asset="GOLD_COIN", reverses=seq))
    assert (outcome.code, outcome.balance) == ("insufficient_funds", 9)
    assert everything(books.engine, owner) == before


def test_an_entry_that_is_not_there_cannot_be_reversed(books: Books) -> None:
    owner, other = books.owner(), books.owner()
    books.win(other)
    for seq in (1, 0, -1, 2**62):
        outcome = one(books, books.entry("reversal", owner, None, reverses=seq))
        assert (outcome.status, outcome.code) == ("rejected", "unknown_entry")


@pytest.mark.parametrize("kind", ["hold", "release", "capture", "expiry"])
def test_kinds_that_are_not_reversible_stay(books: Books, kind: str) -> None:
    owner = books.owner()
    books.top_up(owner, "GOLD_COIN", "10")
    hold = books.hold(owner, "GOLD_COIN", "5") if kind in ("capture", "release") else None
    seq = books._posted(books.entry(kind, owner, "1", asset="GOLD_COIN", ends=hold))
    outcome = one(books, books.entry("reversal", owner, None, asset="GOLD_COIN", reverses=seq))
    assert (outcome.status, outcome.code) == ("rejected", "not_reversible")


def test_a_reversal_cannot_be_reversed(books: Books) -> None:
    owner = books.owner()
    undo = books.reverse(owner, books.win(owner, "5"))
    outcome = one(books, books.entry("reversal", owner, None, reverses=undo))
    assert (outcome.status, outcome.code) == ("rejected", "not_reversible")


def test_reversing_twice_in_one_batch_happens_once(books: Books) -> None:
    owner = books.owner()
    seq = books.win(owner, "5")
    at = books.now()
    outcomes = books.post(
        books.entry("win", owner, "1", at=at),
        books.entry("reversal", owner, None, reverses=seq),
        books.entry("reversal", owner, None, reverses=seq),
        books.entry("win", owner, "5", at=at),
    )
    assert [o.code for o in outcomes] == ["daily_limit_exceeded", None, "already_reversed", None]


def test_an_entry_can_be_reversed_in_the_batch_that_makes_it(books: Books) -> None:
    owner = books.owner()
    outcomes = books.post(
        books.entry("win", owner, "5", at=books.now()),
        books.entry("reversal", owner, None, reverses=1),
        books.entry("reversal", owner, None, reverses=2),
        books.entry("reversal", owner, None, reverses=9),
    )
    assert [o.code for o in outcomes] == [None, None, "not_reversible", "unknown_entry"]


# --- Amounts


@pytest.mark.parametrize("units", [1, 2**63 - 1, 2**64, 10**40, MAX_AMOUNT - 1, MAX_AMOUNT])
def test_amounts_are_exact_up_to_the_largest(books: Books, units: int) -> None:
    owner = books.owner()
    entry = replace(books.entry("top_up", owner, "1", asset="GOLD_COIN"), amount=units)
    assert one(books, entry).balance == units
    assert int(rows(books.engine, "postings", owner)[0]["amount"]) == units


def test_totals_go_beyond_the_largest_amount(books: Books) -> None:
    owner = books.owner()
    entries = [
        replace(books.entry("top_up", owner, "1", asset="GOLD_COIN"), amount=MAX_AMOUNT)
        for _ in range(3)
    ]
    assert [o.balance for o in books.post(*entries)] == [n * MAX_AMOUNT for n in (1, 2, 3)]
    spend = replace(books.entry("spend", owner, "1", asset="GOLD_COIN"), amount=MAX_AMOUNT)
    assert one(books, spend).balance == 2 * MAX_AMOUNT
    with books.engine.connect() as connection:
        asset = ledger.assets(connection)["GOLD_COIN"]
        assert ledger.wallet(connection, owner, asset).balance == 2 * MAX_AMOUNT
        assert ledger.wallet(connection, owner, asset, books.now()).balance == 2 * MAX_AMOUNT


@pytest.mark.parametrize("units", [0, -1, MAX_AMOUNT + 1, None])
@pytest.mark.parametrize("kind", ["top_up", "spend", "win"])
def test_an_amount_that_cannot_be_is_an_error_and_books_nothing(
    books: Books, kind: str, units: int | None
) -> None:
    owner = books.owner()
    asset = "DREAM" if kind == "win" else "GOLD_COIN"
    if kind == "spend":
        books.top_up(owner, asset, "10")
    before = everything(books.engine, owner)
    at = books.now() if kind == "win" else None
    entry = replace(books.entry(kind, owner, "1", asset=asset, at=at), amount=units)
    outcome = one(books, entry)
    assert outcome.status == "rejected"
    assert outcome.code in ("internal_error", "daily_limit_exceeded", "insufficient_funds")
    assert everything(books.engine, owner) == before


@pytest.mark.parametrize("amount", ["1.5", "0.4", "'NaN'", "'Infinity'", "0", "-3", "NULL"])
def test_the_posting_function_itself_takes_whole_amounts_only(engine: Engine, amount: str) -> None:
    """The app's role may call it with anything: a fraction must not get into a balance."""
    books = Books(engine)
    owner = books.owner()
    call = f"""
        SELECT status FROM ledger.post(ARRAY[{owner}]::bigint[], ARRAY[3]::smallint[], ARRAY[4]::smallint[],
            ARRAY[1]::bigint[], ARRAY[gen_random_uuid()], ARRAY[sha256('')], ARRAY[{amount}]::numeric[],
            NULL, NULL, NULL, NULL, NULL, NULL, true, NULL, NULL)"""
    with (
        engine.connect() as connection,
        pytest.raises(Exception, match=r"amount|numeric|constraint"),
    ):
        connection.exec_driver_sql(call)
    assert not rows(engine, "account_balances", owner)


def test_the_amount_of_a_reversal_is_that_of_its_original_whatever_is_said(books: Books) -> None:
    owner = books.owner()
    seq = books.top_up(owner, "GOLD_COIN", "10")
    books.spend(owner, "GOLD_COIN", "5")
    entry = books.entry("reversal", owner, None, asset="GOLD_COIN", reverses=seq)
    assert one(books, replace(entry, amount=1)).code == "insufficient_funds"
    books.top_up(owner, "GOLD_COIN", "5")
    assert one(books, replace(entry, amount=1)).balance == 0


# --- What can't be


def test_an_owner_without_books_is_refused(books: Books) -> None:
    owner = books.owner()
    at = books.now()
    outcomes = books.post(
        books.entry("win", 2**62, "1", at=at),
        books.entry("win", owner, "1", at=at),
        books.entry("win", 2**62 - 1, "1", at=at),
    )
    assert [o.code for o in outcomes] == ["unknown_user", None, "unknown_user"]


@pytest.mark.parametrize(
    ("kind", "asset"), [("win", "GOLD_COIN"), ("spend", "DREAM"), ("top_up", "USD")]
)
def test_a_kind_in_a_ledger_it_has_no_pair_in_is_an_error(
    books: Books, kind: str, asset: str
) -> None:
    owner = books.owner()
    before = everything(books.engine, owner)
    at = books.now()
    good = books.entry("win", books.owner(), "1", at=at)
    outcomes = books.post(good, books.entry(kind, owner, "1", asset=asset, at=at))
    assert [(o.status, o.code) for o in outcomes] == [
        ("posted", None),
        ("rejected", "internal_error"),
    ]
    assert everything(books.engine, owner) == before


@pytest.mark.parametrize("words", ["a\x00b", "\ud800"])
def test_a_poisonous_entry_fails_alone(books: Books, words: str) -> None:
    owners = [books.owner() for _ in range(7)]
    entries = [books.entry("win", owner, "1", at=books.now()) for owner in owners]
    entries[4] = replace(entries[4], reference=words)
    outcomes = books.post(*entries)
    assert [o.status for o in outcomes] == ["posted"] * 4 + ["rejected"] + ["posted"] * 2
    assert outcomes[4].code == "internal_error"
    assert not rows(books.engine, "entries", owners[4])


def test_a_thousand_entries_are_one_batch_and_one_more_is_none(books: Books) -> None:
    owners = [books.owner() for _ in range(10)]
    at = books.now()
    amount = "0.01"
    entries = [books.entry("win", owners[n % 10], amount, at=at) for n in range(1000)]
    outcomes = books.post(*entries)
    assert {o.status for o in outcomes} == {"posted"}
    assert [o.seq for o in outcomes] == [n // 10 + 1 for n in range(1000)]
    assert outcomes[-1].used == TOKEN
    for wrong in ([], [*entries, entries[0]]):
        with books.engine.connect() as connection, pytest.raises(ValueError, match="1 to 1000"):
            post(connection.connection.cursor(), wrong, UNBOUNDED, wait=True)


def test_a_batch_is_one_transaction(books: Books) -> None:
    """What raises leaves nothing behind of its neighbours either."""
    owner = books.owner()
    entries = [books.entry("win", owner, "1", at=books.now()) for _ in range(3)]
    entries[2] = replace(entries[2], request_hash=b"short")
    with books.engine.connect() as connection:
        cursor = connection.connection.cursor()
        with pytest.raises(psycopg2.errors.CheckViolation):
            post(cursor, entries, UNBOUNDED, wait=True)
        connection.rollback()
    assert not rows(books.engine, "entries", owner)


def test_seq_has_no_gaps_whatever_is_refused(books: Books) -> None:
    owner = books.owner()
    at = books.now()
    for size in ("2", "4", "2", "2", "1"):
        one(books, books.entry("win", owner, size, at=at))
    assert [row["seq"] for row in rows(books.engine, "entries", owner)] == [1, 2, 3]
    assert rows(books.engine, "owners", owner)[0]["last_seq"] == 3


@pytest.mark.parametrize("year", [1, 1583, 9999])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_time_at_the_end_of_the_calendar_is_refused_and_harms_no_neighbour(
    books: Books, zone: str, year: int
) -> None:
    """Its local date may lie in a year that no Python date can hold."""
    strange, good = books.owner(zone), books.owner()
    edge = datetime(year, 1, 1, tzinfo=UTC) if year < 9999 else datetime.max.replace(tzinfo=UTC)
    outcomes = books.post(
        books.entry("win", good, "1", at=books.now()),
        books.entry("win", strange, "1", at=edge),
    )
    assert [(o.status, o.code) for o in outcomes] == [
        ("posted", None),
        ("rejected", "occurred_at_out_of_range"),
    ]
