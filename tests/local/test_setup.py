"""bin/setup: the right Python, the pinned packages, and one line when something is amiss."""

import shutil
from pathlib import Path

import pytest

from local.errors import LocalError, run_command
from local.modules import check_modules, pinned
from tests.local.checkout import ROOT, Checkout


def python_that_says(directory: Path, text: str) -> str:
    """A directory for PATH with a python3 that prints `text`, and what bin/setup calls."""
    directory.mkdir()
    python = directory / "python3"
    python.write_text(f"#!/bin/sh\necho '{text}'\n")
    python.chmod(0o755)
    for tool in ("sh", "dirname", "basename", "cat"):
        (directory / tool).symlink_to(str(shutil.which(tool)))
    return str(directory)


@pytest.mark.parametrize("text", ["3.10", "2.7", "Python 3.8.1", ""])
def test_an_old_or_broken_python_is_one_line(checkout: Checkout, tmp_path: Path, text: str) -> None:
    (checkout.root / ".venv").unlink()
    status, output = checkout.call("bin/run", PATH=python_that_says(tmp_path / "path", text))
    assert (status, output.count("\n")) == (1, 1)
    assert "bin/run: Dreamland needs Python 3.11 or newer" in output


def test_the_python_asked_for_must_do(checkout: Checkout) -> None:
    (checkout.root / ".venv").unlink()
    status, output = checkout.call("bin/flask", PYTHON="/nowhere/python")
    assert (status, output.count("\n")) == (1, 1)


def test_packages_that_cannot_be_installed_are_said_and_tried_again(checkout: Checkout) -> None:
    (checkout.root / ".venv").unlink()
    (checkout.root / "requirements.txt").write_text("no-such-package-of-dreamland==0.0.0\n")
    for _ in range(2):
        status, output = checkout.call("bin/run", PIP_NO_INDEX="1", PIP_FIND_LINKS="")
        assert status == 1
        assert "pip could not install the packages" in output
        assert "Traceback" not in output


def test_nothing_is_missing_here() -> None:
    check_modules()


def test_every_package_is_pinned_to_one_version() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all("==" in line for line in pins)
    names = pinned(ROOT / "requirements.txt")
    assert len(names) == len(set(names))


def test_a_missing_module_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> int:
        raise ModuleNotFoundError(name="granian")

    with pytest.raises(SystemExit, match="1"):
        run_command("bin/run", main)
    expected = "bin/run: the Python module granian is missing: delete .venv and start again"
    assert capsys.readouterr().err == f"{expected} to reinstall it.\n"


def test_a_package_that_is_not_whole_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text("half==1.0\n")
    monkeypatch.setattr("sys.prefix", str(tmp_path / ".venv"))
    with pytest.raises(LocalError, match="the Python module half is missing"):
        check_modules()
