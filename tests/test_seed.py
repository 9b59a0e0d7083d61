"""seed.sql, by psql and by the service: assets, users and opening balances, once, as the API makes them."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import URL, Engine, text

from local.postgres import Postgres
from portal.services import clients, demo, verification
from tests.concurrency.web import at_once
from tests.factories import Books

ROOT = Path(__file__).parent.parent
SEED = ROOT / "seed.sql"
ALICE = {"external_id": "seed-alice", "display_name": "Alice", "time_zone": "Europe/London"}
BOB = {"external_id": "seed-bob", "display_name": "Bob", "time_zone": "Asia/Tokyo"}
BALANCES = {
    "seed-alice": {"GOLD_COIN": "1000", "DIAMOND": "50", "LOYALTY_POINT": "100"},
    "seed-bob": {"GOLD_COIN": "250", "DIAMOND": "0", "LOYALTY_POINT": "25.5"},
}
COUNTS = """
SELECT string_agg(format('SELECT %L AS name, count(*) FROM %I.%I', tablename, schemaname, tablename), ' UNION ALL ')
FROM pg_tables WHERE schemaname IN ('ledger', 'public')
"""

Psql = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def psql(database: URL) -> Psql:
    """Run the file by the psql that comes with the embedded PostgreSQL, as its head says."""
    url = database.set(drivername="postgresql").render_as_string(hide_password=False)

    def run(role: str | None = None, *words: str) -> "subprocess.CompletedProcess[str]":
        environment = dict(os.environ) | ({"PGOPTIONS": f"-c role={role}"} if role else {})
        command = [str(Postgres.binaries() / "psql"), "-X", "-v", "ON_ERROR_STOP=1", *words]
        return subprocess.run(
            [*command, "-f", str(SEED), url],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )

    return run


def done(result: "subprocess.CompletedProcess[str]") -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout


def rows(engine: Engine) -> dict[str, int]:
    """How many rows each table has."""
    with engine.connect() as connection:
        counts = connection.execute(text(str(connection.scalar(text(COUNTS)))))
        return {row[0]: row[1] for row in counts}


class Caller:
    """Calls the API as the client that seed.sql books as."""

    def __init__(self, app: Flask) -> None:
        self._client = app.test_client()
        with app.app_context():
            key = clients.create_key("seed", list(clients.SCOPES))
        self._headers = {"Authorization": f"Bearer {key}"}

    def post(self, path: str, body: object, key: str = "k") -> Any:
        headers = self._headers | {"Idempotency-Key": key}
        return self._client.post(f"/api/v1{path}", json=body, headers=headers)

    def read(self, path: str) -> Any:
        answer = self._client.get(f"/api/v1{path}", headers=self._headers)
        assert answer.status_code == 200, answer.text
        return answer.json

    def user(self, body: dict[str, str]) -> str:
        """The id of a user who is there already."""
        answer = self.post("/users", body)
        assert answer.status_code == 200, answer.text
        return str(answer.json["user"]["id"])


@pytest.fixture
def caller(app: Flask) -> Caller:
    return Caller(app)


@pytest.fixture
def clean(app: Flask) -> Iterator[None]:
    """The books are clean at the end."""
    yield
    with app.app_context():
        assert [str(each) for each in verification.verify().differences] == []


pytestmark = pytest.mark.usefixtures("clean")


def wallets(caller: Caller, body: dict[str, str]) -> dict[str, str]:
    """The balances of a user's credits."""
    found = caller.read(f"/users/{caller.user(body)}/wallets")["wallets"]
    return {w["asset"]: w["balance"] for w in found if w["asset"] not in ("DREAM", "USD")}


@pytest.mark.parametrize("role", [None, "dreamland_app"])
def test_it_seeds_a_migrated_database_and_again_changes_nothing(
    psql: Psql, caller: Caller, owner_engine: Engine, role: str | None
) -> None:
    said = done(psql(role))
    assert "seed-alice" in said
    assert wallets(caller, ALICE) == BALANCES["seed-alice"]
    assert wallets(caller, BOB) == BALANCES["seed-bob"]
    before = rows(owner_engine)
    for again in (role, None, "dreamland_app"):
        assert "seed-bob" in done(psql(again))
    assert rows(owner_engine) == before


def test_the_assets_come_with_their_accounts(
    psql: Psql, caller: Caller, owner_engine: Engine
) -> None:
    done(psql())
    known = {
        a["code"]: (a["name"], a["scale"], a["kind"]) for a in caller.read("/assets")["assets"]
    }
    assert known["GOLD_COIN"] == ("Gold Coins", 0, "credit")
    assert known["DIAMOND"] == ("Diamonds", 0, "credit")
    assert known["LOYALTY_POINT"] == ("Loyalty Points", 2, "credit")
    query = """SELECT l.code, array_agg(a.code ORDER BY a.id) FROM ledger.accounts a
               JOIN ledger.ledgers l ON l.id = a.ledger_id GROUP BY l.code"""
    with owner_engine.connect() as connection:
        accounts = {row[0]: row[1] for row in connection.execute(text(query))}
    for code in ("GOLD_COIN", "DIAMOND", "LOYALTY_POINT"):
        assert accounts[code] == [
            *("INVENTORY", "HELD", "TREASURY", "PROMOTIONS", "REVENUE", "EXPIRED")
        ]


