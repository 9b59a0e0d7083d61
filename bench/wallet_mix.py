"""wallet-mix: spends, top-ups and bonuses of 10,000 users over HTTP, 32 connections to two workers.

Seven in ten are spends, two top-ups, one a bonus. The reference is a spend that is checked and
answered by the same process and booked nowhere (bench/wsgi.py).
"""

from collections.abc import Iterator

from bench import processes, stage, wallets
from bench.figures import Figure, failed, median, say
from bench.load import Load, drive
from bench.wallets import Size


def run(size: Size) -> Iterator[Figure]:
    """The mix and its reference in turns; then every entry is counted and all books verified."""
    loads: list[Load] = []
    references: list[Load] = []
    with stage.server() as server, stage.books(server) as books:
        say(f"making {size.users:,} users with credits")
        token = wallets.settle(books, size.users)
        with processes.web(books, size.workers) as address:
            for n in range(size.passes):
                unbooked = (wallets.UNBOOKED, wallets.REFERENCE, f"r{n}")
                booked = (wallets.BOOKED, wallets.MIX, f"m{n}")
                for each, (prefix, mix, name) in ((references, unbooked), (loads, booked)):
                    users = range(1, size.users + 1)
                    sent = wallets.requests(prefix, users, token, name, mix)
                    each.append(drive(address, sent, size.connections, size.seconds, size.warm_up))
                say(f"pass {n + 1}: {loads[-1].rate:,.0f}/s, unbooked {references[-1].rate:,.0f}/s")
        checked = wallets.checked(books, loads, size.users)
    found = wallets.summary(loads)
    reference = median([load.rate for load in references])
    yield Figure("wallet-mix-p50", found["p50"], "ms")
    yield Figure("wallet-mix-p99", found["p99"], "ms")
    yield Figure("wallet-mix-unbooked", reference, "requests/s")
    yield Figure(
        "wallet-mix",
        found["rate"],
        "requests/s",
        reference,
        checked,
        found["others"],
        failed(checked),
    )
