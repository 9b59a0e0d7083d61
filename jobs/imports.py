"""Jobs of imports: each calls one service and is safe to run twice.

They wait in a queue of their own, which workers look into when the other is empty: however much is
imported, an hour's conversion waits for one slice of one import at most, and imports take turns.
"""

from jobs.context import in_app
from jobs.queue import LATER, enqueue, queue
from portal.runtime import runtime
from portal.services.imports import store
from portal.services.imports import work as importing


@in_app
def work(import_id: int, number: int) -> int | None:
    """Book a slice of an import from a chunk on, then leave the rest to a job behind the others."""
    following = importing.work(import_id, number)
    if following is not None:
        go_on((import_id, following))
    return following


@in_app
def resume_due() -> int:
    """Go on with every import that is due. Returns how many. Safe to run twice."""
    due = importing.due()
    go_on(*due)
    return len(due)


@in_app
def forget_due() -> int:
    """Forget the refused lines of old imports. Returns how many. Safe to run twice."""
    return store.forget_due()


def enqueue_due() -> None:
    """Have a worker see to what is due."""
    enqueue(queue(runtime().settings.redis_url), resume_due)


def start(import_id: int) -> None:
    """Have a worker begin an import."""
    go_on((import_id, 1))


def go_on(*due: tuple[int, int]) -> None:
    """Have workers go on with imports at a chunk each, but for those whose job waits already.

    A job that comes late finds its chunk done.
    """
    later = queue(runtime().settings.redis_url, LATER)
    waiting = set(later.job_ids)
    for import_id, number in due:
        if (job_id := f"import-{import_id}-{number}") not in waiting:
            enqueue(later, work, import_id, number, job_id=job_id)
