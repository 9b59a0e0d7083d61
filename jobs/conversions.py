"""Jobs of the hourly conversion: each calls one service and is safe to run twice."""

from collections.abc import Callable
from datetime import UTC, datetime

from jobs.context import in_app
from jobs.queue import KEEP_S, TIMEOUT_S, queue
from portal.runtime import runtime
from portal.services import conversions

HOUR_FORMAT = "%Y%m%dT%H"


@in_app
def convert_due() -> list[str]:
    """Start every hour that is due, oldest first, its chunks as jobs of their own."""
    return [hour.strftime(HOUR_FORMAT) for hour in conversions.convert_due(enqueue_chunk)]


@in_app
def convert_chunk(hour: str, number: int) -> bool:
    """Convert a chunk; the one that ends the hour carries on with the next."""
    ended = conversions.convert_chunk(_parse(hour), number)
    if ended:
        enqueue_due()
    return ended


def enqueue_chunk(hour: datetime, number: int) -> None:
    """Have a worker convert a chunk."""
    name = hour.strftime(HOUR_FORMAT)
    _enqueue(f"convert-{name}-{number}", convert_chunk, name, number)


def enqueue_due() -> None:
    """Have a worker do what is due."""
    _enqueue(None, convert_due)


def _enqueue(job_id: str | None, function: Callable[..., object], *args: str | int) -> None:
    queue(runtime().settings.redis_url).enqueue_call(
        function,
        args=args,
        job_id=job_id,
        timeout=TIMEOUT_S,
        result_ttl=KEEP_S,
        failure_ttl=24 * KEEP_S,
    )


def _parse(name: str) -> datetime:
    return datetime.strptime(name, HOUR_FORMAT).replace(tzinfo=UTC)
