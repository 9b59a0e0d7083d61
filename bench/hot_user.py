"""hot-user: the mix of wallet-mix, all of it on one user's one wallet, 32 connections to two workers.

The reference is the same mix over many users: what it costs that all wait for one lock. The p99 to
watch is that of the hot user.
"""

from collections.abc import Iterator

from bench import processes, stage, wallets
from bench.figures import Figure, failed, median, say
from bench.load import Load, drive
from bench.wallets import Size

HOT = [1]


def run(size: Size) -> Iterator[Figure]:
    """One user and many in turns; then every entry is counted and all books verified."""
    hot: list[Load] = []
    spread: list[Load] = []
    with stage.server() as server, stage.books(server) as books:
        say(f"making {size.users:,} users with credits")
        token = wallets.settle(books, size.users)
        with processes.web(books, size.workers) as address:
            for n in range(size.passes):
                everybody = range(1, size.users + 1)
                for each, users, name in ((spread, everybody, f"s{n}"), (hot, HOT, f"h{n}")):
                    sent = wallets.requests(wallets.BOOKED, users, token, name, wallets.MIX)
                    each.append(drive(address, sent, size.connections, size.seconds, size.warm_up))
                say(f"pass {n + 1}: one user {hot[-1].rate:,.0f}/s, many {spread[-1].rate:,.0f}/s")
        checked = wallets.checked(books, [*hot, *spread], size.users)
    found = wallets.summary(hot)
    yield Figure("hot-user-p50", found["p50"], "ms")
    yield Figure("hot-user-p99", found["p99"], "ms")
    yield Figure(
        "hot-user",
        found["rate"],
        "requests/s",
        median([load.rate for load in spread]),
        checked,
        found["others"],
        failed(checked),
    )
