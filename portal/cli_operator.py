"""Who runs a command: what the audit log calls `user@host`."""

import os
import pwd
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from portal.services import audit

SUDO = "SUDO_USER"
"""Who became root by sudo."""


@contextmanager
def acting() -> Iterator[None]:
    """What is recorded meanwhile is done by who runs this process."""
    with audit.acting(audit.Actor("command_line", name=name())):
        yield


def name() -> str:
    """Of the machine's user, whatever the environment calls them, and of the machine."""
    number = os.getuid()
    try:
        user = pwd.getpwuid(number).pw_name
    except KeyError:  # as in a container whose user has no entry
        user = str(number)
    if number == 0 and (before := os.environ.get(SUDO)):
        user = f"{before} as {user}"
    return f"{user}@{socket.gethostname()}"
