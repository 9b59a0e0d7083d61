"""`python -m jobs.webhook_worker`: the process that delivers webhooks. One is enough, more do no harm.

It is nice to the others on its machine: a win that waits is worse than a message that comes later.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from rq import SimpleWorker
from rq.serializers import JSONSerializer

import config
from jobs import webhooks
from jobs.context import app
from jobs.queue import WEBHOOKS, connection, queue
from portal.logs import configure

NICENESS = 5


class PromptWorker(SimpleWorker):
    """Tells the job that it runs when it is told to end itself."""

    def request_stop(self, signum: Any, frame: Any) -> None:
        """End after the messages that are under way."""
        webhooks.stopping.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def be_nice() -> None:
    """Come after the others: where Linux shares the processors by session first, this session too."""
    os.nice(NICENESS)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(NICENESS))


def main() -> None:
    """Deliver until stopped."""
    be_nice()
    settings = config.load()
    configure(settings.log_level)
    with app().app_context():
        webhooks.enqueue_delivery()
    work = queue(settings.redis_url, WEBHOOKS)
    redis = connection(settings.redis_url)
    worker = PromptWorker([work], connection=redis, serializer=JSONSerializer)
    worker.work(logging_level=settings.log_level)


if __name__ == "__main__":
    main()
