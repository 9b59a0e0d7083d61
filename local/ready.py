"""Whether the app at an address takes requests."""

import http.client
import urllib.request

from local.errors import LocalError
from local.processes import wait_until

READY_SECONDS = 60


def wait_until_ready(base: str) -> None:
    """Wait for /readyz to say so. Raises LocalError when it does not in time."""
    if not wait_until(lambda: is_ready(base), READY_SECONDS, pause=0.1):
        raise LocalError(f"{base}/readyz did not answer 200 within {READY_SECONDS} s: see above.")


def is_ready(base: str) -> bool:
    """Ask once."""
    try:
        # Straight to this machine, whatever proxy the environment names.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{base}/readyz", timeout=5) as answer:
            return bool(answer.status == http.HTTPStatus.OK)
    except (OSError, http.client.HTTPException):
        return False
