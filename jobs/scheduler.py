"""`python -m jobs.scheduler`: the process that enqueues what recurs. Run one, with TZ=UTC."""

import config
from jobs import schedule
from jobs.queue import connection
from portal.logs import configure


def main() -> None:
    """Apply the table, then enqueue what it says until stopped."""
    settings = config.load()
    configure(settings.log_level)
    scheduler = schedule.scheduler(settings.redis_url, connection(settings.redis_url))
    schedule.apply(scheduler)
    scheduler.run()


if __name__ == "__main__":
    main()
