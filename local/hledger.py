"""hledger for the tests of journals: found, or installed, or said to be missing.

HLEDGER names one; else the first of PATH is taken. Where there is none, root on Debian installs it with
apt-get. REQUIRE_HLEDGER=yes tells the tests that to have none is an error: so CI does.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from local import debian, programs
from local.environment import ROOT, var_directory
from local.errors import LocalError
from local.locks import FileLock

PACKAGE = "hledger"
ADVICE = "install hledger (Debian: apt-get install hledger), or set HLEDGER to its path"


def is_required() -> bool:
    """Whether doing without hledger is an error."""
    return os.environ.get("REQUIRE_HLEDGER") == "yes"


def executable(say: Callable[[str], None]) -> Path:
    """Where hledger is, once it is there. Raises LocalError with what to do where it can't be had."""
    if found := find():
        return found
    if not debian.is_roots():
        raise LocalError(f"no hledger here: {ADVICE}.")
    with FileLock(ROOT / ".venv.lock"):  # the one that bin/setup installs under
        if found := find():
            return found
        say("Installing hledger (apt-get)…")
        log = var_directory() / "log" / "hledger.log"
        log.unlink(missing_ok=True)
        for command in (debian.UPDATE, debian.install(PACKAGE)):
            problem = debian.run(command, log)
        if found := find():
            return found
    raise LocalError(f"no hledger here, and apt-get brought none ({problem}; see {log}): {ADVICE}.")


def find() -> Path | None:
    """An hledger that starts. Raises LocalError if HLEDGER names something else."""
    if given := os.environ.get("HLEDGER"):
        if not programs.starts(Path(given)):
            raise LocalError(f"HLEDGER is {given!r}, which does not start: correct or unset it.")
        return Path(given)
    there = shutil.which(PACKAGE)
    return Path(there) if there and programs.starts(there) else None
