"""Who runs a command: what the audit log calls `user@host`."""

import os
import pwd
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from portal.services import audit


@contextmanager
def acting() -> Iterator[None]:
    """What is recorded meanwhile is done by who runs this process."""
    who = name(os.getuid(), os.environ.get("SUDO_USER"))
    with audit.acting(audit.Actor("command_line", name=who)):
        yield


def name(number: int, before_sudo: str | None = None) -> str:
    """Of the machine's user, whatever the environment calls them, and of the machine."""
    try:
        user = pwd.getpwuid(number).pw_name
    except KeyError:  # as in a container whose user has no entry
        user = str(number)
    if number == 0 and before_sudo:
        user = f"{before_sudo} as {user}"
    return f"{user}@{socket.gethostname()}"
