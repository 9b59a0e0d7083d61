"""Batches of full wins through the real path, from processes of their own, as game servers send them."""

import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from bench import people
from bench.stage import Books
from bench.together import Done, together
from portal import create_app, ledger
from portal.runtime import runtime
from portal.services import wins

PROCESSES = 2
"""Two keep two cores busy, one in Python and one in PostgreSQL. More only wait for each other."""
BATCH = 500
WARM_UP = 2
"""Batches of each process before the clock runs: a new connection first plans its statements."""
MOST = 10**15
"""Base units: a thousandth of a token, so that no daily limit gets in the way."""


def to_random(books: Books, count: int, users: int, name: str) -> Done:
    """Book `count` wins, after those of the warm-up, for users 1 to `users` at random. Answers a Counter of outcomes each.

    `name` keeps the idempotency keys of one call apart from those of another.
    """
    rng = random.Random(name)
    each = WARM_UP * BATCH + max(BATCH, count // PROCESSES)
    return post(
        books, [[rng.randint(1, users) for _ in range(each)] for _ in range(PROCESSES)], name
    )


def to_everyone(books: Books, users: int, name: str) -> Done:
    """Book one win for each of users 1 to `users`."""
    return post(books, [range(n + 1, users + 1, PROCESSES) for n in range(PROCESSES)], name)


def post(books: Books, owners: Sequence[Sequence[int]], name: str) -> Done:
    """Book a win for each owner, each list of them in a process of its own."""
    client = people.client_id(books)
    each = [(books.environ, client, some, f"{name}:{n}") for n, some in enumerate(owners)]
    return together(prepare, each)


def prepare(
    environ: dict[str, str], client_id: int, owners: Sequence[int], name: str
) -> Callable[[], Counter[str]]:
    """Connect and make the requests; the work is all that the app does with them.

    The first batches are sent at once and are not part of the work.
    """
    os.environ.update(environ)
    app = create_app()
    with app.app_context():
        batches = list(requests(owners, name))
    outcomes: Counter[str] = Counter()

    def send(some: Sequence[Sequence[wins.WinRequest]]) -> Counter[str]:
        with app.app_context():
            for each in some:
                booked = wins.book_batch(client_id, each)
                outcomes.update(outcome.status for outcome in booked)
        return outcomes

    send(batches[:WARM_UP])
    return lambda: send(batches[WARM_UP:])


def requests(owners: Sequence[int], name: str) -> Sequence[list[wins.WinRequest]]:
    """Batches of new wins, now by the ledger clock, the first ones for the warm-up."""
    rng = random.Random(name)
    with runtime().engine.connect() as connection:
        now = ledger.now(connection)
    made = [_win(owner, f"{name}:{n}", rng, now) for n, owner in enumerate(owners)]
    return [made[n : n + BATCH] for n in range(0, len(made), BATCH)]


def _win(owner: int, key: str, rng: random.Random, now: datetime) -> wins.WinRequest:
    return wins.WinRequest(
        user_id=owner,
        key=key,
        amount=rng.randint(1, MOST),
        occurred_at=now,
        game="maze",
        reference=f"round-{key}",
    )


def posted(done: Done) -> int:
    """How many wins were acknowledged, those of the warm-up included."""
    return sum(int(answer["posted"]) for answer in done.answers)


def rate(done: Done) -> float:
    """Wins a second, those of the warm-up left out."""
    return (posted(done) - WARM_UP * BATCH * PROCESSES) / done.seconds
