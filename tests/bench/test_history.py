"""Books that a bench makes set-based are those that the posting function would have made."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bench import history, people, stage
from portal.services import verification, wins

USERS, ENTRIES = 7, 40


@pytest.fixture(scope="module")
def books() -> Iterator[stage.Books]:
    with stage.server() as server, stage.books(server) as made:
        people.settle(made, USERS)
        end = datetime.now(UTC).replace(microsecond=0)
        history.write(made, USERS, ENTRIES, end - timedelta(seconds=ENTRIES), end)
        yield made


def test_they_verify_clean(books: stage.Books) -> None:
    with books.app.app_context():
        report = verification.verify()
    assert (report.entries, report.postings, report.found) == (ENTRIES, 2 * ENTRIES, 0)


def test_the_same_requests_sent_again_are_replayed(books: stage.Books) -> None:
    with books.owner() as cursor:
        cursor.execute("SELECT owner_id, occurred_at, game, reference FROM ledger.entries")
        rows = cursor.fetchall()
    client_id = people.client_id(books)
    again = [
        wins.WinRequest(
            user_id=owner,
            key=f"history:{reference.removeprefix('round-')}",
            amount=history.AMOUNT,
            occurred_at=at,
            game=game,
            reference=reference,
        )
        for owner, at, game, reference in rows
    ]
    with books.app.app_context():
        outcomes = wins.book_batch(client_id, again)
    assert [outcome.status for outcome in outcomes] == ["replayed"] * ENTRIES
