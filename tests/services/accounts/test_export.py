"""The export: everything that is kept of a person, of one moment, in bounded memory, and no secret."""

import json
import time
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine

from portal import ledger
from portal.ledger.errors import Refused
from portal.runtime import runtime
from portal.services import audit, users
from portal.services.accounts import deletion, export, second_factor, sessions, signing_in
from tests.factories import Books, some_days
from tests.pages.counted import counted
from tests.services.accounts.people import PASSWORD, Person, mails_to, rows, session_of, somebody

pytestmark = pytest.mark.usefixtures("context", "redis")
MANY = 10_000
TIME_S = 3


def exported(person: Person) -> Any:
    return json.loads("".join(export.document(person.sign_in_id)), parse_float=Decimal)


@pytest.fixture
def books(engine: Engine) -> Books:
    return Books(engine)


def test_everything_that_is_kept_of_a_user_is_in_it(books: Books) -> None:
    person = somebody(name="Ida <b>", zone="Europe/Berlin")
    assert person.user_id is not None
    session_of(person)
    books.win(person.user_id, "1.000000000000000001")
    books.top_up(person.user_id, "GOLD_COIN", "500")
    books.release(person.user_id, books.hold(person.user_id, "GOLD_COIN", "20"), "GOLD_COIN")
    users.change(person.user_id, {"time_zone": "Asia/Tokyo"})
    deletion.ask(person.sign_in_id, PASSWORD)
    made = exported(person)
    assert list(made) == [
        *(
            "format",
            "exported_at",
            "sign_in",
            "profile",
            "time_zones",
            "sessions",
            "links",
            "mails",
        ),
        *("deletion_requests", "wallets", "entries", "events"),
    ]
    assert made["profile"] | {"created_at": "", "external_id": ""} == {
        "user_id": str(person.user_id),
        "external_id": "",
        "display_name": "Ida <b>",
        "email": None,
        "region": "global",
        "created_at": "",
    }
    assert [zone["time_zone"] for zone in made["time_zones"]] == ["Europe/Berlin", "Asia/Tokyo"]
    assert made["time_zones"][0]["from_at"] is None
    assert made["sign_in"]["email"] == person.email
    assert len(made["sessions"]) == 1
    assert [mail["kind"] for mail in made["mails"]] == mails_to(person) == ["deletion_asked"]
    assert made["deletion_requests"][0]["withdrawn_at"] is None
    wallets = {wallet["asset"]: wallet for wallet in made["wallets"]}
    assert wallets["DREAM"]["balance"] == "1.000000000000000001"
    assert wallets["GOLD_COIN"] == {
        "asset": "GOLD_COIN",
        "balance": "500",
        "held": "0",
        "available": "500",
    }
    win, top_up, hold, release = made["entries"]
    assert (win["kind"], win["entry_id"]) == ("win", f"{person.user_id}-1")
    assert win["lines"] == [
        {
            "ledger": "DREAM",
            "asset": "DREAM",
            "debit": "TOKENS_INVENTORY",
            "credit": "TOKENS_EARNED",
            "amount": "1.000000000000000001",
            "debit_balance": "1.000000000000000001",
            "credit_balance": "1.000000000000000001",
        }
    ]
    assert top_up["lines"][0]["provider"] == "test"
    assert (release["hold_id"], hold["kind"]) == (hold["entry_id"], "hold")
    assert [event["action"] for event in made["events"]] == ["session.started", "data.exported"]


def test_no_figure_of_it_is_a_number_that_a_reader_could_round(books: Books) -> None:
    person = somebody()
    assert person.user_id is not None
    books.win(person.user_id, "0.1")
    for entry in exported(person)["entries"]:
        for line in entry["lines"]:
            assert all(isinstance(value, str) for value in line.values())


def test_every_entry_is_in_it_with_the_lines_of_its_wallets_in_order(books: Books) -> None:
    days = some_days(books)
    for owner in (days.winner, days.spender):
        with runtime().snapshot() as connection:
            found = list(ledger.journal(connection, owner, 2))
            whole = list(ledger.journal(connection, owner, 1000))
        [count] = rows("SELECT last_seq FROM ledger.owners WHERE owner_id = :o", o=owner)
        assert [entry.seq for entry in found] == list(range(1, count.last_seq + 1))
        assert found == whole
        lines = rows(
            "SELECT count(*) AS n, sum(amount) AS units FROM ledger.postings"
            " WHERE owner_id = :o AND ledger_id <> 3",
            o=owner,
        )[0]
        listed = [line for entry in found for line in entry.lines]
        assert (len(listed), sum(line.amount for line in listed)) == (lines.n, lines.units)
        assert {line.ledger for line in listed} & {"FEES"} == set()


