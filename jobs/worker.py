"""`python -m jobs.worker`: a process that runs jobs. Run as many as there are cores to spare."""

from rq import Worker
from rq.serializers import JSONSerializer

import config
from jobs import conversions
from jobs.context import app
from jobs.queue import connection, queue
from portal.logs import configure


def main() -> None:
    """Work until stopped."""
    settings = config.load()
    configure(settings.log_level)
    with app().app_context():
        conversions.enqueue_due()  # whatever a killed worker left goes on now
    work = queue(settings.redis_url)
    worker = Worker([work], connection=connection(settings.redis_url), serializer=JSONSerializer)
    worker.work(logging_level=settings.log_level)


if __name__ == "__main__":
    main()
