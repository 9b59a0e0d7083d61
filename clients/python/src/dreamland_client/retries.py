"""When a call is sent again, and after how long: exponential backoff with full jitter, bounded."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Retries:
    """At most `attempts` of a call, none begun after `deadline_s` seconds in all."""

    attempts: int = 8
    deadline_s: float = 60.0
    first_s: float = 0.1
    longest_s: float = 10.0

    def pause(self, attempt: int, retry_after: float | None) -> float:
        """Seconds to wait after an attempt, at least what the server asked for.

        Jitter is full: callers that failed together must not come back together.
        """
        ceiling = min(self.longest_s, self.first_s * 2 ** min(attempt - 1, 32))
        return (retry_after or 0.0) + random.uniform(0, ceiling)  # noqa: S311 - no secret


NEVER = Retries(attempts=1)
