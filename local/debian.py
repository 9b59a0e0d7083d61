"""Packages of Debian for the tests: how root installs them, and what was said meanwhile."""

import os
import subprocess
from pathlib import Path

GET = ("apt-get", "-y", "-o", "DPkg::Lock::Timeout=600", "-o", "Acquire::Retries=3")
UPDATE = [*GET, "update"]
INSTALL_SECONDS = 1200


def is_roots() -> bool:
    """Whether packages can be installed here: by root, on Debian."""
    return os.geteuid() == 0 and _is_debian()


def install(*packages: str) -> list[str]:
    """The command that installs packages."""
    return [*GET, "install", "--no-install-recommends", *packages]


def run(command: list[str], log: Path) -> str:
    """Run a command; what the last line of all that was said says."""
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with log.open("a") as output:
        try:
            subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=INSTALL_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    said = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return said[-1] if said else "it said nothing"


def _is_debian() -> bool:
    try:
        return "ID=debian" in Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return False
