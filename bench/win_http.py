"""win-http: one win a request over HTTP, 64 connections to two web workers.

The reference is a route of the same process that does all but the booking (bench/wsgi.py).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from bench import people, processes, stage
from bench.figures import Figure, failed, mean, median, say
from bench.load import Load, drive

REQUEST = (
    "POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
    "Content-Type: application/json\r\nContent-Length: {length}\r\nIdempotency-Key: "
)
BODY = '{{"amount":"0.000001","occurred_at":"{at}","game":"maze","reference":"round-1"}}'
WINS, REFERENCE = "/api/v1/users/%d/wins", "/bench/users/%d/wins"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done, and how often. The figures are of the median pass."""

    users: int = 100_000
    connections: int = 64
    workers: int = 2
    seconds: float = 10.0
    warm_up: float = 3.0
    passes: int = 3


def run(size: Size) -> Iterator[Figure]:
    """Wins and their reference in turns; then every entry is counted."""
    with stage.server() as server, stage.books(server) as books:
        say(f"making {size.users:,} users")
        token = people.settle(books, size.users)
        loads: list[Load] = []
        references: list[Load] = []
        with processes.web(books, size.workers) as address:
            for n in range(size.passes):
                references.append(_drive(address, size, REFERENCE, token, f"r{n}"))
                loads.append(_drive(address, size, WINS, token, f"w{n}"))
                say(f"pass {n + 1}: {loads[-1].rate:,.0f}/s, unbooked {references[-1].rate:,.0f}/s")
        entries = books.ask("SELECT count(*) FROM ledger.entries")
    yield from _figures(loads, references, entries)


def _drive(address: tuple[str, int], size: Size, path: str, token: str, name: str) -> Load:
    requests = rendered(path, size.users, token, name)
    return drive(address, requests, size.connections, size.seconds, size.warm_up)


def rendered(path: str, users: int, token: str, name: str) -> Iterator[bytes]:
    """Requests with a key each, one user after the other. Only the key is put in at the end."""
    body = BODY.format(at=datetime.now(UTC).isoformat())
    for turn in range(10**9):
        for user in range(1, users + 1):
            head = REQUEST.format(path=path % user, token=token, length=len(body))
            yield f"{head}{name}-{turn}-{user}\r\n\r\n{body}".encode()


def _figures(loads: list[Load], references: list[Load], entries: int) -> Iterator[Figure]:
    statuses: Counter[bytes] = Counter()
    for load in loads:
        statuses += load.statuses
    checked = {
        "lost": statuses[b"201"] - entries,
        "other_answers": statuses.total() - statuses[b"201"],
    }
    rate, reference = median([x.rate for x in loads]), median([x.rate for x in references])
    others = mean([x.others for x in loads])
    cpu = median([x.cpu_us for x in loads])
    yield Figure("win-http-client-cpu", cpu, "us a request, of the load generator")
    yield Figure("win-http-p50", median([x.latency_ms(0.5) for x in loads]), "ms")
    yield Figure("win-http-p99", median([x.latency_ms(0.99) for x in loads]), "ms")
    yield Figure("win-http-unbooked", reference, "requests/s")
    yield Figure("win-http", rate, "wins/s", reference, checked, others, failed(checked))
