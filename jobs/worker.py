"""`python -m jobs.worker`: a process that runs jobs. Run as many as there are cores to spare.

Jobs run in the process itself, with its connection and the plans that are kept there: a process of
its own for each chunk of users cost a third of a conversion. A job that takes its worker down is
found and gone on with by the next `convert_due`, whoever runs it.
"""

from rq import SimpleWorker
from rq.serializers import JSONSerializer

import config
from jobs import conversions, imports, mails
from jobs.context import app
from jobs.queue import LATER, connection, queue
from portal.logs import configure


def main() -> None:
    """Work until stopped."""
    settings = config.load()
    configure(settings.log_level)
    with app().app_context():
        conversions.enqueue_due()  # whatever a killed worker left goes on now
        imports.enqueue_due()
        mails.enqueue_due()
    work = [queue(settings.redis_url), queue(settings.redis_url, LATER)]
    redis = connection(settings.redis_url)
    worker = SimpleWorker(work, connection=redis, serializer=JSONSerializer)
    worker.work(logging_level=settings.log_level)


if __name__ == "__main__":
    main()
