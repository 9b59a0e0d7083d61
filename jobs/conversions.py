"""Jobs of the hourly conversion: each calls one service and is safe to run twice."""

from datetime import UTC, datetime

from jobs.context import in_app
from jobs.queue import enqueue, queue
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
    jobs = queue(runtime().settings.redis_url)
    enqueue(jobs, convert_chunk, name, number, job_id=f"convert-{name}-{number}")


def enqueue_due() -> None:
    """Have a worker do what is due."""
    enqueue(queue(runtime().settings.redis_url), convert_due)


def _parse(name: str) -> datetime:
    return datetime.strptime(name, HOUR_FORMAT).replace(tzinfo=UTC)
