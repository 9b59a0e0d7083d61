"""A minute of everything at once on credits, while the web server and the database are killed."""

import os
import time
from collections import defaultdict
from pathlib import Path

from flask import Flask
from sqlalchemy import URL

from local.postgres import Postgres
from portal.ledger import amounts
from portal.services import verification
from tests.concurrency.killable.hammer import Booked, Hammer
from tests.concurrency.watch import Watch
from tests.concurrency.web import Web
from tests.factories import Books

SECONDS = float(os.environ.get("HAMMER_SECONDS", "60"))
THREADS = 64
USERS = 50

ENTRIES = """
SELECT e.owner_id || '-' || e.seq AS id, k.code AS kind, a.code AS asset, a.scale, p.amount,
       count(*) OVER (PARTITION BY e.owner_id, e.key_hash) AS times
FROM ledger.entries e
JOIN ledger.entry_kinds k ON k.id = e.kind_id
JOIN ledger.postings p ON p.owner_id = e.owner_id AND p.seq = e.seq AND p.line = 1
JOIN ledger.ledgers l ON l.id = p.ledger_id JOIN ledger.assets a ON a.code = l.asset
"""
BELOW_ZERO = """
SELECT count(*) FROM ledger.postings p
JOIN ledger.accounts d ON d.id = p.debit_account_id JOIN ledger.accounts c ON c.id = p.credit_account_id
WHERE p.wallet_balance < 0 OR d.never_negative AND p.debit_balance < 0 OR c.never_negative AND p.credit_balance < 0
"""


def test_a_minute_of_everything_loses_nothing_and_applies_nothing_twice(
    postgres: Postgres,
    app: Flask,
    web: Web,
    database: URL,
) -> None:
    books = Books(app.extensions["dreamland"].engine)
    hammer = Hammer(web, [books.owner() for _ in range(USERS)])

    def meanwhile() -> None:
        for n in range(10):
            time.sleep(2)
            postgres.restart(immediate=True)
            if n % 2:
                web.program.kill()
                web.start()

    hammer.run(THREADS, SECONDS, meanwhile)
    check_refusals(hammer)
    watch = Watch(database)
    check_entries(hammer, watch)
    assert watch.value(BELOW_ZERO) == 0
    check_wallets(hammer, watch, web)
    with app.app_context():
        assert [str(each) for each in verification.verify().differences] == []
    watch.dispose()
    log = Path(postgres.log).read_text(errors="replace")
    assert "starting PostgreSQL" in log
    assert "deadlock" not in log


def kill_web(web: Web) -> None:
    time.sleep(SECONDS / 4)
    web.program.kill()
    web.start()


def check_refusals(hammer: Hammer) -> None:
    """Every kind of refusal was met, and nothing else was answered."""
    assert not hammer.faults, hammer.web.programs.said_about(hammer.faults[0])
    assert hammer.statuses <= {200, 201, 422, 503}
    assert hammer.repeated > 0
    assert set(hammer.refused) == {
        *("insufficient_funds", "hold_not_open", "capture_exceeds_hold"),
        *("already_reversed", "not_reversible", "payment_reference_reused"),
    }


def check_entries(hammer: Hammer, watch: Watch) -> None:
    """What is in the books is what was acknowledged, each once: every call was sent to its answer."""
    rows = watch.rows(ENTRIES)
    assert {row.times for row in rows} == {1}
    found = {
        row.id: Booked(row.id, row.kind, row.asset, amounts.text(int(row.amount), row.scale))
        for row in rows
    }
    said = {booked.entry_id: booked for booked in hammer.booked.values()}
    assert len(said) == len(hammer.booked)
    assert found == said
    assert {booked.kind for booked in said.values()} == {
        *("top_up", "bonus", "spend", "hold", "capture", "release", "reversal"),
    }


def check_wallets(hammer: Hammer, watch: Watch, web: Web) -> None:
    """Each wallet holds what its acknowledged entries leave in it, over HTTP."""
    reversed_ = {
        f"{row.owner_id}-{row.seq}": f"{row.owner_id}-{row.reverses_seq}"
        for row in watch.rows("SELECT owner_id, seq, reverses_seq FROM ledger.entries")
    }
    signs = {"top_up": 1, "bonus": 1, "spend": -1, "capture": -1}
    kinds = {booked.entry_id: booked.kind for booked in hammer.booked.values()}
    wanted: dict[tuple[int, str], int] = defaultdict(int)
    for (owner, _), booked in hammer.booked.items():
        original = kinds.get(reversed_[booked.entry_id], "")
        sign = signs.get(booked.kind, 0) if booked.kind != "reversal" else -signs[original]
        wanted[owner, booked.asset] += sign * int(float(booked.amount))
    caller = web.caller()
    for owner in hammer.owners:
        for wallet in caller.ask("GET", f"/api/v1/users/{owner}/wallets").body["wallets"]:
            assert int(wallet["balance"]) == wanted[owner, wallet["asset"]]
