"""Imports as a service: what a client may not book, a win that breaks its chunk, and how files are cut."""

import pytest
from sqlalchemy import Engine, text

from portal import ledger
from portal.services import clients
from portal.services.imports import store, work
from portal.services.imports.files import File, Format
from tests.factories import Books

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture(autouse=True)
def key(context: None) -> str:  # noqa: ARG001 - a key is made in it
    """One of the studio's: without it, nothing is booked."""
    return clients.create_key("studio", ["imports:write"])


HEADER = "user_id,idempotency_key,amount,occurred_at,game,reference\n"


def taken(data: str, form: Format = "csv", chunk_lines: int = 500, piece: int = 7) -> File:
    file, whole = File(form, 1000, chunk_lines), data.encode()
    file.read(whole[n : n + piece] for n in range(0, len(whole), piece))
    return file


def line(books: Books, owner: int, key: str, game: str = "maze") -> str:
    return f"{owner},{key},0.1,{books.now().isoformat()},{game},r\n"


def test_what_a_client_may_not_book_is_refused_by_line(books: Books) -> None:
    client, owner = clients.named("studio"), books.owner()
    clients.set_limits("studio", games=["chess"])
    data = HEADER + line(books, owner, "a") + line(books, owner, "b", "chess")
    made, is_new = store.create(client, "k", taken(data))
    assert is_new
    assert work.work(made.id, 1) is None
    [refusals] = store.refusals(made.id)
    assert [(each.line, each.code) for each in refusals] == [(2, "forbidden")]
    assert store.get(client, str(made.id)).posted == 1


def test_a_chunk_that_can_not_be_written_is_refused_and_those_after_it_are_booked(
    books: Books, owner_engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    client, owner = clients.named("studio"), books.owner()
    data = HEADER + "".join(line(books, owner, key) for key in "abcd") + "nonsense\n"
    made, _ = store.create(client, "k", taken(data, chunk_lines=2))
    with owner_engine.begin() as connection:
        connection.execute(text("ALTER TABLE import_chunks ADD CHECK (posted < 2)"))
    assert work.work(made.id, 1) is None
    done = store.get(client, str(made.id))
    assert (done.state, done.posted, done.rejected) == ("done", 2, 3)
    [refusals] = store.refusals(made.id)
    assert [(each.line, each.code) for each in refusals] == [
        (3, "internal_error"),
        (4, "internal_error"),
        (6, "validation_failed"),
    ]
    assert refusals[0].content.startswith(f"{owner},b,")
    assert "chunk 2 of import" in caplog.text
    assert str(owner) + ",b," not in caplog.text


def test_imports_of_a_client_without_a_key_that_works_wait_for_one(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "SLICE_S", 0)
    client, owner = clients.named("studio"), books.owner()
    data = HEADER + "".join(line(books, owner, key) for key in "abcd")
    made, _ = store.create(client, "k", taken(data, chunk_lines=2))
    assert work.work(made.id, 1) == 2
    clients.revoke_all("studio")
    assert (work.due(), work.work(made.id, 2)) == ([], None)
    other = clients.create_key("other", ["imports:write"])
    assert clients.caller_of(other)
    assert work.due() == []
    clients.create_key("studio", ["read"])
    assert work.due() == [(made.id, 2)]
    assert work.work(made.id, 2) == 3
    assert work.work(made.id, 3) is None
    done = store.get(client, str(made.id))
    assert (done.state, done.posted) == ("done", 4)


@pytest.mark.parametrize("piece", [1, 3, 64, 10_000])
def test_a_file_is_the_same_whatever_pieces_it_comes_in(piece: int) -> None:
    data = HEADER + "".join(f"{n}\r\n" for n in range(50)) + "\n\nlast"
    file = taken(data, chunk_lines=20, piece=piece)
    assert file.lines == 51
    assert [(each.number, each.first_line, each.lines) for each in file.chunks] == [
        (1, 2, 19),
        (2, 21, 20),
        (3, 41, 12),
    ]
    assert file.chunks[2].content == HEADER + "\n".join([*map(str, range(39, 50)), "", "", "last"])
    assert file.digest == taken(data).digest != taken(data + "\n").digest


def test_the_digest_tells_the_formats_apart() -> None:
    assert taken(HEADER + "x").digest != taken(HEADER + "x", "jsonl").digest


def test_what_is_posted_within_a_transaction_is_there_with_it_or_not_at_all(books: Books) -> None:
    owner = books.owner()
    entries = [books.entry("win", owner, "0.1", at=books.now()) for _ in range(3)]
    with books.engine.connect() as connection:
        outcomes = ledger.post_within(connection, entries, ledger.UNBOUNDED)
        assert [outcome.status for outcome in outcomes] == ["posted"] * 3
        connection.rollback()
    with books.engine.begin() as connection:
        again = ledger.post_within(connection, entries, ledger.UNBOUNDED)
    assert [(outcome.status, outcome.seq) for outcome in again] == [
        ("posted", 1),
        ("posted", 2),
        ("posted", 3),
    ]


def test_an_entry_that_breaks_its_batch_fails_alone_within_a_transaction(books: Books) -> None:
    owner = books.owner()
    entries = [books.entry("win", owner, "0.1", at=books.now()) for _ in range(5)]
    entries[2].amount = 0
    with books.engine.begin() as connection:
        outcomes = ledger.post_within(connection, entries, ledger.UNBOUNDED)
        assert connection.scalar(text("SELECT 1")) == 1
    statuses = [outcome.code or outcome.status for outcome in outcomes]
    assert statuses == ["posted", "posted", "internal_error", "posted", "posted"]
