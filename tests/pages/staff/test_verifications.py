"""Verifications' pages: what was found, each difference with its entry, and having it done now."""

from typing import Any

from flask import Flask
from redis import Redis
from sqlalchemy import Engine, text

from portal.services import locks, verification
from tests.concurrency.watch import Watch
from tests.factories import Books
from tests.pages.reading import table, words
from tests.pages.staff.conftest import By

LOCK = f"SELECT pg_advisory_xact_lock({locks.VERIFICATION}, 0)"
RAISE = "UPDATE ledger.postings SET amount = amount + 1 WHERE owner_id = :o AND line = 1"
MANY = """
INSERT INTO verifications (state, started_at, finished_at)
SELECT 'clean', now(), now() FROM generate_series(1, 60)
"""


def verify(app: Flask) -> None:
    with app.app_context():
        verification.verify()


def test_a_clean_verification_says_what_was_read(app: Flask, books: Books, by: By) -> None:
    viewer = by("viewer")
    assert "The books were not verified yet." in words(viewer.get("/verifications"))
    books.win(books.owner())
    verify(app)
    listed = words(viewer.get("/verifications"))
    assert "Clean 2 1 2 none yet" in listed
    found = words(viewer.get("/verifications/1"))
    assert "Postings 2 Entries 1 Owners 2" in found
    assert "Nothing differs" in found
    assert table(viewer.get("/verifications.csv"))[0]["state"] == "clean"


def test_differences_lead_to_their_entries(
    app: Flask, books: Books, owner_engine: Engine, by: By
) -> None:
    owner = books.owner()
    books.win(owner)
    with owner_engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(RAISE), {"o": owner})
    verify(app)
    viewer = by("viewer")
    assert "Differs: " in words(viewer.get("/verifications"))
    page = viewer.get("/verifications/1")
    assert f'href="/entries/{owner}-1"' in page.text
    assert "account balances are the sums of their postings" in words(page)
    rows = table(viewer.get("/verifications/1.csv"))
    assert f"{owner}-1" in {row["entry_id"] for row in rows}
    assert {row["user_id"] for row in rows} == {str(owner)}
    assert viewer.get("/verifications/1.xlsx").status_code == 200


def test_lists_are_fifty_long(by: By, watch: Watch) -> None:
    watch.run(MANY)
    viewer = by("viewer")
    assert viewer.get("/verifications").text.count('data-label="Began"') == 50
    assert viewer.get("/verifications?before=11").text.count('data-label="Began"') == 10
    assert "nothing older" in words(viewer.get("/verifications?before=1"))
    for number in ("0", "x", "-1", "9" * 30, "%00", "61"):
        assert viewer.get(f"/verifications/{number}").status_code == 404
        assert viewer.get(f"/verifications/{number}.csv").status_code == 404
    assert viewer.get("/verifications?before=x").status_code == 404


def test_an_accountant_has_the_books_verified_one_at_a_time(
    by: By, redis: "Redis[Any]", watch: Watch, engine: Engine
) -> None:
    accountant = by("accountant")
    assert accountant.post("/verifications").status_code == 303
    assert "A worker was asked" in words(accountant.get("/verifications"))
    assert accountant.post("/verifications").status_code == 303
    assert "being verified already" in words(accountant.get("/verifications"))
    assert redis.llen("rq:queue:dreamland-later") == 1
    redis.flushdb()
    with watch.hold(LOCK):
        watch.run("INSERT INTO verifications (state, started_at) VALUES ('running', now())")
        accountant.post("/verifications")
        page = accountant.get("/verifications")
        assert "being verified already" in words(page)
        assert 'hx-trigger="every 2s"' in page.text
        assert 'hx-trigger="every 2s"' in accountant.get("/verifications/1").text
    assert redis.dbsize() == 0
    assert "Failed its process was killed" in words(accountant.get("/verifications"))
    with engine.connect() as connection:
        count = "SELECT count(*) FROM audit_events WHERE action = 'verification.asked'"
        assert connection.scalar(text(count)) == 1


def test_who_may_only_look_can_not_ask(by: By, redis: "Redis[Any]", engine: Engine) -> None:
    viewer = by("viewer")
    assert "Verify now" not in viewer.get("/verifications").text
    token = viewer.token("/verifications")
    assert viewer.client.post("/verifications", data={"csrf_token": token}).status_code == 403
    assert redis.dbsize() == 0
    with engine.connect() as connection:
        newest = "SELECT action FROM audit_events ORDER BY id DESC LIMIT 1"
        assert connection.scalar(text(newest)) == "access.refused"
