"""Credits for benches: users with enough to spend, and the mix of requests that moves them."""

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench import people
from bench.figures import mean, median
from bench.load import Load
from bench.stage import Books
from portal import ledger
from portal.ledger.idempotency import key_hash, request_hash
from portal.services import assets, verification

ASSET = "GOLD_COIN"
FUNDS = 10**9
MIX = {"spends": 7, "top-ups": 2, "bonuses": 1}
REFERENCE = {"spends": 1}
BATCH = 500
REQUEST = (
    "POST {prefix}/users/{user}/wallets/{asset}/{what} HTTP/1.1\r\nHost: bench\r\n"
    "Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    "Content-Length: {length}\r\nIdempotency-Key: {key}\r\n\r\n{body}"
)
BOOKED, UNBOOKED = "/api/v1", "/bench"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done, and how often. The figures are of the median pass."""

    users: int = 10_000
    connections: int = 32
    workers: int = 2
    seconds: float = 10.0
    warm_up: float = 3.0
    passes: int = 3


def settle(books: Books, users: int) -> str:
    """Make users with so many Gold Coins that no spend is refused; the bench's API key."""
    token = people.settle(books, users, "wallets:write")
    with books.app.app_context():
        asset = assets.get(ASSET)
    for first in range(1, users + 1, BATCH):
        batch = range(first, min(first + BATCH, users + 1))
        entries = [_funds(owner, asset.ledger_id) for owner in batch]
        outcomes = ledger.post_batch(books.runtime.engine, entries, ledger.UNBOUNDED)
        assert {outcome.status for outcome in outcomes} == {"posted"}
    with books.owner() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as autovacuum would have by now
    return token


def _funds(owner: int, ledger_id: int) -> ledger.Entry:
    return ledger.Entry(
        owner_id=owner,
        kind="bonus",
        ledger_id=ledger_id,
        client_id=0,
        key_hash=key_hash(0, "funds"),
        request_hash=request_hash("bonus", owner, FUNDS),
        amount=FUNDS,
    )


def requests(
    prefix: str, users: Sequence[int], token: str, name: str, mix: dict[str, int]
) -> Iterator[bytes]:
    """Requests of a mix by random users, each with a key and a reference of its own."""
    rng = random.Random(name)
    kinds, weights = list(mix), list(mix.values())
    number = 0
    while True:
        for what in rng.choices(kinds, weights, k=1000):
            number += 1
            key = f"{name}-{number}"
            body = json.dumps({"amount": "3", "reference": key})
            yield REQUEST.format(
                prefix=prefix,
                user=rng.choice(users),
                asset=ASSET,
                what=what,
                token=token,
                length=len(body),
                key=key,
                body=body,
            ).encode()


def checked(books: Books, loads: list[Load], users: int) -> dict[str, int]:
    """What must be 0 afterwards: acknowledged and not booked, refused, and what verify finds."""
    statuses: Counter[bytes] = Counter()
    for load in loads:
        statuses += load.statuses
    entries = books.ask("SELECT count(*) FROM ledger.entries") - users
    with books.app.app_context():
        differences = verification.verify().found
    return {
        "lost": statuses[b"201"] - entries,
        "other_answers": statuses.total() - statuses[b"201"],
        "differences": differences,
    }


def summary(loads: list[Load]) -> dict[str, float]:
    """The median pass: rate, latencies, and the part of the machine that others had."""
    return {
        "rate": median([load.rate for load in loads]),
        "p50": median([load.latency_ms(0.5) for load in loads]),
        "p99": median([load.latency_ms(0.99) for load in loads]),
        "others": mean([load.others for load in loads]),
    }
