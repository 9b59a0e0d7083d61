"""Logs: one line an event on standard error, with the request's id; nothing secret, no client text."""

import logging
import sys
import time
import traceback

from portal.ledger.errors import first_line

FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s"


class Lines(logging.Formatter):
    """Times in UTC; those of one second are written once: every request has a line."""

    def __init__(self) -> None:
        super().__init__(FORMAT)
        self._second = (0, "")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - the standard library's name
        """The second of a record."""
        second, text = self._second
        if second != int(record.created):
            second = int(record.created)
            text = time.strftime(datefmt or "%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = (second, text)
        return text


def configure(level: str) -> None:
    """Send the process's log to standard error, in UTC."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # No line names any of these, and to find them costs more than to write it.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - documented for this
    for chatty in ("rq.scheduler", "rq_scheduler", "urllib3"):
        logging.getLogger(chatty).setLevel("WARNING")


def trace(error: BaseException) -> str:
    """Where an error came from, and its first line only."""
    return "".join(traceback.format_tb(error.__traceback__)) + first_line(error)
