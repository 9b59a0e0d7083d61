"""Logs: one line an event on standard error, with the request's id; nothing secret, no client text."""

import logging
import sys
import time

FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s"


def configure(level: str) -> None:
    """Send the process's log to standard error, in UTC."""
    formatter = logging.Formatter(FORMAT, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("rq.scheduler", "rq_scheduler", "urllib3"):
        logging.getLogger(chatty).setLevel("WARNING")
