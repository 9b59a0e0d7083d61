"""Metrics for Prometheus: requests by route, and the poster's batches; on an address of their own.

Where PROMETHEUS_MULTIPROC_DIR names a directory, all web processes of a server count in files there,
and any of them tells the sums: the first that gets the port serves it, and when it dies another does.
"""

import errno
import logging
import threading
import time

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    start_http_server,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector

from config import Settings

log = logging.getLogger(__name__)

RETRY_S = 1.0
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
ENTRIES = (1, 2, 5, 10, 20, 50, 100, 200, 500)

REQUESTS = Counter(
    "dreamland_requests", "Requests answered.", ("method", "route", "status", "code")
)
DURATIONS = Histogram(
    "dreamland_request_seconds", "Time to answer.", ("method", "route"), buckets=SECONDS
)
BATCHES = Histogram(
    "dreamland_batch_entries", "Entries that were posted at once.", ("lane",), buckets=ENTRIES
)

# Finding a labelled child costs more than counting with it.
_requests: dict[tuple[str, str, int, str], Counter] = {}
_durations: dict[tuple[str, str], Histogram] = {}
_batches: dict[str, Histogram] = {}


def count(method: str, route: str, status: int, code: str, seconds: float) -> None:
    """Count an answered request. Every argument is of a closed list, so that the series are few."""
    key = (method, route, status, code)
    try:
        counter = _requests.get(key)
        if counter is None:
            counter = _requests[key] = REQUESTS.labels(method, route, str(status), code)
        counter.inc()
        duration = _durations.get(key[:2])
        if duration is None:
            duration = _durations[key[:2]] = DURATIONS.labels(method, route)
        duration.observe(seconds)
    except OSError as error:
        _go_on(error)


def count_batch(lane: str, entries: int) -> None:
    """Count what a poster's lane sent in one call."""
    try:
        batch = _batches.get(lane)
        if batch is None:
            batch = _batches[lane] = BATCHES.labels(lane)
        batch.observe(entries)
    except OSError as error:
        _go_on(error)


def _go_on(error: OSError) -> None:
    """No answer and no posting fails because it can't be counted, in a directory that is gone, say."""
    log.warning("not counted, see PROMETHEUS_MULTIPROC_DIR: %s", error.strerror)


def serve(settings: Settings) -> None:
    """Serve /metrics from a thread, as soon as no other process of this server does."""
    if settings.metrics_port:
        threading.Thread(target=_serve, args=(settings,), name="metrics", daemon=True).start()


def _serve(settings: Settings) -> None:
    while True:
        try:
            start_http_server(settings.metrics_port, settings.metrics_host, registry())
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                log.warning("no metrics at METRICS_HOST, METRICS_PORT: %s", error.strerror)
                return
            time.sleep(RETRY_S)
        else:
            return


def registry() -> CollectorRegistry:
    """What is told: the sums of all processes where they share a directory, else this one's."""
    if not values.ValueClass._multiprocess:  # noqa: SLF001 - nothing else says what was chosen
        return REGISTRY
    made = CollectorRegistry()
    MultiProcessCollector(made)  # type: ignore[no-untyped-call]
    return made