def test_nobody_elses_books_nor_events_are_in_it(books: Books) -> None:
    ida, other = somebody(name="Ida"), somebody(name="Otto")
    assert ida.user_id is not None
    assert other.user_id is not None
    books.win(other.user_id, "2")
    session_of(other)
    made = exported(ida)
    assert made["entries"] == []
    assert [event["action"] for event in made["events"]] == ["data.exported"]
    text = json.dumps(made)
    assert "Otto" not in text
    assert other.email not in text


def test_no_secret_is_in_it() -> None:
    person = somebody()
    with runtime().engine.begin() as connection:
        secret = sessions.start(connection, person.sign_in_id, second_factor=False)
    second_factor.begin(person.sign_in_id, PASSWORD)
    begun = second_factor.begun(person.sign_in_id)
    assert begun is not None
    text = json.dumps(exported(person))
    [row] = rows("SELECT password_hash FROM sign_ins WHERE id = :i", i=person.sign_in_id)
    for word in (secret, begun.secret, row.password_hash, "argon2", "hash"):
        assert word not in text


def test_what_staff_did_to_a_person_is_told_without_where_they_sat() -> None:
    person, admin = somebody(), somebody("admin")
    acts = audit.Actor("person", admin.sign_in_id, role="admin", address="192.0.2.9", browser="B")
    with runtime().engine.begin() as connection, audit.acting(acts):
        audit.record(connection, "second_factor.switched_off", "sign_in", person.sign_in_id)
        audit.record(connection, "profile.changed", "user", person.user_id, after={"name": "Ida"})
    stranger = audit.Actor("person", address="192.0.2.8", browser="C")
    with pytest.raises(Refused), audit.acting(stranger):
        signing_in.check(person.email, "wrong")
    told = [
        (event["by"], event["action"], event["address"], event["browser"], event["after"])
        for event in exported(person)["events"][:3]
    ]
    assert told == [
        ("admin", "second_factor.switched_off", None, None, None),
        ("admin", "profile.changed", None, None, {"name": "Ida"}),
        ("unknown", "session.refused", "192.0.2.8", "C", None),
    ]


def test_staff_have_an_export_without_books() -> None:
    made = exported(somebody("viewer", name="Vera"))
    assert made["sign_in"]["name"] == "Vera"
    assert "entries" not in made
    assert "profile" not in made


def test_all_of_it_is_of_one_moment(books: Books) -> None:
    person = somebody()
    assert person.user_id is not None
    books.win(person.user_id, "1")
    pieces = export.document(person.sign_in_id)
    first = next(pieces)
    books.win(person.user_id, "1")
    made = json.loads(first + "".join(pieces))
    assert len(made["entries"]) == 1
    assert {wallet["asset"]: wallet["balance"] for wallet in made["wallets"]}["DREAM"] == "1"


def test_ten_in_an_hour_are_let_and_each_is_in_the_audit_log(redis: Redis) -> None:
    person = somebody()
    for _ in range(10):
        export.document(person.sign_in_id)
    with pytest.raises(Refused, match="the data was downloaded too often: try again in 60 minutes"):
        export.document(person.sign_in_id)
    events = exported_events(person)
    assert events == ["data.exported"] * 10
    assert redis.dbsize() == 1


def exported_events(person: Person) -> list[str]:
    query = "SELECT action FROM audit_events WHERE target_id = :i ORDER BY id"
    return [row.action for row in rows(query, i=str(person.sign_in_id))]


@pytest.fixture
def busy(books: Books) -> Person:
    """Somebody with 10,000 entries."""
    person = somebody()
    assert person.user_id is not None
    for _ in range(MANY // 1000):
        entries = [
            books.entry("bonus", person.user_id, "7", asset="GOLD_COIN") for _ in range(1000)
        ]
        assert {outcome.status for outcome in books.post(*entries)} == {"posted"}
    return person


def measured(pieces: Iterator[str]) -> tuple[list[int], int]:
    """The sizes of the pieces, and the most memory that was held meanwhile."""
    tracemalloc.start()
    try:
        return [len(piece) for piece in pieces], tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_ten_thousand_entries_take_few_seconds_and_little_memory(
    busy: Person, engine: Engine
) -> None:
    began = time.process_time()
    with counted(engine) as asked:
        made = exported(busy)
    assert time.process_time() - began < TIME_S  # the database's part is the statements', by index
    assert len(asked) < MANY // export.PAGE + 20
    assert len(made["entries"]) == MANY
    numbers = [int(entry["entry_id"].partition("-")[2]) for entry in made["entries"]]
    assert all(after == before + 1 for before, after in pairwise(numbers))
    sizes, memory = measured(export.document(busy.sign_in_id))
    assert sum(sizes) > 3_000_000
    assert max(sizes) < 300_000
    assert memory < 8_000_000
