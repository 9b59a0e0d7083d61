"""bin/test: the only gate. Format, lint, types, house rules and tests, on real services.

Arguments go to pytest: `bin/test tests/ledger -k cap`. The tests get DATABASE_URL, of a
server in which they make databases of their own, and REDIS_URL, of a database they may
empty. Without these variables both are embedded, under `var/test`.
"""

import subprocess
import sys
import time
from pathlib import Path

from local.environment import ROOT, environment, var_directory
from local.errors import run_command
from local.modules import check_modules

NAME = "bin/test"
HOUSE_RULES = "tests/house"


def stages(arguments: list[str]) -> dict[str, list[str]]:
    """What is run, in this order, by name: modules of .venv with their arguments."""
    lint = {
        "format": ["ruff", "format", "--check", "--quiet", "."],
        "lint": ["ruff", "check", "--quiet", "."],
        "types": ["mypy"],
    }
    if arguments:
        return lint | {"tests": ["pytest", *arguments]}
    rules = {"house rules": ["pytest", "-q", HOUSE_RULES]} if (ROOT / HOUSE_RULES).exists() else {}
    return lint | rules | {"tests": ["pytest", f"--ignore={HOUSE_RULES}"]}


def main() -> int:
    """Run every stage even if one fails, so that one run shows all there is to mend."""
    check_modules()
    arguments = _from_root(sys.argv[1:])
    with environment(var_directory() / "test"):
        results = {name: _run(name, command) for name, command in stages(arguments).items()}
    print()
    for name, (status, seconds) in results.items():
        print(f"{name:<12} {'ok' if status == 0 else 'FAILED':<7} {seconds:6.1f} s")
    return int(any(status for status, _ in results.values()))


def _from_root(arguments: list[str]) -> list[str]:
    """Paths given relative to the caller's directory, for a pytest that starts at the root."""
    here = Path.cwd()
    return [
        str(here / word) if (here / word.split("::")[0]).exists() else word for word in arguments
    ]


def _run(name: str, command: list[str]) -> tuple[int, float]:
    print(f"\n=== {name}", flush=True)
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False)
    return done.returncode, time.monotonic() - began


if __name__ == "__main__":
    run_command(NAME, main)
