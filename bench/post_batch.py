"""post-batch: full wins (key, hash, limit, fee) in batches of 500, from two processes.

The reference writes the same rows set-based in batches of the same size from as many processes.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from bench import bare, batches, people, stage
from bench.figures import Figure, failed, mean, median, say
from portal import ledger


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done in a pass, and how often. The figures are of the median pass."""

    users: int = 100_000
    wins: int = 100_000
    passes: int = 3


def run(size: Size) -> Iterator[Figure]:
    """The rate of the real path, after the one of bare inserts."""
    with stage.server() as server, stage.books(server) as books:
        say(f"making {size.users:,} users")
        people.settle(books, size.users)
        bare.create(books)
        rates, references, others, acknowledged = [], [], [], 0
        for n in range(size.passes):
            done = batches.to_random(books, size.wins, size.users, f"pass-{n}")
            acknowledged += batches.posted(done)
            rates.append(batches.rate(done))
            others.append(done.others)
            references.append(reference(books, size, n))
            say(
                f"pass {n + 1}: {rates[-1]:,.0f} wins/s, bare inserts {references[-1]:,.0f}/s,"
                f" others had {done.others:.0%} of the machine"
            )
        checked = check(books, acknowledged)
    bare_rate, wrong = median(references), failed(checked)
    yield Figure("post-batch-bare", bare_rate, "wins/s")
    yield Figure("post-batch", median(rates), "wins/s", bare_rate, checked, mean(others), wrong)


def reference(books: stage.Books, size: Size, number: int) -> float:
    """Wins a second whose rows are inserted and nothing else."""
    rng = random.Random(number)
    rounds = max(1, size.wins // batches.PROCESSES // batches.BATCH)
    first = number * 10**9 + 1
    some = [
        [
            _bare_batch(rng, size.users, first + batches.BATCH * (p * rounds + n))
            for n in range(rounds)
        ]
        for p in range(batches.PROCESSES)
    ]
    done = bare.insert(books, some, bare.WIN)
    return rounds * batches.PROCESSES * batches.BATCH / done.seconds


def _bare_batch(rng: random.Random, users: int, first_seq: int) -> bare.Rows:
    owners = [rng.randint(1, users) for _ in range(batches.BATCH)]
    return bare.batch(owners, first_seq, rng)


def check(books: stage.Books, acknowledged: int) -> dict[str, int | bool]:
    """Every acknowledged win is in the books, no other is, and the books balance."""
    entries = books.ask("SELECT count(*) FROM ledger.entries")
    balance = ledger.trial_balance_at(books.runtime.engine)
    return {"lost": acknowledged - entries, "balanced": balance.is_balanced()}