def test_four_at_once_book_each_balance_once(psql: Psql, caller: Caller) -> None:
    for result in at_once(*[psql] * 4):
        done(result)
    assert wallets(caller, ALICE) == BALANCES["seed-alice"]
    assert wallets(caller, BOB) == BALANCES["seed-bob"]


def test_its_users_are_found_by_the_requests_that_would_make_them(
    psql: Psql, caller: Caller
) -> None:
    done(psql())
    for body in (ALICE, BOB):
        user = caller.read(f"/users/{caller.user(body)}")["user"]
        assert {name: user[name] for name in body} == body
        assert (user["email"], user["region"]) == (None, "global")
    other = caller.post("/users", ALICE | {"display_name": "Alicia"})
    assert (other.status_code, other.json["code"]) == (409, "user_exists")


def test_users_that_the_api_made_before_are_used(psql: Psql, caller: Caller) -> None:
    made = caller.post("/users", ALICE)
    assert made.status_code == 201
    done(psql())
    assert caller.user(ALICE) == made.json["user"]["id"]
    assert wallets(caller, ALICE) == BALANCES["seed-alice"]


BOOKED = [
    (ALICE, "GOLD_COIN", "top-ups", "alice-gold", {"amount": "1000", "provider": "seed"}),
    (ALICE, "DIAMOND", "top-ups", "alice-diamonds", {"amount": "50", "provider": "seed"}),
    (ALICE, "LOYALTY_POINT", "bonuses", "alice-points", {"amount": "100.00", "reason": "welcome"}),
    (BOB, "GOLD_COIN", "top-ups", "bob-gold", {"amount": "250", "provider": "seed"}),
    (BOB, "LOYALTY_POINT", "bonuses", "bob-points", {"amount": "25.5", "reason": "welcome"}),
]


def test_its_entries_are_those_that_the_api_would_have_booked(
    psql: Psql, caller: Caller, owner_engine: Engine
) -> None:
    """The same client, key and request: a replay, whatever happened since."""
    done(psql())
    for person in (ALICE, BOB):
        bonus = {"amount": "5", "reference": "r"}
        path = f"/users/{caller.user(person)}/wallets/GOLD_COIN/bonuses"
        assert caller.post(path, bonus, key="own").status_code == 201
    before = rows(owner_engine)
    for person, asset, call, reference, body in BOOKED:
        path = f"/users/{caller.user(person)}/wallets/{asset}/{call}"
        said = body | {"reference": reference}
        answer = caller.post(path, said, key=f"opening:{reference}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["Idempotent-Replayed"] == "true"
        assert answer.json["transaction"]["reference"] == reference
        changed = caller.post(path, said | {"amount": "1"}, key=f"opening:{reference}")
        assert changed.json["code"] == "idempotency_key_reused"
        if call == "top-ups":
            other = caller.post(path, said, key="another")
            assert other.json["code"] == "payment_reference_reused"
    assert rows(owner_engine) == before


def test_it_runs_on_books_that_are_in_use(
    psql: Psql, caller: Caller, books: Books, owner_engine: Engine
) -> None:
    users_before = [books.owner() for _ in range(3)]
    for owner in users_before:
        books.win(owner)
        books.top_up(owner, "GOLD_COIN", "10")
        books.hold(owner, "GOLD_COIN", "4")
    done(psql())
    alice = caller.user(ALICE)
    spend = {"amount": "990", "reference": "a castle"}
    assert caller.post(f"/users/{alice}/wallets/GOLD_COIN/spends", spend).status_code == 201
    reversal = caller.post(f"/users/{alice}/entries/{alice}-2/reversals", {"reason": "x"}, key="r")
    assert reversal.status_code == 201
    before = rows(owner_engine)
    done(psql())
    assert rows(owner_engine) == before
    assert wallets(caller, ALICE) == {"GOLD_COIN": "10", "DIAMOND": "0", "LOYALTY_POINT": "100"}


def test_payments_that_somebody_else_booked_stop_it_and_nothing_is_left(
    psql: Psql, caller: Caller, owner_engine: Engine
) -> None:
    eve = caller.post("/users", {"external_id": "eve", "display_name": "Eve"}).json["user"]["id"]
    paid = {"amount": "1", "reference": "bob-gold", "provider": "seed"}
    assert caller.post(f"/users/{eve}/wallets/GOLD_COIN/top-ups", paid).status_code == 201
    before = rows(owner_engine)
    result = psql()
    assert result.returncode != 0
    assert "bob-gold" in result.stderr
    assert "alice" not in result.stderr
    assert rows(owner_engine) == before


def test_the_service_loads_the_same_once(
    psql: Psql, app: Flask, caller: Caller, owner_engine: Engine
) -> None:
    with app.app_context():
        assert demo._opening_balances() is True
        assert wallets(caller, ALICE) == BALANCES["seed-alice"]
        before = rows(owner_engine)
        assert demo._opening_balances() is False
    done(psql())
    assert rows(owner_engine) == before
