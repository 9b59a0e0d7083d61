"""Programs of others that tests need."""

import subprocess
from pathlib import Path

START_SECONDS = 60


def starts(program: str | Path) -> bool:
    """Whether it tells its version: that needs its libraries, so one half installed does not."""
    command = [str(program), "--version"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=START_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
