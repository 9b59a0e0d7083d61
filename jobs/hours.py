"""The job that closes hours and adds them up."""

from jobs.context import in_app
from portal.services import hours


@in_app
def close_due() -> int:
    """Close every hour that is over. Returns how many. Safe to run twice."""
    return hours.close_due()
