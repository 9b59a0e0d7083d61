"""Programs of others that some tests can't do without, had before the first of those runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from local.errors import LocalError


class Obtainable(Protocol):
    """A module of `local` that finds a program, or installs it."""

    def executable(self, say: Callable[[str], None]) -> Path:
        """Where it is. Raises LocalError where it can't be had."""
        ...

    def is_required(self) -> bool:
        """Whether doing without it is an error."""
        ...


def obtained(request: pytest.FixtureRequest, program: Obtainable, name: str) -> Path:
    """Where it is; a test that can't have it says so, and where it is required it fails."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():  # it takes a while: show it at once
            print(f"\n{text}", flush=True)

    try:
        return program.executable(say)
    except LocalError as error:
        if program.is_required():
            pytest.fail(f"{name} is required, but {error}")
        pytest.skip(f"tests with {name}: {error}")
