"""A big import, worked off by real workers as a client sees it."""

import time
from datetime import timedelta

import pytest
from flask import Flask

from portal.services import clients
from tests.concurrency.programs import Programs, eventually
from tests.concurrency.watch import Watch
from tests.factories import Books
from tests.jobs.sender import HEADER, Sender, lines

BIG, BAD_ONE_IN = 100_000, 100
BAD = BIG // BAD_ONE_IN
POLL_S = 0.1
"""Asking all the time would take the worker half a core."""


@pytest.fixture
def sender(app: Flask, watch: Watch) -> Sender:
    with app.app_context():
        return Sender(app, clients.create_key("studio", ["imports:write"]), watch)


def test_a_hundred_thousand_lines_with_bad_ones_show_progress_and_add_nothing_again(
    sender: Sender, books: Books, programs: Programs
) -> None:
    owners = [books.owner() for _ in range(500)]
    data = HEADER + "".join(lines(owners, BIG, books.now() - timedelta(days=3), bad=BAD_ONE_IN))
    programs.start("-m", "jobs.worker")
    first = sender.send(data, "first")
    seen: set[int] = set()

    def is_done() -> bool:
        time.sleep(POLL_S)
        made = sender.progress(first)
        assert made["processed"] >= max(seen, default=0)
        seen.add(made["processed"])
        return bool(made["state"] == "done")

    eventually("it is done", is_done, 80)
    assert len(seen) >= 5, "progress is seen"
    assert sender.counts(first) == (BIG - BAD, 0, BAD)
    assert sender.refused(first) == [1 + n for n in range(BAD_ONE_IN, BIG + 1, BAD_ONE_IN)]
    assert sender.wins() == BIG - BAD

    assert sender.send(data, "first", status=200) == first
    again = sender.send(data, "second")
    sender.ends(again, 80, POLL_S)
    assert sender.counts(again) == (0, BIG - BAD, BAD)
    assert sender.refused(again) == sender.refused(first)
    assert sender.wins() == BIG - BAD
