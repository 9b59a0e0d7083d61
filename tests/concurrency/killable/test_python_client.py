"""A game server that books by the Python client, killed again and again, and so is all it talks to."""

from collections import Counter
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import URL

from local.postgres import Postgres
from portal.services import verification
from tests.concurrency.killable.conftest import ROOT
from tests.concurrency.programs import Program, eventually
from tests.concurrency.watch import Watch
from tests.concurrency.web import Web
from tests.factories import Books

WINS = 10_000
USERS = 50
UNITS = 10**15
PATIENCE_S = 120
PATHS = f"{ROOT}:{ROOT / 'clients/python/src'}"
BOOKED = """
SELECT e.owner_id || '-' || e.seq AS id, e.reference, min(p.amount) FILTER (WHERE p.line = 1) AS amount
FROM ledger.entries e JOIN ledger.postings p ON p.owner_id = e.owner_id AND p.seq = e.seq
GROUP BY e.owner_id, e.seq
"""


class Game:
    """The game server: started, killed, started again; what it knows is in one file."""

    def __init__(self, how: str, web: Web, books: Books, file: Path) -> None:
        self.file = file
        self.file.touch()
        self.users = [str(books.owner()) for _ in range(USERS)]
        self._web = web
        address = f"http://127.0.0.1:{web.port}"
        given = (how, address, web.key, ",".join(self.users), str(WINS))
        self._arguments = (*given, books.now().isoformat(), str(file))

    def start(self) -> Program:
        return self._web.programs.start(
            "-m", "tests.clients.game_server", *self._arguments, PYTHONPATH=PATHS
        )

    def results(self) -> list[tuple[str, str]]:
        """Reference and entry of each whole line it has written."""
        lines = self.file.read_text().split("\n")[:-1]
        return [(line.split(" ")[0], line.split(" ")[1]) for line in lines if " " in line]

    def wait_for(self, part: float) -> None:
        """Until that part of the wins has its result, whoever sent them."""
        eventually(
            f"{part:.0%} are done",
            lambda: self.file.read_bytes().count(b"\n") >= WINS * part,
            seconds=PATIENCE_S,
        )


@pytest.mark.parametrize("how", ["batcher", "singles"])
def test_a_game_server_killed_amid_10_000_wins_of_a_server_that_restarts_books_each_once(
    postgres: Postgres, app: Flask, web: Web, database: URL, tmp_path: Path, how: str
) -> None:
    game = Game(how, web, Books(app.extensions["dreamland"].engine), tmp_path / "done")

    first = game.start()
    game.wait_for(0.1)
    first.kill()
    second = game.start()
    game.wait_for(0.25)
    web.program.kill()
    web.start()
    game.wait_for(0.4)
    postgres.restart(immediate=True)
    game.wait_for(0.55)
    for worker in web.program.children():
        worker.kill()
    second.kill()
    third = game.start()
    game.wait_for(0.7)
    third.kill()
    web.program.kill()
    fourth = game.start()  # finds nobody there
    web.start()
    game.wait_for(0.8)
    postgres.restart(immediate=True)
    eventually("it has ended", lambda: not fourth.is_alive(), seconds=PATIENCE_S)
    assert fourth.stop() == 0, fourth.said()

    watch = Watch(database)
    rows = watch.rows(BOOKED)
    watch.dispose()
    assert Counter(row.reference for row in rows) == Counter(f"round-{n}" for n in range(WINS))
    assert {row.amount for row in rows} == {UNITS}
    said = dict(game.results())
    assert len(game.results()) >= WINS
    assert said == {row.reference: row.id for row in rows}, "and it was told the truth of each"
    with app.app_context():
        assert [str(each) for each in verification.verify().differences] == []
