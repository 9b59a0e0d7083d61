"""batch-http: batches of 500 wins over HTTP, to two web workers.

The reference is `post-batch`, in turns with it on the same books: the same wins from two processes
through the service, without HTTP, JSON, validation or an answer.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from bench import batches, people, processes, stage
from bench.figures import Figure, failed, mean, median, say
from bench.load import Load, drive

REQUEST = (
    "POST /api/v1/wins/batch HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
    "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
)
ITEM = (
    '{{"user_id":"{user}","idempotency_key":"{mark}-{n}","amount":"0.{units:018d}",'
    '"occurred_at":"{at}","game":"maze","reference":"round-{n}"}}'
)
MARK = "0" * 12
"""Stands where each request puts what makes its keys new."""
PREPARED = 64


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done, and how often. The figures are of the median pass."""

    users: int = 100_000
    connections: int = 4
    workers: int = 2
    seconds: float = 10.0
    warm_up: float = 3.0
    passes: int = 3
    wins: int = 50_000
    """Of a pass of the reference."""


def run(size: Size) -> Iterator[Figure]:
    """Batches and their reference in turns; then every win is counted."""
    with stage.server() as server, stage.books(server) as books:
        say(f"making {size.users:,} users")
        token = people.settle(books, size.users)
        sent = requests(size.users, token)
        loads: list[Load] = []
        references: list[float] = []
        acknowledged = 0
        with processes.web(books, size.workers) as address:
            for n in range(size.passes):
                done = batches.to_random(books, size.wins, size.users, f"pass-{n}")
                acknowledged += batches.posted(done)
                references.append(batches.rate(done))
                loads.append(drive(address, sent, size.connections, size.seconds, size.warm_up))
                rate = loads[-1].rate * batches.BATCH
                say(f"pass {n + 1}: {rate:,.0f} wins/s, without HTTP {references[-1]:,.0f}")
        entries = books.ask("SELECT count(*) FROM ledger.entries")
    yield from _figures(loads, references, acknowledged - entries)


def requests(users: int, token: str) -> Iterator[bytes]:
    """Requests of 500 wins for users at random, ready but for what makes their keys new."""
    rng, at = random.Random("batch-http"), datetime.now(UTC).isoformat()
    ready = [_rendered(rng, users, token, at) for _ in range(PREPARED)]
    for turn in range(10**9):
        yield ready[turn % PREPARED].replace(MARK.encode(), f"{turn:0{len(MARK)}d}".encode())


def _rendered(rng: random.Random, users: int, token: str, at: str) -> bytes:
    items = (
        ITEM.format(
            user=rng.randint(1, users), mark=MARK, n=n, units=rng.randint(1, batches.MOST), at=at
        )
        for n in range(batches.BATCH)
    )
    body = '{"wins":[' + ",".join(items) + "]}"
    return REQUEST.format(token=token, length=len(body), body=body).encode()


def _figures(loads: list[Load], references: list[float], missing: int) -> Iterator[Figure]:
    """`missing`: what the reference had acknowledged, less all entries."""
    statuses: Counter[bytes] = Counter()
    for load in loads:
        statuses += load.statuses
    checked = {
        "lost": statuses[b"200"] * batches.BATCH + missing,
        "other_answers": statuses.total() - statuses[b"200"],
    }
    rate, reference = median([x.rate for x in loads]) * batches.BATCH, median(references)
    others = mean([x.others for x in loads])
    client = median([x.cpu_us for x in loads])
    yield Figure("batch-http-client-cpu", client, "us a batch, of the load generator")
    yield Figure("batch-http-p50", median([x.latency_ms(0.5) for x in loads]), "ms")
    yield Figure("batch-http-p99", median([x.latency_ms(0.99) for x in loads]), "ms")
    yield Figure("batch-http-unsent", reference, "wins/s")
    yield Figure("batch-http", rate, "wins/s", reference, checked, others, failed(checked))
