"""Jobs of sessions: each calls one service and is safe to run twice."""

from jobs.context import in_app
from portal.services.accounts import sessions


@in_app
def forget_due() -> int:
    """Forget sessions that ended long ago. Returns how many. Safe to run twice."""
    return sessions.forget_due()
