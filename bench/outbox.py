"""outbox: wins over HTTP as in win-http, with webhooks on, by the same without.

An endpoint that wants everything, a receiver in a process of its own, and the worker of the Procfile
delivering, which is nice to the others: where the cores are all taken by wins, it falls behind and
catches up after. The lag that this leaves, and how fast it goes then, are told too. Passes alternate.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized

from bench import people, processes, stage
from bench.figures import Figure, failed, mean, median, say
from bench.load import Load, drive
from bench.receiver import serve
from bench.win_http import WINS, rendered
from jobs.webhook_worker import NICENESS
from local.processes import wait_until
from local.redis import Redis
from portal.services import locks
from portal.services.webhooks import endpoints

PATIENCE_S = 600
TURN_S = 20
LOCKED = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done, and how often. The figures are of the median pass."""

    users: int = 100_000
    connections: int = 64
    workers: int = 2
    seconds: float = 10.0
    warm_up: float = 3.0
    passes: int = 3


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a pass's events."""

    booked: int
    meanwhile: int
    """How many arrived while wins were sent."""
    lag_s: float
    """From the last win until the last event had arrived."""


def run(size: Size) -> Iterator[Figure]:
    """Passes with and without; then every event is counted at the receiver."""
    on: list[Load] = []
    off: list[Load] = []
    delivered: list[Delivered] = []
    with (
        stage.server() as server,
        Redis(server.var / "redis") as redis,
        stage.books(server, REDIS_URL=redis.url) as books,
        _receiver() as (port, count),
    ):
        say(f"making {size.users:,} users")
        token = people.settle(books, size.users)
        url = f"http://127.0.0.1:{port}/"
        with processes.web(books, size.workers) as address:
            for n in range(size.passes):
                for name, loads in ((f"off{n}", off), (f"on{n}", on)):
                    requests = rendered(WINS, size.users, token, name)
                    arguments = (size.connections, size.seconds, size.warm_up)
                    if loads is off:
                        loads.append(drive(address, requests, *arguments))
                        continue
                    with _delivering(books, url):
                        before = count.value
                        loads.append(drive(address, requests, *arguments))
                        booked = loads[-1].statuses[b"201"]
                        delivered.append(_catch_up(books, count, before, booked))
                say(f"pass {n + 1}: with {on[-1].rate:,.0f}/s, without {off[-1].rate:,.0f}/s")
        entries = books.ask("SELECT count(*) FROM ledger.entries")
    yield from _figures(on, off, delivered, entries, count.value)


@contextmanager
def _receiver() -> Iterator[tuple[int, "Synchronized[int]"]]:
    """A process that answers 204 and counts the events that it has not seen before."""
    context = get_context("spawn")
    count = context.Value("q", 0)
    port = context.Value("i", 0)
    process = context.Process(target=serve, args=(port, count), daemon=True)
    process.start()
    while not port.value:
        time.sleep(0.01)
    try:
        yield port.value, count
    finally:
        process.terminate()
        process.join()


@contextmanager
def _delivering(books: stage.Books, url: str) -> Iterator[None]:
    """An endpoint for what is booked from now on, and the worker that delivers."""
    with books.app.app_context():
        client = people.client_id(books)
        made = endpoints.make(client, url, None, None, None)
        try:
            with processes.webhooks(books):
                if not wait_until(lambda: bool(books.ask(LOCKED, locks.ENDPOINT)), PATIENCE_S):
                    raise TimeoutError("the worker of webhooks has not begun")
                yield
        finally:
            endpoints.remove(client, made.id)


def _catch_up(
    books: stage.Books, count: "Synchronized[int]", before: int, booked: int
) -> Delivered:
    """Wait for the events that are still on their way; the scheduler's part is done here."""
    meanwhile, began = count.value - before, time.monotonic()
    turn = began
    while count.value - before < booked and time.monotonic() < began + PATIENCE_S:
        if time.monotonic() > turn + TURN_S:
            turn = time.monotonic()
            with books.app.app_context():
                books.runtime.start_webhooks()
        time.sleep(0.01)
    return Delivered(booked, meanwhile, time.monotonic() - began)


def _figures(
    on: list[Load], off: list[Load], delivered: list[Delivered], entries: int, received: int
) -> Iterator[Figure]:
    every = sum(load.statuses[b"201"] for load in (*on, *off))
    checked = {
        "lost": every - entries,
        "other_answers": sum(load.statuses.total() for load in (*on, *off)) - every,
        "undelivered": sum(each.booked for each in delivered) - received,
    }
    late = [(each.booked - each.meanwhile, each.lag_s) for each in delivered]
    share = median([each.meanwhile / each.booked for each in delivered])
    told = {"delivered_meanwhile": round(share, 3), "niceness": NICENESS}
    yield Figure("outbox-lag", median([lag for _, lag in late]), "s from the last win to its event")
    yield Figure(
        "outbox-deliveries", median([n / lag for n, lag in late]) or 1, "events/s in that time"
    )
    rate, reference = median([x.rate for x in on]), median([x.rate for x in off])
    others = mean([x.others for x in on])
    yield Figure("outbox", rate, "wins/s", reference, checked | told, others, failed(checked))
