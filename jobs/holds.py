"""The job that releases holds whose time is over."""

from jobs.context import in_app
from portal.services import holds


@in_app
def expire_due() -> int:
    """Release every open hold that has expired. Returns how many. Safe to run twice."""
    return holds.expire_due()
