"""The README of the Python client: every section's blocks run against a live server."""

import os
import re
import subprocess
import sys

import pytest

from tests.clients.conftest import Live
from tests.house.source import CLIENT, ROOT

README = (ROOT / "clients/python/README.md").read_text()
SECTIONS = {
    section.partition("\n")[0]: "\n".join(
        re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    )
    for section in re.split(r"^## ", README, flags=re.MULTILINE)[1:]
}
ON_THEIR_OWN = {"Start": (), "Imports": ("Many wins",)}
"""What a section needs beside the start."""


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("name", [name for name, code in SECTIONS.items() if code])
def test_a_section_runs_as_it_is_written(live: Live, name: str) -> None:
    before = ON_THEIR_OWN.get(name, ())
    parts = ["Start", *before, name] if name != "Start" else ["Start"]
    code = "\n".join(SECTIONS[part] for part in parts)
    # Each section has a player, rounds and payments of its own.
    for word in ("player-1", "maze:", "pay_"):
        code = code.replace(word, f"{word.rstrip(':_')}-{name.replace(' ', '-')}{word[-1]}")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ
        | {
            "DREAMLAND_URL": live.base,
            "DREAMLAND_KEY": live.key,
            "PYTHONPATH": str(ROOT / CLIENT),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr


def test_every_exception_is_named() -> None:
    import dreamland_client as package  # noqa: PLC0415 - all that it offers

    errors = [
        name
        for name in package.__all__
        if isinstance(found := getattr(package, name), type)
        and issubclass(found, package.DreamlandError)
    ]
    assert not [name for name in errors if f"`{name}`" not in README]
