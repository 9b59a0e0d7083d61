"""api-overhead: what it costs a win and a read that they are calls of the API.

With: key, scope, network, rate limit in Redis, validation, ETag, metrics, and a line of log at INFO to a
file. Without: the same work in the database, and the same JSON, without any of these (bench/wsgi_bare.py).
Two servers run side by side and are asked in turns; a ratio is the median one of its pairs.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from bench import people, processes, stage
from bench.figures import Figure, failed, mean, say
from bench.load import Load, drive
from bench.win_http import rendered
from local.redis import Redis

LIMIT = 6_000_000
"""Requests a minute: a hundred times the default, as nobody is to be refused here."""
Address = tuple[str, int]
Pair = tuple[Load, Load]
READ = "GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done, and how often."""

    users: int = 20_000
    connections: int = 64
    workers: int = 2
    seconds: float = 4.0
    warm_up: float = 1.0
    passes: int = 7


def run(size: Size) -> Iterator[Figure]:
    """Both calls with and without, in turns; then every entry is counted."""
    wins: list[Pair] = []
    reads: list[Pair] = []
    with stage.server() as server, Redis(server.var / "redis") as redis:
        settings = {
            "LOG_LEVEL": "INFO",
            "REDIS_URL": redis.url,
            "RATE_LIMIT_PER_MINUTE": str(LIMIT),
            "METRICS_PORT": str(processes.free_port()),
        }
        with stage.books(server, **settings) as books:
            say(f"making {size.users:,} users")
            token = people.settle(books, size.users)
            log = server.var / "web.log"
            with (
                processes.web(books, size.workers, log=log) as full,
                processes.web(books, size.workers, "bench.wsgi_bare:app", log=log) as bare,
            ):
                for n in range(size.passes):
                    send = partial(_pair, size, full, bare, swapped=n % 2 == 1)
                    name = f"p{n}"
                    wins.append(send(partial(_wins, size.users, token, name), "/users/%d/wins"))
                    reads.append(send(partial(_reads, size.users, token), "/users/%d/stats"))
                    say(f"pass {n + 1}: win {_ratio(wins[-1]):.3f}, read {_ratio(reads[-1]):.3f}")
            entries = books.ask("SELECT count(*) FROM ledger.entries")
            for line in log.read_text().splitlines():
                if " INFO portal.api " not in line:
                    say(line[:200])
            logged = log.read_text().count(" INFO portal.api ")
    yield from _figures(wins, reads, entries, logged)


def _pair(
    size: Size,
    full: Address,
    bare: Address,
    requests: Callable[[str], Iterator[bytes]],
    path: str,
    *,
    swapped: bool,
) -> Pair:
    """The call with everything and without, one after the other: which is first is `swapped`."""

    def load(address: Address, prefix: str) -> Load:
        sent = requests(prefix + path)
        return drive(address, sent, size.connections, size.seconds, size.warm_up)

    if swapped:
        without = load(bare, "/bare")
        return load(full, "/api/v1"), without
    return load(full, "/api/v1"), load(bare, "/bare")


def _wins(users: int, token: str, name: str, path: str) -> Iterator[bytes]:
    return rendered(path, users, token, f"{name}-{path[1]}")


def _reads(users: int, token: str, path: str) -> Iterator[bytes]:
    made = [READ.format(path=path % user, token=token).encode() for user in range(1, users + 1)]
    while True:
        yield from made


def _ratio(pair: Pair) -> float:
    return pair[0].rate / max(pair[1].rate, 1e-9)


def _middle(pairs: list[Pair]) -> Pair:
    return sorted(pairs, key=_ratio)[len(pairs) // 2]


def _figures(wins: list[Pair], reads: list[Pair], entries: int, logged: int) -> Iterator[Figure]:
    loads = [load for pair in (*wins, *reads) for load in pair]
    statuses = sum((load.statuses for load in loads), Counter[bytes]())
    say("answers: " + ", ".join(f"{n} of {status.decode()}" for status, n in statuses.items()))
    answered = sum(with_.statuses.total() for with_, _ in (*wins, *reads))
    checked = {
        "lost": statuses[b"201"] - entries,
        "other_answers": statuses.total() - statuses[b"201"] - statuses[b"200"],
        "not_logged": answered - logged,
    }
    others = mean([load.others for load in loads])
    pairs = {"win": _middle(wins), "read": _middle(reads)}
    for name, (with_, without) in pairs.items():
        yield Figure(f"api-overhead-{name}", with_.rate, "requests/s", without.rate)
        yield Figure(
            f"api-overhead-{name}-p99", with_.latency_ms(0.99), "ms", without.latency_ms(0.99)
        )
    with_, without = min(pairs.values(), key=_ratio)
    yield Figure(
        "api-overhead", with_.rate, "requests/s", without.rate, checked, others, failed(checked)
    )
