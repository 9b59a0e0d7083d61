"""Whether a container's process does its work: `python -m deploy.healthy web|worker|webhooks|scheduler`.

Exit status 1, with one line, if it does not. Asked every few seconds for as long as containers run: so
nothing is imported before it is needed.
"""

import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable

Question = Callable[[], str | None]
SECONDS = 4  # less than any probe's own limit, so that the reason is still said


def main() -> int:
    """Ask about the process that is named."""
    problem = QUESTIONS[sys.argv[1]]()
    if problem:
        print(problem, file=sys.stderr)
    return int(problem is not None)


def web() -> str | None:
    """Not ready: no database, or wins are not posted any more."""
    address = f"http://127.0.0.1:{os.environ.get('PORT', '5000')}/readyz"
    try:
        # Straight to this machine, whatever proxy the environment names.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(address, timeout=SECONDS).close()
    except urllib.error.HTTPError as error:
        return f"{address}: {error.read(500).decode(errors='replace').strip()}"
    except OSError as error:
        return f"{address}: {error}"
    return None


def worker() -> str | None:
    """A worker says in Redis that it lives, at least every seven minutes."""
    from jobs.queue import QUEUE  # noqa: PLC0415

    return _worker_of(QUEUE)


def webhooks() -> str | None:
    """The same of the worker of webhooks."""
    from jobs.queue import WEBHOOKS  # noqa: PLC0415

    return _worker_of(WEBHOOKS)


def _worker_of(name: str) -> str | None:
    from rq import Worker  # noqa: PLC0415 - see the head of this file
    from rq.serializers import JSONSerializer  # noqa: PLC0415

    import config  # noqa: PLC0415
    from jobs.queue import queue  # noqa: PLC0415

    here = socket.gethostname()
    found = Worker.all(queue=queue(config.load().redis_url, name), serializer=JSONSerializer)
    if any(each.hostname == here for each in found):
        return None
    return f"no worker of {here} has said lately that it lives"


def scheduler() -> str | None:
    """The scheduler says so every few seconds; gone too if Redis lost its table, which it writes anew."""
    from rq_scheduler import Scheduler  # noqa: PLC0415

    import config  # noqa: PLC0415
    from jobs.queue import connection  # noqa: PLC0415

    redis = connection(config.load().redis_url)
    for key in redis.scan_iter(f"{Scheduler.redis_scheduler_namespace_prefix}*"):
        if not redis.hexists(key, "death"):
            return None
    return "no scheduler has said lately that it lives"


def unless_redis_is_away(ask: Question) -> Question:
    """No start anew brings Redis back: while it is away, nobody is at fault."""

    def answer() -> str | None:
        from redis import exceptions  # noqa: PLC0415

        try:
            return ask()
        except (exceptions.ConnectionError, exceptions.TimeoutError):
            return None

    return answer


QUESTIONS: dict[str, Question] = {
    "web": web,
    "worker": unless_redis_is_away(worker),
    "webhooks": unless_redis_is_away(webhooks),
    "scheduler": unless_redis_is_away(scheduler),
}

if __name__ == "__main__":
    sys.exit(main())
