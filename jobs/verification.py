"""Jobs of the verification of the books: each calls one service and is safe to run twice.

One takes a worker for as long as it reads, a minute for eight million postings: it comes after all else.
"""

from uuid import uuid4

from jobs.context import in_app
from jobs.queue import LATER, enqueue, queue
from portal.runtime import runtime
from portal.services import verification

PREFIX = "verify-"
TIMEOUT_S = 6 * 3600


@in_app
def verify() -> int | None:
    """Verify the books, unless that is under way. How many differences there are."""
    return verification.verify_unless_running()


@in_app
def verify_due() -> int | None:
    """Verify the books, unless that was done today. How many differences there are."""
    return verification.verify_due()


def enqueue_one() -> bool:
    """Have a worker verify the books; False where one is to already."""
    later = queue(runtime().settings.redis_url, LATER)
    if any(job_id.startswith(PREFIX) for job_id in later.job_ids):
        return False
    enqueue(later, verify, job_id=f"{PREFIX}{uuid4()}", timeout_s=TIMEOUT_S)
    return True
