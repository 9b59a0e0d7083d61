"""`python -m jobs.scheduler`: the process that enqueues what recurs. Run one."""

import os
import time
import warnings

import config
from jobs import schedule
from jobs.queue import connection
from portal.logs import configure


def main() -> None:
    """Apply the table, then enqueue what it says until stopped."""
    os.environ["TZ"] = "UTC"  # rq-scheduler reads cron in the process's local time
    time.tzset()
    warnings.filterwarnings("ignore", "Version 0.22.0", FutureWarning)  # crontab's, about the same
    settings = config.load()
    configure(settings.log_level)
    scheduler = schedule.scheduler(settings.redis_url, connection(settings.redis_url))
    schedule.apply(scheduler)
    scheduler.run()


if __name__ == "__main__":
    main()
