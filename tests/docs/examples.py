"""docs/examples.md as it is written: its blocks of shell, and the answer that is shown below each.

`run` runs all blocks in one real `sh`, in their order, and tells what each one printed.
"""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BLOCK = re.compile(
    r"^```sh\n(.*?)^```\n(?:\n```(?:json|csv|text)\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
MARK = "\x1e"
STATUS = re.compile(r"[1-5][0-9]{2}")
SECONDS = 120


@dataclass(frozen=True)
class Example:
    """A block, the line it begins at, and the answer that the page shows, if any."""

    line: int
    script: str
    shown: str | None


def examples(page: str) -> list[Example]:
    """Every block of a page, in order."""
    return [
        Example(page.count("\n", 0, found.start()) + 1, found[1], found[2])
        for found in BLOCK.finditer(page)
    ]


def run(blocks: list[Example], directory: Path) -> list[str]:
    """What each block printed, run one after the other by one shell, in a directory."""
    assert shutil.which("curl"), "curl is not there: install it, the examples are run with it"
    script = directory / "examples.sh"
    script.write_text("".join(f"{each.script}\nprintf '{MARK}'\n" for each in blocks))
    done = subprocess.run(
        ["sh", "-eu", script],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    printed = done.stdout.split(MARK)
    assert done.returncode == 0, f"{done.stderr}\n{printed[-1]}"
    assert not done.stderr, done.stderr
    return printed[:-1]


def shape(text: str) -> Any:
    """What two answers of one call have in common: the status, the names of fields, their types.

    Of a CSV, its first line.
    """
    lines = text.strip("\n").split("\n")
    status = lines.pop() if STATUS.fullmatch(lines[-1]) else None
    body = "\n".join(lines).strip()
    if not body.startswith(("{", "[")):
        return status, body.partition("\n")[0]
    return status, _shape(json.loads(body))


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_shape(each) for each in value]
    return type(value).__name__
