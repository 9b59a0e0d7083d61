"""Logs: one line an event on standard error, with the request's id; nothing secret, no client text."""

import logging
import sys
import time
import traceback

from portal.ledger.errors import first_line

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


def trace(error: BaseException) -> str:
    """Where an error came from, and its first line only."""
    return "".join(traceback.format_tb(error.__traceback__)) + first_line(error)
