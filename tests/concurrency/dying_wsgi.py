"""The app as wsgi.py serves it, in a process that dies when a request asks for that.

Only for tests: the request is served to the end, its commit included, and then the process is
killed before a byte of the answer is sent.
"""

import os
import signal
from collections.abc import Iterable
from typing import Any

from wsgi import app as served


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Serve, and die before the answer where the header X-Die says so."""
    answer = served(environ, start_response)
    if "HTTP_X_DIE" in environ:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
