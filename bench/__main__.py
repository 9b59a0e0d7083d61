"""bin/bench NAME [--option N]: runs one bench, or all of them; without a name it lists them."""

import argparse
import dataclasses
import importlib
import signal
import sys
from collections.abc import Iterator
from typing import Any

from bench.figures import Figure, say
from local.errors import complain, run_command
from local.modules import check_modules

NAME = "bin/bench"
ALL = "all"
BENCHES = {
    "post-batch": ("bench.post_batch", "full wins in batches of 500: 14,000 wins/s or more"),
    "win-http": ("bench.win_http", "one win a request over HTTP: ratio 0.35 or more"),
    "batch-http": ("bench.batch_http", "batches of 500 wins over HTTP: 10,000 wins/s or more"),
    "wallet-mix": ("bench.wallet_mix", "spends, top-ups, bonuses over HTTP: ratio 0.3 or more"),
    "hot-user": ("bench.hot_user", "the same, all on one user: p99 below 250 ms"),
    "api-overhead": (
        "bench.api_overhead",
        "a call by the same without keys, limits and logs: 0.75",
    ),
    "convert": ("bench.convert", "the hourly conversion: 9,000 users/s or more"),
    "outbox": ("bench.outbox", "win-http with webhooks on by without: ratio 0.85 or more"),
    "pages": ("bench.pages", "each page of a busy user: p95 25 ms or less"),
    "growth": ("bench.growth", "a win at 5,000,000 entries by one at 100,000: ratio 1.3 or less"),
    "trial-balance": (
        "bench.trial_balance",
        "any time of the past: p95 50 ms or less, by 1,000,000 postings 1.3 or less",
    ),
    "rollup": ("bench.rollup", "closing hours: 10,000 postings/s or more"),
    "export": ("bench.export", "postings as CSV over HTTP: 50,000 rows/s or more, within 200 MB"),
    "verify": ("bench.verify", "all checks of the books: 200,000 postings/s or more"),
}


def main() -> int:
    """Run what was asked for; 0 if every count afterwards was right, however long it took."""
    names = sys.argv[1:2]
    if not names or names[0] not in (*BENCHES, ALL):
        return _list(names)
    check_modules()
    signal.signal(signal.SIGTERM, _interrupt)
    wanted = list(BENCHES) if names[0] == ALL else names
    arguments = [] if names[0] == ALL else sys.argv[2:]
    return max(_run(name, arguments) for name in wanted)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _list(names: list[str]) -> int:
    lines = [f"  {name:<13} {about}" for name, (_, about) in BENCHES.items()]
    lines.append(f"  {ALL:<13} every one of them, in this order")
    print("\n".join(["bin/bench NAME, where NAME is one of", *lines]), file=sys.stderr)
    return complain(NAME, f"there is no bench {names[0]!r}") if names else 0


def _run(name: str, arguments: list[str]) -> int:
    module = importlib.import_module(BENCHES[name][0])
    say(f"{name}: {BENCHES[name][1]}")
    status = 0
    for figure in measure(module, arguments):
        print(figure.as_json(), flush=True)
        if figure.wrong:
            status = complain(NAME, f"{figure.bench}: {', '.join(figure.wrong)}")
    return status


def measure(module: Any, arguments: list[str]) -> Iterator[Figure]:
    """The figures of a bench, whose `Size` says how much it does: each field is an option."""
    parser = argparse.ArgumentParser(prog=f"{NAME} NAME", description=module.__doc__)
    for option in dataclasses.fields(module.Size):
        parser.add_argument(
            f"--{option.name.replace('_', '-')}", type=type(option.default), default=option.default
        )
    figures: Iterator[Figure] = module.run(module.Size(**vars(parser.parse_args(arguments))))
    return figures


if __name__ == "__main__":
    run_command(NAME, main)
